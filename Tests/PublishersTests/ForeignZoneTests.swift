import DNS
import Foundation
import Names
import Platform
import Publishers
import TestSupport
import Testing

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
        $INCLUDE db.hosts
        $GENERATE 1-9 h$ A 192.0.2.$

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
                        + "$GENERATE 1-9 h$ A 192.0.2.$, $INCLUDE db.hosts, acme.example.org TXT, www.acme.example.org CNAME"
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

    @Test func `that is only included from elsewhere is left as it is`() throws {
        try withBench { bench in
            try AtomicFile.write(Array("$INCLUDE db.hosts\n".utf8), to: bench.path, access: .own(mode: 0o600))
            let error = try #require(throws: PublishError.self) { try bench.publish("one") }
            #expect(error.description.contains("has no SOA record of acme.example.org; it was left as it is"))
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [["mkfifo"], ["mkdir"], ["ln", "-s", "/dev/null"]])
    func `that is no regular file is refused before anything else`(make: [String]) throws {
        try withBench { bench in
            #expect(try Program.run(make + [bench.path]).status == 0)
            for dryRun in [true, false] {
                let error = try #require(throws: PublishError.self) { try bench.publish("one", dryRun: dryRun) }
                #expect(error.description.contains("no regular file"), "\(error)")
            }
            #expect(try bench.files() == ["zone.db"])
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
