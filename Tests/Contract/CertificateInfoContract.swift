import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// OpenSSL's own TLS server, with a certificate as it is on disk when it starts.
private final class TLSServer {
    let port: UInt16
    private let process = Process()

    init(_ cert: String, key: String, chain: String? = nil) throws {
        port = try FreePorts.take(1)[0]
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["openssl", "s_server", "-quiet", "-accept", "127.0.0.1:\(port)", "-cert", cert, "-key", key]
            + (chain.map { ["-cert_chain", $0] } ?? [])
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let deadline = Deadline(seconds: 30, clock: SystemClock())
        while process.isRunning && !FreePorts.isListening(port) && !deadline.hasPassed { deadline.pause(seconds: 0.01) }
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

/// What `acme_certificate_info` says of a host that signs its own certificates.
@Suite struct CertificateInfoContract {
    private static let certs: JSONValue = ["web": ["a.example.org"]]

    private func withHost(_ body: (_ directory: String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            try issue(directory)
            try body(directory)
        }
    }

    private func issue(_ directory: String, _ more: [String: JSONValue] = [:]) throws {
        let options = hermetic(directory, ["certs": Self.certs, "self_signed": true].merging(more) { $1 })
        #expect(try !RealProgram.call("acme_request_tokens", options).failed)
        #expect(try !RealProgram.call("acme_finalize", options).failed)
    }

    private func info(
        _ directory: String, _ more: [String: JSONValue] = [:], at location: SourceLocation = #_sourceLocation
    ) throws -> RealProgram.Answer {
        let options: [String: JSONValue] = [
            "certs": Self.certs, "cert_path": .string(directory + "/certs"), "timeout": 5,
            "state_path": .string(directory + "/state"),
        ]
        let before = try listing(directory)
        let answer = try RealProgram.call(
            "acme_certificate_info", .object(options.merging(more) { $1 }), at: location)
        #expect(!answer.changed, sourceLocation: location)
        #expect(try listing(directory) == before, sourceLocation: location)
        return answer
    }

    private func path(_ directory: String, _ file: String) -> String { "\(directory)/certs/a.example.org/\(file)" }

    private func server(_ directory: String) throws -> TLSServer {
        let file = { path(directory, $0) }
        return try TLSServer(file("a.example.org.cer"), key: file("a.example.org.key"), chain: file("ca.cer"))
    }

    private func shell(_ script: String, in directory: String) throws -> String {
        let result = try Program.run(["sh", "-euc", script], directory: directory)
        try #require(result.status == 0, "\(result)")
        return result.stdout
    }

    @Test func `a certificate is told as openssl tells it, and whether it is due as the request step does`() throws {
        try withHost { directory in
            let answer = try info(directory)
            #expect(!answer.failed && answer["problems"] == [], "\(answer.msg)")
            let told = try #require(answer["certificates"]?.array?.first)
            let printed = try shell(
                "openssl x509 -in \(path(directory, "a.example.org.cer")) -noout -serial -fingerprint -sha256",
                in: directory)
            #expect(printed.contains("serial=\(told["serial"]?.string ?? "none")\n"))
            #expect(printed.contains("=\(told["fingerprint_sha256"]?.string ?? "none")\n"))
            for member in ["wanted", "installed", "key_matches", "chain_healthy", "self_signed"] {
                #expect(told[member] == true, "\(member)")
            }
            #expect(told["due"] == false && told["last_failure"] == JSONValue.null && told["key_type"] == "ec-256")
            let requested = try RealProgram.call(
                "acme_request_tokens", hermetic(directory, ["certs": Self.certs, "self_signed": true]))
            for member in ["reason", "renew_at", "not_after"] {
                #expect([told[member] ?? .null] == requested.all("certificates", member))
            }
            #expect(try info(directory, ["_ansible_check_mode": true])["certificates"] == answer["certificates"])
        }
    }

    @Test func `what is not wanted, other than it is wanted, or missing is told`() throws {
        try withHost { directory in
            let certs: JSONValue = ["api": ["b.example.org"], "web": ["a.example.org", "c.example.org"]]
            let answer = try info(directory, ["certs": certs])
            #expect(answer.all("certificates", "name") == ["api", "web"])
            #expect(answer.all("certificates", "installed") == [false, true])
            #expect(answer.all("certificates", "due") == [true, true])
            #expect(answer.all("certificates", "reason").last == "its names have changed: +c.example.org")
            #expect(answer["problems"] == ["certificate api: there is no certificate yet"])
            let other = try info(directory, ["certs": [:]])
            #expect(other.all("certificates", "name") == ["a.example.org"])
            #expect(other.all("certificates", "wanted") == [false])
            let foreign = try info(directory, ["acme_directory": "https://ca.example.org/directory"])
            #expect(
                foreign.all("certificates", "reason")
                    == ["it is self-signed, and one of https://ca.example.org/directory is wanted"])
        }
    }

    @Test func `a broken certificate is a problem of its own`() throws {
        try withHost { directory in
            let key = path(directory, "a.example.org.key")
            _ = try shell("openssl ecparam -name prime256v1 -genkey -noout -out \(key)", in: directory)
            let answer = try info(directory)
            #expect(!answer.failed)
            #expect(answer.all("certificates", "key_matches") == [false])
            #expect(answer.all("certificates", "installed") == [false])
            #expect(answer.all("certificates", "domains") == [["a.example.org"]])
            #expect(answer.msg.contains("certificate web: \(key) is not the key of"), "\(answer.msg)")
        }
    }

    @Test(
        .enabled(if: geteuid() == 0, "only root gives links to other users"),
        arguments: ["ln -s \"$PWD/secret\" \"$KEY\"; chown -h 65534 \"$KEY\"", "mkfifo \"$KEY\""])
    func `nothing that was planted is opened`(plant: String) throws {
        try withHost { directory in
            let key = path(directory, "a.example.org.key")
            _ = try shell("cp '\(key)' secret; rm '\(key)'; KEY='\(key)'; \(plant)", in: directory)
            let answer = try info(directory)
            #expect(answer.all("certificates", "key_matches") == [JSONValue.null])
            #expect(answer.msg.contains("\(key) is "), "\(answer.msg)")
        }
    }

    @Test func `a failure that the state remembers is told, and a later success ends it`() throws {
        try withHost { directory in
            let place = "state/failures/ca.example.org-000000000000"
            let record = { (last: String) in
                """
                mkdir -p \(place) && chmod -R go= state && cat >\(place)/a.example.org.json <<.
                {"names": ["a.example.org"], "count": 2, "last": "\(last)", "next": "2099-01-02T00:00:00Z",
                 "reason": "too many of them"}
                .
                """
            }
            _ = try shell(record("2099-01-01T00:00:00Z"), in: directory)
            let answer = try info(directory)
            #expect(
                answer.all("certificates", "last_failure") == [
                    [
                        "at": "2099-01-01T00:00:00Z", "count": 2, "error": "too many of them",
                        "next_try": "2099-01-02T00:00:00Z",
                    ]
                ])
            #expect(
                answer["problems"] == [
                    "certificate web: 2 tries in a row failed, on 2099-01-01T00:00:00Z: too many of them"
                ])
            _ = try shell(record("2001-01-01T00:00:00Z"), in: directory)
            #expect(try info(directory).all("certificates", "last_failure") == [JSONValue.null])
        }
    }

    @Test func `what is served is held against what is installed`() throws {
        try withHost { directory in
            _ = try shell(Self.others, in: directory)
            let first = try server(directory)
            _ = try shell("cat certs/a.example.org/ca.cer >old.pem", in: directory)
            try issue(directory, ["force": true])
            _ = try shell("cat old.pem certs/a.example.org/ca.cer >trust.pem", in: directory)
            let second = try server(directory)
            let expired = try TLSServer(directory + "/expired.pem", key: directory + "/key.pem")
            let foreign = try TLSServer(directory + "/foreign.pem", key: directory + "/key.pem")
            let refused = try FreePorts.take(1)[0]
            try FreePorts.withSilentListener { silent in
                let ports = [second, first, expired, foreign].map(\.port) + [refused, silent]
                let endpoints = ports.map { port -> JSONValue in
                    ["host": .string("127.0.0.1:\(port)"), "server_name": "a.example.org"]
                }
                let answer = try info(
                    directory,
                    ["endpoints": .array(endpoints), "ca_path": .string(directory + "/trust.pem"), "timeout": 2])
                #expect(
                    answer.all("endpoints", "state")
                        == ["current", "stale", "expired", "mismatched", "unreachable", "unreachable"],
                    "\(answer.msg)")
                #expect(answer.all("endpoints", "certificate") == .init(repeating: "web", count: 6))
                #expect(answer["problems"]?.array?.count == 5)
                let served = answer.all("endpoints", "fingerprint_sha256")
                #expect(served.first == answer.all("certificates", "fingerprint_sha256").first)
                #expect(served[1] != served[0])
                #expect(answer.msg.contains("is installed: reload the service"), "\(answer.msg)")
            }
            let plain = try info(
                directory,
                ["endpoints": [["host": "127.0.0.1", "port": .integer(Int(second.port)), "certificate": "web"]]])
            #expect(plain.all("endpoints", "state") == ["untrusted"], "\(plain.msg)")
        }
    }

    /// Two certificates that sign themselves: one for the name, which is over, and one for another name.
    private static let others = #"""
        openssl ecparam -name prime256v1 -genkey -noout -out key.pem
        openssl req -x509 -key key.pem -days 9 -subj /CN=x -addext subjectAltName=DNS:b.example.org -out foreign.pem
        openssl req -new -key key.pem -subj /CN=x -addext subjectAltName=DNS:a.example.org -out request
        printf '%s\n' '[ca]' default_ca=own '[own]' database=index new_certs_dir=. default_md=sha256 rand_serial=yes \
            policy=any copy_extensions=copy '[any]' commonName=supplied >configuration
        touch index
        openssl ca -batch -notext -config configuration -selfsign -keyfile key.pem -in request -out expired.pem \
            -startdate 20200101000000Z -enddate 20200201000000Z
        """#

    @Test(
        arguments: [
            (["endpoints": ["a": 1]], "option endpoints must be a list"),
            (["endpoints": [[1]]], "option endpoints.0 must be"),
            (["endpoints": ["a:b:c"]], "option endpoints.0.host must be a name or an address"),
            (["endpoints": ["a.example.org:0"]], "option endpoints.0.host has another port"),
            (["endpoints": ["a.example.org:66000"]], "option endpoints.0.host has another port"),
            (["endpoints": [["host": "a", "protocol": "gopher"]]], "must be one of tls, smtp, imap, pop3, ftp, not"),
            (["endpoints": [["host": "a", "x": 1]]], "option endpoints.0.x is unknown"),
            (["endpoints": [["host": "127.0.0.1:9", "certificate": "wbe"]]], "is 'wbe', which is neither in certs"),
            (["ca_path": "/nowhere/ca.pem"], "option ca_path must name a PEM file"),
            (["certs": ["web": ["localhost"]]], "has only one label"),
        ] as [([String: JSONValue], String)])
    func `an option that cannot be used is refused`(options: [String: JSONValue], problem: String) throws {
        try withTemporaryDirectory { directory in
            let answer = try info(directory, options)
            #expect(answer.failed)
            #expect(answer.msg.contains(problem), "\(answer.msg)")
            ModuleContract.info.expectLists(in: answer)
        }
    }
}
