import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// The whole way at an ACME server of another make, in another language: what passes at both is the protocol, not a
/// habit of one of them.
@Suite(.enabled(if: geteuid() == 0, "port 53 takes root"))
struct SecondAuthorityContract {
    /// A host of its own at the second CA.
    struct Host {
        let server: SecondCA
        let directory: String

        func options(_ certs: [String: [String]], _ more: [String: JSONValue] = [:]) -> JSONValue {
            let own: [String: JSONValue] = [
                "certs": .object(certs.mapValues { .strings($0) }), "acme_directory": .string(server.directoryURL),
                "ca_path": .string(server.caBundle), "terms_agreed": true, "account_email": "ops@example.org",
                "timeout": 60, "remaining_days": 5,
            ]
            return hermetic(directory, own.merging(more) { $1 })
        }

        func request(_ options: JSONValue) throws -> RealProgram.Answer {
            try RealProgram.call("acme_request_tokens", options)
        }

        @discardableResult
        func issue(_ options: JSONValue, at location: SourceLocation = #_sourceLocation) throws -> RealProgram.Answer {
            let requested = try request(options)
            #expect(!requested.failed, "\(requested.msg)", sourceLocation: location)
            let records = (requested["txt_required"]?.array ?? []).map { record in
                (name: record["target"]?.string ?? "", value: record["value"]?.string ?? "")
            }
            try server.addTXT(records)
            let finalized = try RealProgram.call("acme_finalize", options)
            #expect(!finalized.failed, "\(finalized.msg)", sourceLocation: location)
            return finalized
        }

        /// Fails where what is installed for a name does not lead to the CA's root.
        func verify(_ name: String, at location: SourceLocation = #_sourceLocation) throws {
            let files = "\(directory)/certs/\(name)"
            let words = ["openssl", "verify", "-CAfile", server.root, "-untrusted", files + "/ca.cer"]
            let result = try Program.run(words + ["\(files)/\(name).cer"])
            #expect(result.status == 0, "\(result)", sourceLocation: location)
        }
    }

    private func withHost(_ options: SecondCA.Options = .init(), _ body: (Host) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            for place in ["ca", "host"] { try Files.makeDirectory("\(directory)/\(place)", access: .own(mode: 0o700)) }
            let server = try SecondCA(options, directory + "/ca")
            defer { server.stop() }
            try body(Host(server: server, directory: directory + "/host"))
        }
    }

    @Test func `one name, a wildcard with its apex, and ten names, and nothing to do the second time`() throws {
        try withHost { host in
            let certs = [
                "one": ["a.example.org"], "wild": ["b.example.org", "*.b.example.org"],
                "ten": (0..<10).map { "n\($0).example.org" },
            ]
            let options = host.options(certs)
            #expect(try host.issue(options)["updated"] == ["one", "ten", "wild"])
            for name in ["a.example.org", "b.example.org", "n0.example.org"] { try host.verify(name) }
            // Several questions at once it may answer with 500, and is then left alone for an hour.
            let told = try certs.flatMap { key, names in
                try host.request(host.options([key: names])).all("certificates", "reason").map { $0.string ?? "" }
            }
            #expect(told.count == 3)
            #expect(try !host.issue(options).changed)
            #expect(told.allSatisfy { $0.contains("by the CA's suggestion to be renewed on") }, "\(told)")
        }
    }

    @Test func `a certificate is renewed when the CA's renewal information says so`() throws {
        try withHost(.init(renewsAtOnce: true)) { host in
            let options = host.options(["one": ["a.example.org"]])
            let first = try host.issue(options).all("certificates", "serial")
            let requested = try host.request(options)
            let reason = requested.all("certificates", "reason").first?.string ?? ""
            #expect(requested.all("certificates", "action") != ["none"], "\(reason)")
            #expect(reason.contains("suggest"), "\(reason)")
            let renewed = try host.issue(options)
            #expect(renewed["updated"] == ["one"])
            #expect(renewed.all("certificates", "serial") != first)
            #expect(try !host.issue(host.options(["one": ["a.example.org"]], ["use_ari": false])).changed)
        }
    }

    @Test func `a profile that it offers is taken, and another one is an error that lists them`() throws {
        try withHost { host in
            let options = host.options(["one": ["a.example.org"]], ["profile": "tlsserver"])
            #expect(try host.issue(options)["updated"] == ["one"])
            let other = try host.request(host.options(["two": ["b.example.org"]], ["profile": "shortlived"]))
            #expect(other.failed)
            #expect(other.msg.contains("no profile shortlived; it offers classic, tlsserver"), "\(other.msg)")
        }
    }

    @Test func `an account without contacts is refused in the CA's words, and contacts that change are told`() throws {
        try withHost { host in
            let none = try host.request(host.options(["one": ["a.example.org"]], ["account_email": nil]))
            #expect(none.failed)
            #expect(none.msg.contains("Contact information is missing"), "\(none.msg)")
            try host.issue(host.options(["one": ["a.example.org"]]))
            try host.issue(host.options(["two": ["b.example.org"]], ["account_email": "new@example.org"]))
            #expect(try host.server.log().contains("mailto:new@example.org"))
        }
    }

    @Test func `an external account is bound with the right key alone, and said to be wanted`() throws {
        try withHost(.init(wantsCustomers: true)) { host in
            func binding(_ kid: String, _ key: String) -> [String: JSONValue] {
                ["external_account_binding": ["kid": .string(kid), "key": .string(key)]]
            }
            let certs = ["one": ["a.example.org"]]
            let none = try host.request(host.options(certs))
            #expect(none.failed)
            #expect(
                none.msg.contains("set external_account_binding to the kid and key that it gave you"), "\(none.msg)")
            for (kid, key) in [
                (SecondCA.customer, "d3Jvbmcga2V5IG9mIG5vIGN1c3RvbWVy"), ("nobody", SecondCA.customerKey),
            ] {
                let wrong = try host.request(host.options(certs, binding(kid, key)))
                #expect(wrong.failed)
                #expect(wrong.msg.contains("cannot open an account at"), "\(wrong.msg)")
                #expect(!wrong.text.contains(key))
            }
            try host.issue(host.options(certs, binding(SecondCA.customer, SecondCA.customerKey)))
            try host.verify("a.example.org")
        }
    }
}
