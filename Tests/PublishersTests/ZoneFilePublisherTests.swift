import DNS
import Foundation
import Names
import Platform
import Publishers
import Synchronization
import TestSupport
import Testing

/// A directory with a zone file in it, and what publishes into it.
private struct Bench {
    let directory: String
    let clock = ManualClock()
    let zone: DNSName

    init(_ directory: String) throws {
        self.directory = directory
        zone = try DNSName("acme.example.org")
    }

    var path: String { directory + "/zone.db" }

    func publisher(
        check: [String] = ["named-checkzone", "{zone}", "{file}"], reload: [String] = ["true"],
        nameServers: [ZoneFileSettings.NameServer]? = nil, clock: (any Platform.Clock)? = nil
    ) throws -> ZoneFilePublisher {
        let settings = ZoneFileSettings(
            path: path, nameServers: try nameServers ?? [.init(name: DNSName("ns.example.org"))],
            checkCommand: try Command(check), reloadCommand: try Command(reload))
        return ZoneFilePublisher(zone: zone, settings: settings, clock: clock ?? self.clock)
    }

    func publish(
        _ values: String..., keep: Int64 = 3600, dryRun: Bool = false, by publisher: ZoneFilePublisher? = nil
    ) throws -> Publication {
        try (publisher ?? self.publisher()).publish(values.map { try record($0) }, keep: keep, dryRun: dryRun)
    }

    func record(_ text: String) throws -> TXTRecord {
        TXTRecord(name: try DNSName("web.acme.example.org"), value: try TXTValue(text))
    }

    func text() throws -> String? {
        try Files.read(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// What is in the directory but lock files.
    func files() throws -> [String] { try Files.list(directory).filter { !$0.hasSuffix(".lock") } }
}

private func withBench(_ body: (Bench) throws -> Void) throws {
    try withTemporaryDirectory { try body(Bench($0)) }
}

@Suite struct `Publishing into a zone file` {
    @Test func `makes a zone that named-checkzone takes, readable for the server`() throws {
        try withBench { bench in
            let publication = try bench.publish("one", "two", "one")
            #expect(publication.changed)
            #expect(publication.added.map(\.value.text) == ["one", "two"])
            #expect(publication.serial == 1_800_000_000)
            #expect(
                try bench.text() == """
                    ; The ACME signing zone acme.example.org. It is written anew at each publication; changes made \
                    here are lost.
                    $ORIGIN acme.example.org.
                    $TTL 60
                    @ IN SOA ns.example.org. hostmaster.acme.example.org. 1800000000 3600 600 864000 60
                    @ IN NS ns.example.org.
                    web.acme.example.org. IN TXT "one" ; written 1800000000
                    web.acme.example.org. IN TXT "two" ; written 1800000000

                    """)
            #expect(try Files.status(bench.path)?.access.mode == 0o644)
            #expect(try bench.files() == ["zone.db"])
        }
    }

    @Test func `touches nothing where everything is there, and runs no command`() throws {
        try withBench { bench in
            _ = try bench.publish("one", "two")
            let before = try bench.text()
            let idle = try bench.publisher(check: ["false"], reload: ["false"])
            bench.clock.pause(seconds: 60)
            let again = try bench.publish("two", "one", by: idle)
            #expect(!again.changed)
            #expect(again.serial == 1_800_000_000)
            #expect(again.kept.map(\.value.text) == ["one", "two"])
            #expect(try bench.text() == before)
            #expect(try !bench.publish(by: idle).changed)
        }
    }

    @Test func `keeps young tokens of others and drops old ones at the next write`() throws {
        try withBench { bench in
            _ = try bench.publish("old")
            bench.clock.pause(seconds: 3000)
            _ = try bench.publish("young")
            bench.clock.pause(seconds: 601)
            let publication = try bench.publish("new")
            #expect(publication.added.map(\.value.text) == ["new"])
            #expect(publication.kept.map(\.value.text) == ["young"])
            #expect(publication.removed.map(\.value.text) == ["old"])
        }
    }

    @Test func `renews a token that is asked for again when it is nearly too old to be kept`() throws {
        try withBench { bench in
            _ = try bench.publish("waiting")
            bench.clock.pause(seconds: 3000)
            let renewal = try bench.publish("waiting")
            #expect(renewal.changed)
            #expect(renewal.added.isEmpty)
            bench.clock.pause(seconds: 3000)
            #expect(try bench.publish("new").kept.map(\.value.text) == ["waiting"])
        }
    }

    @Test func `says in a dry run what would be, and leaves no trace`() throws {
        try withBench { bench in
            let publication = try bench.publish("one", dryRun: true)
            #expect(publication.changed)
            #expect(publication.after.contains("\"one\""))
            #expect(try Files.list(bench.directory).isEmpty)
            _ = try bench.publish("one")
            let before = try bench.text()
            let next = try bench.publish("two", dryRun: true)
            #expect(next.serial == 1_800_000_001)
            #expect(next.before == before)
            #expect(try bench.text() == before)
        }
    }

    @Test func `keeps owner, group and mode of the zone that it replaces, and a link to it`() throws {
        try withBench { bench in
            _ = try bench.publish("one")
            let access = FileAccess(owner: 12, group: 34, mode: 0o640)
            try Files.set(access, on: bench.path)
            try Files.rename(bench.path, to: bench.directory + "/real.db")
            try AtomicFile.link(bench.path, to: "real.db")
            _ = try bench.publish("two")
            #expect(try Files.status(bench.path)?.kind == .link)
            #expect(try Files.status(bench.directory + "/real.db")?.access == access)
        }
    }

    @Test func `refuses a name outside the zone before anything is touched`() throws {
        try withBench { bench in
            let stranger = TXTRecord(name: try DNSName("acme.example.com"), value: try TXTValue("x"))
            let error = try #require(throws: PublishError.self) {
                try bench.publisher().publish([stranger, bench.record("one")], keep: 0, dryRun: false)
            }
            #expect(error.description.hasPrefix("acme.example.com is not inside the zone acme.example.org"))
            #expect(try Files.list(bench.directory).isEmpty)
        }
    }

    @Test func `loses nothing of twenty publishers at a time`() throws {
        try withBench { bench in
            let failures = Mutex<[String]>([])
            DispatchQueue.concurrentPerform(iterations: 20) { number in
                do {
                    _ = try bench.publish("token-\(number)")
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            #expect(failures.withLock { $0 } == [])
            let zone = try PresentZone(Files.read(bench.path) ?? [], zone: bench.zone)
            #expect(Set((0..<20).map { "token-\($0)" }) == Set(zone?.tokens.map(\.record.value.text) ?? []))
            #expect(zone?.serial == 1_800_000_019)
        }
    }
}

@Suite struct `A zone that is not taken` {
    @Test func `by the check leaves the bytes of the old one, and says the checker's words`() throws {
        try withBench { bench in
            _ = try bench.publish("one")
            let before = try bench.text()
            let strict = try bench.publisher(check: ["sh", "-c", "echo too bad; exit 1"], reload: ["false"])
            let error = try #require(throws: PublishError.self) { try bench.publish("two", by: strict) }
            #expect(
                error.description == "the new zone acme.example.org was refused, and \(bench.path) was left as it is: "
                    + "sh -c 'echo too bad; exit 1' ended with status 1: too bad")
            #expect(try bench.text() == before)
            #expect(try bench.files() == ["zone.db"])
        }
    }

    @Test func `by the server is replaced by the old one, which is loaded again`() throws {
        try withBench { bench in
            _ = try bench.publish("one")
            try Files.set(FileAccess(owner: 12, group: 34, mode: 0o640), on: bench.path)
            let before = try bench.text()
            let script = "cp {file} \(bench.directory)/loaded; ! grep -q two {file}"
            let moody = try bench.publisher(reload: ["sh", "-c", script])
            let error = try #require(throws: PublishError.self) { try bench.publish("two", by: moody) }
            #expect(
                error.description.hasPrefix(
                    "the new zone acme.example.org was not loaded, the old one was put back and reloaded: sh -c "))
            #expect(try bench.text() == before)
            #expect(try Files.status(bench.path)?.access == FileAccess(owner: 12, group: 34, mode: 0o640))
            #expect(try Files.read(bench.directory + "/loaded").map { String(decoding: $0, as: UTF8.self) } == before)
            #expect(try bench.files() == ["loaded", "zone.db"])
        }
    }

    @Test func `by the server is removed where there was none before`() throws {
        try withBench { bench in
            let error = try #require(throws: PublishError.self) {
                try bench.publish("one", by: bench.publisher(reload: ["/no/such/rndc", "reload"]))
            }
            #expect(error.description.contains("was removed again: "))
            #expect(error.description.contains("/no/such/rndc"))
            #expect(try bench.files().isEmpty)
        }
    }

    @Test func `because the run before died in between is loaded by the next`() throws {
        try withBench { bench in
            _ = try bench.publish("one")
            try AtomicFile.write([], to: bench.directory + "/.zone.db.reloading", access: .own(mode: 0o600))
            let loading = try bench.publisher(reload: ["touch", bench.directory + "/loaded"])
            #expect(try bench.publish("one", by: loading).changed)
            #expect(try bench.files() == ["loaded", "zone.db"])
            #expect(try !bench.publish("one", by: loading).changed)
        }
    }
}

@Suite struct `A zone made by other means` {
    /// As the configuration management of a real fleet renders it: everything at the apex, serial from a date.
    private static let production = """
        ; managed by hand
        $ORIGIN acme.example.org.
        $TTL 60
        @       IN      SOA     adns1.example.org. hostmaster\\.dns.example.org. (
                                2026112301 ; serial number unixtime
                                1h ; refresh (secondary checks for updates)
                                10m ; retry
                                10d ; expire
                                5m ) ; minimum
        @       IN      NS      ns1.acme.example.org.
                        NS      ns2.example.net.
        ns1     300     IN A    192.0.2.53
        @       IN      TXT     "left from an earlier run"
        www     CNAME   elsewhere

        """

    @Test func `is taken over with its servers, its names in SOA, and a serial that rises`() throws {
        try withBench { bench in
            try AtomicFile.write(Array(Self.production.utf8), to: bench.path, access: .own(mode: 0o600))
            let settings = ZoneFileSettings(
                path: bench.path, checkCommand: try Command(["named-checkzone", "{zone}", "{file}"]),
                reloadCommand: nil)
            let publisher = ZoneFilePublisher(zone: bench.zone, settings: settings, clock: bench.clock)
            let publication = try bench.publish("one", by: publisher)
            #expect(publication.serial == 2_026_112_302)
            #expect(publication.removed.isEmpty)
            #expect(
                publication.warnings == [
                    "\(bench.path) held records that are no tokens of ours and were left out: "
                        + "acme.example.org TXT, www.acme.example.org CNAME"
                ])
            #expect(
                try bench.text()?.split(separator: "\n").dropFirst(3) == [
                    "@ IN SOA adns1.example.org. hostmaster\\.dns.example.org. 2026112302 3600 600 864000 60",
                    "@ IN NS ns1.acme.example.org.", "@ IN NS ns2.example.net.",
                    "ns1.acme.example.org. IN A 192.0.2.53",
                    "web.acme.example.org. IN TXT \"one\" ; written 1800000000",
                ])
        }
    }

    @Test func `that cannot be read is left as it is`() throws {
        try withBench { bench in
            try AtomicFile.write(Array("@ IN SOA a b ( 1 2".utf8), to: bench.path, access: .own(mode: 0o600))
            let error = try #require(throws: PublishError.self) { try bench.publish("one") }
            #expect(
                error.description == "the zone file \(bench.path) cannot be read: line 1: the file ends inside "
                    + "parentheses; it was left as it is")
        }
    }

    @Test func `that is not there needs name servers, with addresses where they lie in it`() throws {
        try withBench { bench in
            let none = ZoneFileSettings(path: bench.path, checkCommand: nil, reloadCommand: nil)
            let lost = ZoneFilePublisher(zone: bench.zone, settings: none, clock: bench.clock)
            let error = try #require(throws: PublishError.self) { try bench.publish("one", by: lost) }
            #expect(error.description.hasPrefix("zone_file.nameservers is needed"))
            let inside = try bench.publisher(nameServers: [.init(name: DNSName("ns.acme.example.org"))])
            let second = try #require(throws: PublishError.self) { try bench.publish("one", by: inside) }
            #expect(second.description.hasPrefix("the name server ns.acme.example.org lies in the zone"))
            #expect(try bench.files().isEmpty)
        }
    }
}

@Suite struct `A zone in a real BIND` {
    @Test func `shows what was published, through rndc`() throws {
        let zone = """
            @ 60 IN SOA ns.example.org. hostmaster 1 3600 600 864000 60
            @ 60 IN NS ns.example.org.

            """
        try NamedServer.run(zones: ["acme.example.org": zone]) { server in
            let settings = ZoneFileSettings(
                path: server.zoneFile("acme.example.org"),
                checkCommand: try Command(["named-checkzone", "{zone}", "{file}"]),
                reloadCommand: try Command(server.rndc("reload", "{zone}")))
            let name = try DNSName("acme.example.org")
            let publisher = ZoneFilePublisher(zone: name, settings: settings, clock: SystemClock())
            let values = (0..<30).map { "token-\($0)-" + String(repeating: "x", count: 40) }
            let records = try values.map { TXTRecord(name: name, value: try TXTValue($0)) }
            let publication = try publisher.publish(records, keep: 3600, dryRun: false)
            #expect(publication.warnings.count == 1)
            let outcome = Visibility(
                zone: name, values: [name: values],
                servers: [AuthoritativeServer(address: try ServerAddress(server.address))]
            ).wait(until: Deadline(seconds: 20, clock: SystemClock()))
            #expect(outcome.error == nil)
        }
    }
}
