import AnsibleModule
import DNS
import Names
import Platform
import TestSupport
import Testing

@testable import Publishers

private let zone = "acme.example.org"
private let text = """
    $ORIGIN \(zone).
    $TTL 60
    @ IN SOA ns1.example.org. hostmaster.example.org. 7 3600 600 864000 60
    @ IN NS ns1.example.org.
    web IN TXT "foreign"

    """

@Suite struct `Dynamic updates that go wrong` {
    private let grant = "update-policy { grant test zonesub TXT; };"

    private func withBIND(_ zoneOptions: String? = nil, _ body: (NamedServer) throws -> Void) throws {
        try NamedServer.run(zones: [zone: text], zoneOptions: zoneOptions ?? grant) { try body($0) }
    }

    /// The publisher of a state directory, which it makes.
    private func publisher(
        _ state: String, server: String, keyFile: String?, zone: String = zone, seconds: Double = 60
    ) throws -> RecordPublisher<DynamicUpdateService> {
        var options = Options(["server": .string(server), "key_file": .optional(keyFile)], path: "rfc2136")
        let deadline = Deadline(seconds: seconds, clock: SystemClock())
        let task = PublishingTask(zone: try DNSName(zone), statePath: state + "/state", deadline: deadline)
        return try RecordPublisher(&options, for: task)
    }

    private func record(_ name: String, value: String = "one") throws -> TXTRecord {
        TXTRecord(name: try DNSName("\(name).\(zone)"), value: try TXTValue(value))
    }

    private func key(_ content: String, in directory: String) throws -> String {
        try AtomicFile.write(Array(content.utf8), to: directory + "/tsig", access: .own(mode: 0o600))
        return directory + "/tsig"
    }

    /// What a publisher says that fails.
    private func failure(
        _ publisher: RecordPublisher<DynamicUpdateService>, name: String = "web.\(zone)"
    ) throws -> String {
        let record = TXTRecord(name: try DNSName(name), value: try TXTValue("one"))
        let error = #expect(throws: PublishError.self) { try publisher.publish([record], keep: 3600, dryRun: false) }
        return error?.description ?? ""
    }

    @Test(arguments: [
        "this is no key: c2VjcmV0c2VjcmV0\n", "c2VjcmV0c2VjcmV0\n", "",
        "key \"test\" { algorithm hmac-sha256; secret \"not base 64 c2VjcmV0c2VjcmV0\"; };\n",
        "key \"test\" { algorithm hmac-none; secret \"c2VjcmV0c2VjcmV0\"; };\n",
    ])
    func `sends nothing with an unusable key, and tells nothing of what is in its file`(content: String) throws {
        // Unsigned updates would be taken.
        try withBIND("allow-update { any; };") { (server: NamedServer) throws in
            try withTemporaryDirectory { directory in
                let own = try publisher(directory, server: server.address, keyFile: try key(content, in: directory))
                let said = try failure(own)
                #expect(said.contains("no usable TSIG key in \(directory)/tsig"), "\(said)")
                #expect(!said.contains("c2VjcmV0"), "\(said)")
                #expect(try own.service.held(among: [record("web")]) == [])
            }
        }
    }

    @Test func `says that the server has another secret under the key's name`() throws {
        try withBIND { (server: NamedServer) throws in
            try withTemporaryDirectory { directory in
                let content = "key \"test\" { algorithm hmac-sha256; secret \"c2VjcmV0c2VjcmV0\"; };\n"
                let own = try publisher(directory, server: server.address, keyFile: try key(content, in: directory))
                let said = try failure(own)
                #expect(said.contains("BADSIG") && said.contains("another secret"), "\(said)")
                #expect(!said.contains("c2VjcmV0"))
            }
        }
    }

    @Test func `says that a key file is not there`() throws {
        try withTemporaryDirectory { directory in
            let error = #expect(throws: OptionError.self) {
                try publisher(directory, server: "127.0.0.1", keyFile: directory + "/none")
            }
            #expect(error?.description.contains("\(directory)/none, which is not there") == true)
        }
    }

    @Test func `says that the server has no such zone`() throws {
        try withBIND { (server: NamedServer) throws in
            try withTemporaryDirectory { directory in
                let own = try publisher(
                    directory, server: server.address, keyFile: server.keyFile, zone: "other.example")
                let said = try failure(own, name: "web.other.example")
                #expect(said.contains("NOTAUTH") && said.contains("primary server of other.example"), "\(said)")
            }
        }
    }

    @Test func `waits for a silent server no longer than the task may take`() throws {
        try withBIND { (server: NamedServer) throws in
            try withTemporaryDirectory { directory in
                server.pause()
                defer { server.resume() }
                let clock = SystemClock()
                let start = clock.uptime
                let own = try publisher(directory, server: server.address, keyFile: server.keyFile, seconds: 3)
                #expect(try failure(own).contains(server.address))
                #expect(clock.uptime - start < 10)
            }
        }
    }

    @Test func `says what BIND's limit is where one name has too many values`() throws {
        try withBIND { (server: NamedServer) throws in
            try withTemporaryDirectory { directory in
                let own = try publisher(directory, server: server.address, keyFile: server.keyFile)
                let records = try (0..<200).map { try record("web", value: "value \($0)") }
                let error = #expect(throws: PublishError.self) {
                    try own.publish(records, keep: 3600, dryRun: false)
                }
                #expect(error?.description.contains("max-records-per-type") == true, "\(String(describing: error))")
            }
        }
    }

    @Test func `reaches a server by IPv6, with many long values at a name of 253 bytes`() throws {
        try withBIND { (server: NamedServer) throws in
            try withTemporaryDirectory { directory in
                let label = String(repeating: "l", count: 63)
                let name = [String(repeating: "l", count: 44), label, label, label].joined(separator: ".")
                #expect("\(name).\(zone)".utf8.count == 253)
                let own = try publisher(directory, server: "[::1]:\(server.port)", keyFile: server.keyFile)
                let long = String(repeating: "v", count: 252)
                let records = try (0..<90).map { try record(name, value: "\($0)\(long)") }
                #expect(try own.publish(records, keep: 3600, dryRun: false).added.count == 90)
                #expect(try !own.publish(records, keep: 3600, dryRun: false).changed)
            }
        }
    }

    @Test func `completes what was cut off between two updates`() throws {
        try withBIND("update-policy { grant test wildcard *.a.\(zone). TXT; };") { (server: NamedServer) throws in
            try withTemporaryDirectory { directory in
                let own = try publisher(directory, server: server.address, keyFile: server.keyFile)
                let value = String(repeating: "v", count: 200)
                let granted = try (0..<400).map { try record("h\($0).a", value: value) }
                #expect(throws: PublishError.self) {
                    try own.publish(granted + [try record("z.z")], keep: 3600, dryRun: false)
                }
                let before = own.service.held(among: granted)?.count ?? 0
                #expect((1..<400).contains(before))
                #expect(try own.publish(granted, keep: 3600, dryRun: false).added.count == 400 - before)
                #expect(own.service.held(among: granted)?.count == 400)
            }
        }
    }
}
