import DNS
import Names
import Platform
import TestSupport
import Testing

private let mainZone = """
    $ORIGIN example.org.
    $TTL 60
    @ IN SOA ns1 hostmaster 1 3600 600 864000 60
    @ IN NS ns1
    @ IN NS ns2.example.net.
    ns1 IN A 192.0.2.1
    ns1 IN AAAA 2001:db8::1
    _acme-challenge.good IN CNAME good.acme.example.org.
    _acme-challenge.far IN CNAME step.example.org.
    step IN CNAME far.acme.example.org.
    _acme-challenge.wrong IN CNAME elsewhere.example.net.
    plain IN TXT "hello"

    """

private func deadline(_ seconds: Double = 20) -> Deadline { Deadline(seconds: seconds, clock: SystemClock()) }

private func names(_ texts: String...) throws -> [DNSName] { try texts.map { try DNSName($0) } }

@Suite struct `Looking up against a real server` {
    @Test func `follows every alias to its end, all names at once`() throws {
        try NamedServer.run(zones: ["example.org": mainZone]) { server in
            let resolver = Resolver(servers: [try ServerAddress(server.address)], deadline: deadline())
            let asked = try names(
                "_acme-challenge.good.example.org", "_acme-challenge.far.example.org", "plain.example.org",
                "nothing.example.org")
            let ends = resolver.aliases(of: asked)
            #expect(try ends[asked[0]]?.get().description == "good.acme.example.org")
            #expect(try ends[asked[1]]?.get().description == "far.acme.example.org")
            #expect(try ends[asked[2]]?.get() == asked[2])
            #expect(try ends[asked[3]]?.get() == asked[3])
        }
    }

    @Test func `finds the name servers of a zone and their addresses of both kinds`() throws {
        try NamedServer.run(zones: ["example.org": mainZone]) { server in
            let resolver = Resolver(servers: [try ServerAddress(server.address)], deadline: deadline())
            let servers = try resolver.nameServers(of: DNSName("example.org"))
            #expect(servers == (try names("ns1.example.org", "ns2.example.net")))
            let addresses = resolver.addresses(of: servers)
            let first = try addresses[servers[0]]?.get().map(\.description)
            #expect(first == ["192.0.2.1", "2001:db8::1"])
            let question = Question(servers[1], .a, recursion: true)
            let refusal = DNSError.answered(
                server: try ServerAddress(server.address), question: question, code: .refused)
            #expect(throws: refusal) { try addresses[servers[1]]?.get() }
        }
    }

    @Test func `goes on to the next server where the first is dead, and says so where all are`() throws {
        try NamedServer.run(zones: ["example.org": mainZone]) { server in
            let dead = try ServerAddress("127.0.0.1:\(try FreePorts.forDNS())")
            let name = try DNSName("_acme-challenge.good.example.org")
            let both = Resolver(servers: [dead, try ServerAddress(server.address)], deadline: deadline())
            #expect(try both.aliases(of: [name])[name]?.get().description == "good.acme.example.org")
            let alone = Resolver(servers: [dead], deadline: deadline())
            let error = try #require(throws: DNSError.self) { try alone.aliases(of: [name])[name]?.get() }
            #expect(error.description == "\(dead) could not be asked for TXT of \(name): Connection refused")
        }
    }

    @Test func `asks five hundred names without running out of sockets`() throws {
        try NamedServer.run(zones: ["example.org": mainZone]) { server in
            let resolver = Resolver(servers: [try ServerAddress(server.address)], deadline: deadline(60))
            let many = try (0..<500).map { try DNSName("name\($0).example.org") }
            let ends = resolver.aliases(of: many)
            #expect(try many.allSatisfy { try ends[$0]?.get() == $0 })
        }
    }

    @Test func `speaks IPv6`() throws {
        try NamedServer.run(zones: ["example.org": mainZone]) { server in
            let address = try ServerAddress("[::1]:\(server.port)")
            guard address.isRoutable else { return }
            let name = try DNSName("_acme-challenge.good.example.org")
            let end = Resolver(servers: [address], deadline: deadline()).aliases(of: [name])[name]
            #expect(try end?.get().description == "good.acme.example.org")
        }
    }
}

@Suite struct `The check of the aliases` {
    @Test func `tells a good alias from a missing one, a wrong one, and one that nobody knows of`() throws {
        try NamedServer.run(zones: ["example.org": mainZone]) { server in
            let domain = try DNSName("acme.example.org")
            let address = try ServerAddress(server.address)
            let check = AliasCheck(
                signingDomain: domain, resolver: Resolver(servers: [address], deadline: deadline()))
            let asked = try names(
                "_acme-challenge.good.example.org", "_acme-challenge.www.example.org",
                "_acme-challenge.wrong.example.org", "_acme-challenge.example.com")
            let targets = check.targets(of: asked)
            #expect(try targets[asked[0]]?.get().description == "good.acme.example.org")
            let sentences = asked.dropFirst().map { name in
                if case .failure(let failure) = targets[name] { failure.description } else { "no failure" }
            }
            #expect(
                sentences == [
                    "_acme-challenge.www.example.org is no CNAME into acme.example.org; "
                        + "add, in the zone of www.example.org:  "
                        + "_acme-challenge.www.example.org. IN CNAME www.example.org.acme.example.org.",
                    "_acme-challenge.wrong.example.org leads to elsewhere.example.net, which is not inside "
                        + "acme.example.org; put there instead, in the zone of wrong.example.org:  "
                        + "_acme-challenge.wrong.example.org. IN CNAME wrong.example.org.acme.example.org.",
                    "cannot find out whether _acme-challenge.example.com is a CNAME into acme.example.org: "
                        + "\(address) answered REFUSED when asked for TXT of _acme-challenge.example.com",
                ])
        }
    }

    @Test func `proposes the signing domain itself for a name that is too long for a label below it`() throws {
        let label = String(repeating: "a", count: 63)
        let name = try DNSName("_acme-challenge.\(label).\(label).\(label).example.org")
        let record = AliasCheck.record(
            for: name, into: try DNSName("acme.of.a.very.long.signing.domain.that.goes.on.example.org"))
        #expect(record.hasSuffix("IN CNAME acme.of.a.very.long.signing.domain.that.goes.on.example.org."))
    }
}
