import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// What a host does with its certificates without a CA, ended or without room on the disk at each system call that
/// changes a file.
@Suite struct BrokenOffChangesContract {
    enum Change: CaseIterable {
        /// A name more, signed by the host itself.
        case selfSigned
        /// Plain files that another agent left become links, with the first renewal.
        case adoption
        /// The files are as they should be but for who may read them.
        case access
        /// The same certificate in other formats as well.
        case formats

        fileprivate var options: [String: JSONValue] {
            switch self {
            case .selfSigned: ["certs": ["web": ["a.example.org", "b.example.org"]]]
            case .adoption: ["force": true]
            case .access: ["mode": "0600"]
            case .formats: ["formats": ["pem", "combined", "der"]]
            }
        }

        /// What the files of a certificate are after it, beyond those that there always are.
        fileprivate var files: Set<String> {
            self == .formats ? ["a.example.org.pem", "a.example.org.der", "a.example.org.key.der"] : []
        }
    }

    private static let names = ["a.example.org.key", "a.example.org.cer", "ca.cer", "fullchain.cer"]

    @Test(arguments: Change.allCases)
    func `services have one whole certificate whenever a change of it breaks off, and the next run ends it`(
        change: Change
    ) throws {
        try withTemporaryDirectory { directory in
            let (options, once) = try prepare(change, directory)
            let old = try served(directory)
            try restore(directory, once)
            let calls = try SystemCall.trace("acme_finalize", once, replacing: [])
            let changing = calls.filter { $0.changes(directory) }
            // Each plain file becomes a link by itself.
            let switches = isExhaustive || change != .adoption ? [] : changing.filter { $0.name.hasPrefix("rename") }
            for call in changing.chosen + switches {
                for isKilled in isExhaustive ? [true, false] : [true] {
                    try restore(directory, once)
                    if isKilled {
                        #expect(try call.kill("acme_finalize", once), "\(call)")
                    } else {
                        let answer = try call.fail("ENOSPC", "acme_finalize", once)
                        #expect(!answer.failed || answer.msg.contains("No space left"), "\(call): \(answer.msg)")
                    }
                    let isOld = try served(directory) == old
                    if !isOld { try expectWhole(directory, call) }
                    // What was forced and is in place is not forced again.
                    try end(isOld ? once : options, call)
                    try expectDone(change, directory, options, call)
                }
            }
        }
    }

    /// A certificate that is there, and the options of the runs after it: in general, and of the one that breaks off.
    private func prepare(_ change: Change, _ directory: String) throws -> (all: JSONValue, once: JSONValue) {
        let first: [String: JSONValue] = [
            "self_signed": true, "check_cname": false, "certs": ["web": ["a.example.org"]],
        ]
        let options = hermetic(directory, first)
        for module in ["acme_request_tokens", "acme_finalize"] {
            #expect(try !RealProgram.call(module, options).failed)
        }
        if change == .adoption {
            try shell(
                """
                cd certs/a.example.org
                for file in \(Self.names.joined(separator: " ")); do cp -L -p $file plain; mv plain $file; done
                rm -r current versions
                """, directory)
        }
        try shell("mkdir before; cp -a certs state before", directory)
        let once = hermetic(directory, first.merging(change.options) { $1 })
        return (change == .adoption ? options : once, once)
    }

    /// The moment before the run that breaks off.
    private func restore(_ directory: String, _ options: JSONValue) throws {
        try shell("rm -rf certs state; cp -a before/. .", directory)
        #expect(try !RealProgram.call("acme_request_tokens", options).failed)
    }

    private func shell(_ script: String, _ directory: String) throws {
        let result = try Program.run(["sh", "-euc", "cd \"$1\"; " + script, "sh", directory])
        guard result.status == 0 else { throw Unexpected("\(result)") }
    }

    /// The files as a service reads them.
    private func served(_ directory: String) throws -> [[UInt8]?] {
        try Self.names.map { try Files.read("\(directory)/certs/a.example.org/\($0)") }
    }

    private func expectWhole(_ directory: String, _ call: SystemCall) throws {
        let script = """
            cd certs/a.example.org
            openssl verify -partial_chain -CAfile ca.cer a.example.org.cer >/dev/null
            cat a.example.org.cer ca.cer | cmp - fullchain.cer
            test "$(openssl x509 -pubkey -noout -in a.example.org.cer)" = "$(openssl pkey -pubout -in a.example.org.key)"
            """
        let result = try Program.run(["sh", "-euc", "cd \"$1\"; " + script, "sh", directory])
        #expect(result.status == 0, "\(call): \(result)")
    }

    /// The next run.
    private func end(_ options: JSONValue, _ call: SystemCall) throws {
        for module in ["acme_request_tokens", "acme_finalize"] {
            let answer = try RealProgram.call(module, options)
            #expect(!answer.failed, "\(call): \(answer.msg)")
        }
    }

    private func expectDone(_ change: Change, _ directory: String, _ options: JSONValue, _ call: SystemCall) throws {
        try expectWhole(directory, call)
        for module in ["acme_request_tokens", "acme_finalize"] {
            #expect(try !RealProgram.call(module, options).changed, "\(call)")
        }
        let place = directory + "/certs/a.example.org"
        let links = Set(try Files.list(place)).subtracting(["current", "versions", "updated"])
        #expect(links == Set(Self.names).union(change.files), "\(call)")
        let key = try #require(try Files.status(place + "/current/a.example.org.key"))
        #expect(key.access.mode == (change == .access ? 0o600 : 0o640), "\(call)")
        guard try !leftovers(directory).isEmpty else { return }
        // Where nothing is left to do, nobody takes the lock; the next renewal does.
        try end(.object((options.object ?? [:]).merging(["force": true]) { $1 }), call)
        #expect(try leftovers(directory) == [], "\(call)")
    }

    private func leftovers(_ directory: String) throws -> [String] {
        let all = try listing(directory + "/certs") + listing(directory + "/state")
        return all.filter { $0.contains("/.new-") || $0.contains("/order.json ") || $0.contains("/private.key ") }
    }
}
