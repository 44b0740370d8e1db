import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// Links that somebody has put where the modules are about to write: nothing behind them is touched.
@Suite struct PlantedLinkContract {
    /// A certificate made and installed without a CA, in spite of what `plant` has put into the host's directories. What
    /// the links lead to, a directory `victim` with a file in it, stays as it is.
    private func install(
        _ plant: String, _ look: (_ directory: String) throws -> Void = { _ in }
    ) throws -> (request: RealProgram.Answer, finalize: RealProgram.Answer) {
        try withTemporaryDirectory { directory in
            let script = """
                cd "$1"; mkdir -m 700 victim certs state
                for file in victim/file victim/order.json victim/a.example.org.key; do
                    echo precious >$file; chmod 604 $file
                done
                \(plant)
                """
            let planted = try Program.run(["sh", "-euc", script, "sh", directory])
            #expect(planted.status == 0, "\(planted)")
            let before = try listing(directory + "/victim")
            let options = hermetic(
                directory, ["certs": ["web": ["a.example.org"]], "self_signed": true, "check_cname": false])
            let request = try RealProgram.call("acme_request_tokens", options)
            let finalize = try RealProgram.call("acme_finalize", options)
            #expect(try listing(directory + "/victim") == before, "\(plant): \(request.msg); \(finalize.msg)")
            let inside = try listing(directory + "/certs").joined()
            #expect(finalize.failed || inside.contains("/a.example.org.key "), "\(finalize.msg)")
            try look(directory)
            return (request, finalize)
        }
    }

    @Test(arguments: [
        "mkdir certs/a.example.org; ln -s ../../victim/file certs/a.example.org/a.example.org.key",
        "mkdir certs/a.example.org; ln -s ../../victim/file certs/a.example.org/fullchain.cer",
        "mkdir certs/a.example.org; ln -s ../../victim certs/a.example.org/current",
        "mkdir certs/a.example.org; ln -s ../../victim/none certs/a.example.org/ca.cer",
    ])
    func `a link in the place of a file or of the current version is replaced`(plant: String) throws {
        let answers = try install(plant)
        #expect(answers.finalize["updated"] == ["web"], "\(answers)")
    }

    @Test(.enabled(if: geteuid() == 0, "only root gives links to other users"))
    func `a link that another user has put there is not followed, and nothing of what it leads to is kept`() throws {
        let plant = """
            mkdir certs/a.example.org; ln -s ../../victim/file certs/a.example.org/a.example.org.key
            chown -h 65534 certs/a.example.org certs/a.example.org/a.example.org.key
            """
        let answers = try install(plant) { directory in
            let search = try Program.run(["grep", "-r", "precious", directory + "/certs"])
            #expect(search.status == 1, "\(search)")
        }
        #expect(answers.finalize["updated"] == ["web"], "\(answers)")
    }

    @Test(arguments: [
        "ln -s ../victim certs/a.example.org",
        "mkdir certs/a.example.org; ln -s ../../victim certs/a.example.org/versions",
        "rmdir state; ln -s victim state",
        "ln -s ../victim/file state/lock", "ln -s ../victim/none state/lock", "ln -s ../victim state/orders",
        "mkdir -m 700 -p state/orders; ln -s ../../victim state/orders/self-signed",
        "mkdir -m 700 -p state/orders/self-signed; ln -s ../../../victim state/orders/self-signed/a.example.org",
    ])
    func `a link in the place of a directory or a lock is refused, and named`(plant: String) throws {
        let answers = try install(plant)
        let failure = answers.request.failed ? answers.request : answers.finalize
        let path = plant.split(separator: " ").last.map(String.init) ?? ""
        #expect(failure.failed && failure.msg.contains(path), "\(plant): \(answers)")
    }
}
