import DNS
import Foundation
import Names
import Platform
import Publishers
import Synchronization
import TestSupport
import Testing

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

    @Test func `renews in time where tokens are kept for a minute only`() throws {
        try withBench { bench in
            _ = try bench.publish("waiting", keep: 60)
            bench.clock.pause(seconds: 45)
            #expect(try bench.publish("waiting", keep: 60).changed)
            bench.clock.pause(seconds: 45)
            #expect(try bench.publish("new", keep: 60).kept.map(\.value.text) == ["waiting"])
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

    @Test func `keeps what somebody writes into the file while the new one is checked`() throws {
        try withBench { bench in
            _ = try bench.publish("one")
            let line = "hand.acme.example.org. IN TXT \"by hand\" ; written 1800000000"
            let script = "grep -q hand {file} || echo '\(line)' >>\(bench.path)"
            let publication = try bench.publish("two", by: bench.publisher(check: ["sh", "-c", script]))
            #expect(publication.kept.map(\.value.text) == ["by hand", "one"])
            #expect(try bench.text()?.contains(line) == true)
            #expect(try bench.files() == ["zone.db"])
        }
    }

    @Test func `gives up, and writes nothing, where somebody changes the file again and again`() throws {
        try withBench { bench in
            _ = try bench.publish("one")
            let restless = try bench.publisher(check: ["sh", "-c", "echo '; edited' >>\(bench.path)"])
            let error = try #require(throws: PublishError.self) { try bench.publish("two", by: restless) }
            #expect(error.description.contains("somebody else changed \(bench.path) each of the 3 times"))
            #expect(try bench.text()?.contains("two") == false)
        }
    }

    @Test func `writes the zone where an option gives it another text, and only then`() throws {
        try withBench { bench in
            _ = try bench.publish("one")
            let other = try bench.publisher(nameServers: [.init(name: DNSName("ns2.example.org"))])
            #expect(try bench.publish("one", dryRun: true, by: other).changed)
            let publication = try bench.publish("one", by: other)
            #expect(publication.changed && publication.added.isEmpty && publication.serial == 1_800_000_001)
            #expect(try bench.text()?.contains("@ IN NS ns2.example.org.\n") == true)
            #expect(try !bench.publish("one", by: other).changed)
        }
    }

    @Test func `warns of a crowded name at each call`() throws {
        try withBench { bench in
            let records = try (0..<30).map { try bench.record("\($0)" + String(repeating: "x", count: 40)) }
            for _ in 0..<2 {
                let publication = try bench.publisher().publish(records, keep: 3600, dryRun: false)
                #expect(publication.warnings.count == 1)
            }
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
