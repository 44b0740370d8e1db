import DNS
import Names
import Platform
import TestSupport
import Testing

private func zone(_ records: String = "") -> String {
    """
    $ORIGIN acme.example.org.
    $TTL 60
    @ IN SOA ns.example.org. hostmaster 1 3600 600 864000 60
    @ IN NS ns.example.org.
    \(records)

    """
}

private func visibility(
    _ values: [String: [String]], on servers: [String]
) throws -> Visibility {
    let named = try values.map { (try DNSName($0.key), $0.value) }
    return Visibility(
        zone: try DNSName("acme.example.org"), values: Dictionary(uniqueKeysWithValues: named),
        servers: try servers.map { AuthoritativeServer(address: try ServerAddress($0)) })
}

private func deadline(_ seconds: Double) -> Deadline { Deadline(seconds: seconds, clock: ManualClock()) }

@Suite struct `Visibility at real servers` {
    @Test func `is seen at the first look, without any pause`() throws {
        let records = "a IN TXT \"one\"\na IN TXT \"two\" \nb IN CNAME a"
        try NamedServer.run(zones: ["acme.example.org": zone(records)]) { server in
            let values = ["a.acme.example.org": ["one", "two"], "b.acme.example.org": ["two"]]
            let outcome = try visibility(values, on: [server.address]).wait(until: deadline(100))
            #expect(outcome.error == nil)
            #expect(outcome.waited == 0)
            #expect(outcome.visible.map(\.description) == [server.address])
        }
    }

    @Test func `with more values than a datagram holds is seen over TCP`() throws {
        let values = (0..<60).map { "\($0)-" + String(repeating: "x", count: 40) }
        let records = values.map { "a IN TXT \"\($0)\"" }.joined(separator: "\n")
        try NamedServer.run(zones: ["acme.example.org": zone(records)]) { server in
            let outcome = try visibility(["a.acme.example.org": values], on: [server.address])
                .wait(until: deadline(100))
            #expect(outcome.error == nil)
            #expect(outcome.waited == 0)
        }
    }

    @Test func `that comes to nothing names each server with what it lacks`() throws {
        try NamedServer.run(zones: ["acme.example.org": zone("a IN TXT \"one\"")]) { good in
            try NamedServer.run(zones: ["example.com": zone()], options: "allow-query { none; };") { bad in
                let dead = "127.0.0.1:\(try FreePorts.forDNS())"
                let outcome = try visibility(
                    ["a.acme.example.org": ["one", "two"]], on: [good.address, bad.address, dead]
                ).wait(until: deadline(60))
                #expect(outcome.visible.isEmpty)
                #expect(outcome.waited == 60)
                #expect(
                    outcome.error?.description == "after 60 s, not every name server shows the published records: "
                        + "\(good.address) lacks 'two' at a.acme.example.org; "
                        + "\(bad.address) answered REFUSED when asked for TXT of a.acme.example.org; "
                        + "\(dead) could not be asked for TXT of a.acme.example.org: Connection refused")
            }
        }
    }

    @Test func `is seen as soon as the server has loaded it`() throws {
        try NamedServer.run(zones: ["acme.example.org": zone()]) { server in
            let clock = PublishingClock {
                let text = zone("a IN TXT \"late\"").replacing(" 1 3600", with: " 2 3600")
                try AtomicFile.write(
                    Array(text.utf8), to: server.zoneFile("acme.example.org"), access: .own(mode: 0o600))
                _ = try Program.run(server.rndc("reload", "acme.example.org"))
            }
            let outcome = try visibility(["a.acme.example.org": ["late"]], on: [server.address])
                .wait(until: Deadline(seconds: 30, clock: clock))
            #expect(outcome.error == nil)
            #expect(outcome.waited > 0)
        }
    }

    @Test func `at one server is not held up by another that says nothing, however many names there are`() throws {
        let labels = (0..<600).map { "h\($0)" }
        let records = labels.map { "\($0) IN TXT \"one\"" }.joined(separator: "\n")
        try NamedServer.run(zones: ["acme.example.org": zone(records)]) { good in
            let silent = try FakeServer { _ in [] }
            defer { silent.stop() }
            let values = Dictionary(uniqueKeysWithValues: labels.map { ("\($0).acme.example.org", ["one"]) })
            let outcome = try visibility(values, on: [silent.address, good.address])
                .wait(until: Deadline(seconds: 6, clock: SystemClock()))
            #expect(outcome.visible.map(\.description) == [good.address])
            #expect(outcome.lacking.count == 600)
            #expect(outcome.waited < 8)
        }
    }

    @Test func `shortens what it lists`() throws {
        let dead = "127.0.0.1:\(try FreePorts.forDNS())"
        let values = Dictionary(uniqueKeysWithValues: (10..<30).map { ("n\($0).acme.example.org", ["v"]) })
        let outcome = try visibility(values, on: [dead]).wait(until: deadline(1))
        #expect(
            outcome.error?.description == "after 1 s, not every name server shows the published records: \(dead) could "
                + "not be asked for TXT of n10.acme.example.org: Connection refused (and 19 more names)")
    }

    @Test func `says at most one sentence of each server and kind of failure`() throws {
        try NamedServer.run(zones: ["acme.example.org": zone()]) { empty in
            try NamedServer.run(zones: ["example.com": zone()], options: "allow-query { none; };") { bad in
                let values = Dictionary(uniqueKeysWithValues: (10..<30).map { ("n\($0).acme.example.org", ["v"]) })
                let outcome = try visibility(values, on: [empty.address, bad.address]).wait(until: deadline(1))
                #expect(
                    outcome.error?.description == "after 1 s, not every name server shows the published records: "
                        + "\(empty.address) lacks 'v' at n10.acme.example.org, 'v' at n11.acme.example.org, "
                        + "'v' at n12.acme.example.org and values of 17 more names; \(bad.address) answered REFUSED "
                        + "when asked for TXT of n10.acme.example.org (and 19 more names)")
            }
        }
    }

    @Test func `that an alias is in the way of says so, and what to do`() throws {
        let records = "a IN CNAME elsewhere.example.\nb IN CNAME c"
        try NamedServer.run(zones: ["acme.example.org": zone(records)]) { server in
            let values = ["a.acme.example.org": ["one"], "b.acme.example.org": ["two"]]
            let outcome = try visibility(values, on: [server.address]).wait(until: deadline(1))
            let said = outcome.error?.description ?? ""
            #expect(
                said.contains("'one' at a.acme.example.org, which is an alias of elsewhere.example there"), "\(said)")
            #expect(
                said.contains("'two' at b.acme.example.org, which is an alias of c.acme.example.org there"), "\(said)")
            #expect(said.contains("remove that one, or publish at c.acme.example.org"), "\(said)")
        }
    }
}
