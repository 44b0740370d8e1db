import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// CAA records before an order: a real ACME server, and a real name server for the names' zones. Pebble 2.4 does not say
/// how CAA records name it, so that its own directory, with that in it, comes from a web server beside it.
@Suite struct CAAContract {
    private static let identity = "pebble.test"

    /// Runs `body` with options for a certificate of `a.site.test`, whose zone has these records.
    private func withCAA(
        _ records: String, zones: [String] = ["test"],
        _ body: (World, (_ more: [String: JSONValue]) -> JSONValue) throws -> Void
    ) throws {
        let zone =
            "$TTL 60\n@ IN SOA ns1 hostmaster 1 3600 600 864000 60\n@ IN NS ns1\nns1 IN A 192.0.2.1\n\(records)\n"
        try withWorld { world in
            let directory = try Program.run([
                "curl", "-sSf", "--cacert", world.server.caBundle, world.server.directoryURL,
            ])
            var members = try #require(JSONValue.parse(directory.output)?.object)
            #expect(members["meta"]?["caaIdentities"] == nil)
            let meta = try #require(members["meta"]?.object)
            members["meta"] = .object(meta.merging(["caaIdentities": [.string(Self.identity)]]) { $1 })
            let head = "HTTP/1.0 200 ok\r\nContent-Type: application/json\r\n\r\n"
            let files = try FileServer(["dir": Array((head + JSONValue.object(members).rendered).utf8)])
            let trusted = world.directory + "/trusted.pem"
            let bundle = try [files.certificate, world.server.caBundle].flatMap { try Files.read($0) ?? [] }
            try AtomicFile.write(bundle, to: trusted, access: .own(mode: 0o600))
            try NamedServer.run(zones: Dictionary(uniqueKeysWithValues: zones.map { ($0, zone) })) { server in
                try body(world) { more in
                    let own: [String: JSONValue] = [
                        "acme_directory": .string(files.url + "dir"), "ca_path": .string(trusted),
                        "dns_servers": [.string(server.address)],
                    ]
                    return world.options(["web": ["a.site.test"]], own.merging(more) { $1 })
                }
            }
            withExtendedLifetime(files) {}
        }
    }

    @Test func `a record that forbids the authority is an error with the record to add, and nothing is ordered`() throws
    {
        try withCAA(#"site IN CAA 0 issue "other.example""#) { world, options in
            let answer = try world.request(options([:]))
            #expect(answer.failed && !answer.changed)
            #expect(answer.msg.contains(#"site.test. IN CAA 0 issue "other.example""#), "\(answer.msg)")
            #expect(answer.msg.contains(#"site.test. IN CAA 0 issue "pebble.test""#), "\(answer.msg)")
            #expect(answer.all("certificates", "action") == ["failed"])
            #expect(try !world.server.log().contains("POST"))
            // The directory is kept, so that check mode knows it as well, without asking.
            let dry = try world.request(
                options(["_ansible_check_mode": true, "acme_directory": options([:])["acme_directory"] ?? .null]))
            #expect(dry.msg == answer.msg)
            #expect(try world.request(options(["check_caa": false])).all("certificates", "action") == ["authorize"])
            #expect(try world.orders() == 1)
        }
    }

    @Test func `a record that permits it lets the order be made`() throws {
        try withCAA(#"site IN CAA 0 issue "pebble.test; validationmethods=dns-01""#) { world, options in
            let answer = try world.issue(options([:]))
            #expect(answer["updated"] == ["web"])
        }
    }

    @Test func `the look costs no request: the directory is asked for once, by both modules together`() throws {
        try withWorld { world in
            try world.issue(world.options(["web": ["a.example.org"]]))
            #expect(try world.server.log().components(separatedBy: "GET /dir").count - 1 == 1)
        }
    }

    @Test func `another account's record is found out when the account is known, and nothing is ordered`() throws {
        let record = #"site IN CAA 0 issue "pebble.test; accounturi=https://pebble.test/acct/1""#
        try withCAA(record) { world, options in
            let first = try world.request(options([:]))
            #expect(first.failed && first.changed)
            #expect(first.msg.contains("permits another account than ours, https://"), "\(first.msg)")
            let second = try world.request(options([:]))
            #expect(second.failed && !second.changed)
            #expect(second.msg == first.msg)
            #expect(try world.orders() == 0)
        }
    }

    @Test func `records that cannot be looked up are a warning, and the order is made`() throws {
        try withCAA("", zones: ["site.test"]) { world, options in
            let answer = try world.request(options([:]))
            #expect(!answer.failed, "\(answer.msg)")
            let warnings = try #require(answer["warnings"]?.array)
            #expect(warnings.count == 1)
            #expect(warnings.first?.string?.contains("answered REFUSED when asked for CAA of test") == true)
            #expect(try world.orders() == 1)
        }
    }
}
