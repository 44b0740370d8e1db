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

@Suite struct `Publishing by dynamic updates` {
    private func withBIND(_ grant: String = "zonesub TXT", _ body: (UpdateBench) throws -> Void) throws {
        try NamedServer.run(zones: [zone: text], zoneOptions: "update-policy { grant test \(grant); };") { server in
            try body(try UpdateBench(server: server.address, keyFile: server.keyFile))
        }
    }

    @Test func `adds what is wanted, removes what is old of its own, and leaves the rest alone`() throws {
        try withBIND { (bench: UpdateBench) throws in
            #expect(try bench.publish("one", "two; \"quoted\" \\").added.count == 2)
            let again = try bench.publish("one")
            #expect(!again.changed)
            bench.clock.pause(seconds: 3601)
            let third = try bench.publish("three")
            #expect(third.removed.count == 2)
            #expect(try bench.shown() == ["foreign", "three"])
        }
    }

    @Test func `adds again what somebody has taken away`() throws {
        try withBIND { (bench: UpdateBench) throws in
            _ = try bench.publish("one")
            try bench.nsupdate("update delete web.\(zone). TXT\n")
            #expect(try bench.publish("one").changed)
            #expect(try bench.shown() == ["one"])
        }
    }

    @Test func `says the serial after each update, and where nothing was to be done`() throws {
        try withBIND { (bench: UpdateBench) throws in
            let first = try bench.publish("one")
            #expect(first.serial == 8)
            #expect(try bench.publish("one").serial == 8)
            #expect(try bench.publish("two").serial == 9)
            #expect(try bench.publish("three", dryRun: true).serial == 9)
            #expect(first.remedy == nil)
        }
    }

    @Test func `where the server answers no queries, says no serial and publishes again what was not seen`() throws {
        let options = "update-policy { grant test zonesub TXT; }; allow-query { key test; };"
        try NamedServer.run(zones: [zone: text], zoneOptions: options) { (server: NamedServer) throws in
            let bench = try UpdateBench(server: server.address, keyFile: server.keyFile)
            let first = try bench.publish("one")
            #expect(first.changed && first.serial == nil)
            let second = try bench.publish("one")
            #expect(!second.changed && second.serial == nil)
            try bench.publisher.doubt(first.added)
            #expect(try bench.publish("one").added == first.added)
        }
    }

    @Test func `knows nothing of what another host wrote, and so leaves it`() throws {
        try withBIND { (bench: UpdateBench) throws in
            let other = try UpdateBench(server: bench.server, keyFile: bench.keyFile)
            _ = try bench.publish("one")
            other.clock.pause(seconds: 9000)
            _ = try other.publish("two")
            #expect(try bench.shown() == ["foreign", "one", "two"])
        }
    }

    @Test func `takes ten thousand values in several updates`() throws {
        try withBIND { (bench: UpdateBench) throws in
            let records = try (1...10_000).map { number in
                TXTRecord(
                    name: try DNSName("h\(number).\(zone)"), value: try TXTValue(String(repeating: "x", count: 43)))
            }
            let publication = try bench.publisher.publish(records, keep: 3600, dryRun: false)
            #expect(publication.added.count == 10_000)
            #expect(try !bench.publisher.publish(records, keep: 3600, dryRun: false).changed)
        }
    }

    @Test(arguments: [OtherServer.Kind.knot, .powerDNS])
    func `goes through Knot and PowerDNS as through BIND`(kind: OtherServer.Kind) throws {
        try OtherServer.run(kind, zone: zone, text: text) { server in
            let bench = try UpdateBench(server: server.address, keyFile: server.keyFile)
            #expect(try bench.publish("one", "two").added.count == 2)
            #expect(try !bench.publish("two", "one").changed)
            bench.clock.pause(seconds: 3601)
            #expect(try bench.publish("three").removed.count == 2)
            #expect(try bench.shown() == ["foreign", "three"])
        }
    }

    @Test func `has what is old make room for what is new, at a name that is nearly full`() throws {
        try withBIND { (bench: UpdateBench) throws in
            try bench.publish((0..<90).map { "old \($0)" })
            bench.clock.pause(seconds: 3601)
            let publication = try bench.publish((0..<20).map { "new \($0)" })
            #expect(publication.added.count == 20 && publication.removed.count == 90)
            #expect(try bench.shown().count == 21)
        }
    }

    @Test func `adds what is new where the server does not let it remove what is old, and warns`() throws {
        try withBIND("name web.\(zone). TXT") { (bench: UpdateBench) throws in
            let old = TXTRecord(name: try DNSName("old.\(zone)"), value: try TXTValue("old"))
            #expect(throws: PublishError.self) { try bench.publisher.publish([old], keep: 3600, dryRun: false) }
            bench.clock.pause(seconds: 3601)
            let publication = try bench.publish("new")
            #expect(publication.added.count == 1 && publication.removed.isEmpty)
            #expect(publication.warnings.map { $0.contains("REFUSED") } == [true])
            #expect(try bench.shown() == ["foreign", "new"])
        }
    }

    @Test func `says that the server grants nothing, and how to grant it`() throws {
        try withBIND("zonesub A") { (bench: UpdateBench) throws in
            let failure = #expect(throws: PublishError.self) { try bench.publish("one") }
            #expect(failure?.description.contains("REFUSED") == true)
            #expect(failure?.description.contains("update-policy") == true)
            #expect(try bench.shown() == ["foreign"])
        }
    }

    @Test func `says that the server does not know the key`() throws {
        try withBIND { (bench: UpdateBench) throws in
            try withTemporaryDirectory { directory in
                let key = Array("key \"other\" { algorithm hmac-sha256; secret \"c2VjcmV0c2VjcmV0\"; };\n".utf8)
                try AtomicFile.write(key, to: directory + "/key", access: .own(mode: 0o600))
                let stranger = try UpdateBench(server: bench.server, keyFile: directory + "/key")
                let failure = #expect(throws: PublishError.self) { try stranger.publish("one") }
                #expect(
                    failure?.description.contains("does not know the name of the key of") == true,
                    "\(String(describing: failure))")
                #expect(failure?.description.contains("c2VjcmV0") == false)
            }
        }
    }

    @Test func `says that the server is not there`() throws {
        let bench = try UpdateBench(server: "127.0.0.1:\(try FreePorts.forDNS())", keyFile: nil)
        let failure = #expect(throws: PublishError.self) { try bench.publish("one") }
        #expect(failure?.description.contains("nsupdate to 127.0.0.1:") == true)
        #expect(
            failure?.description.contains("; does a name server listen at port") == true,
            "\(String(describing: failure))")
    }

    @Test func `refuses a key that others can read, with the cure`() throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.write([], to: directory + "/key", access: .own(mode: 0o640))
            let failure = #expect(throws: OptionError.self) {
                try UpdateBench(server: "127.0.0.1", keyFile: directory + "/key")
            }
            #expect(failure?.description.contains("chmod 600 \(directory)/key") == true)
        }
    }

    @Test func `touches nothing in a dry run`() throws {
        try withBIND { (bench: UpdateBench) throws in
            #expect(try bench.publish("one", dryRun: true).added.count == 1)
            #expect(try bench.shown() == ["foreign"])
        }
    }
}

/// The provider `rfc2136` with a state and a clock of its own.
private final class UpdateBench {
    let server: String
    let keyFile: String?
    let clock = ManualClock()
    let publisher: RecordPublisher<DynamicUpdateService>
    private let state = "/tmp/acme-modules-update-\(UInt64.random(in: .min ... .max))"

    init(server: String, keyFile: String?) throws {
        self.server = server
        self.keyFile = keyFile
        var options = Options(["server": .string(server), "key_file": .optional(keyFile)], path: "rfc2136")
        let task = PublishingTask(
            zone: try DNSName(zone), statePath: state, deadline: Deadline(seconds: 100_000, clock: clock))
        publisher = try RecordPublisher(&options, for: task)
    }

    deinit { try? Files.remove(state) }

    func publish(_ values: String..., dryRun: Bool = false) throws -> Publication {
        try publish(values, dryRun: dryRun)
    }

    @discardableResult
    func publish(_ values: [String], dryRun: Bool = false) throws -> Publication {
        let name = try DNSName("web.\(zone)")
        let records = try values.map { TXTRecord(name: name, value: try TXTValue($0)) }
        return try publisher.publish(records, keep: 3600, dryRun: dryRun)
    }

    /// The values that the server shows, sorted.
    func shown() throws -> [String] {
        let port = server.split(separator: ":").last.map(String.init) ?? "53"
        let answer = try Program.run(["dig", "@127.0.0.1", "-p", port, "+short", "+tcp", "TXT", "web.\(zone)"])
        return answer.stdout.split(separator: "\n").map { $0.trimmingPrefix("\"").dropLast().description }.sorted()
    }

    func nsupdate(_ lines: String) throws {
        let address = try ServerAddress(server)
        let script = "server \(address.address) \(address.port)\nzone \(zone).\n\(lines)send\n"
        let result = try Program.run(["nsupdate", "-k", keyFile ?? ""], input: Array(script.utf8))
        #expect(result.status == 0, "\(result)")
    }
}
