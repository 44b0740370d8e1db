import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// Several hosts with one account key and the same names, at a CA that answers a new order with the one that it has, as
/// Let's Encrypt does: the key belongs to the order, so that only one of them can end it.
@Suite struct SharedAccountContract {
    private static let reuse = #"[{"on": "newOrder", "play": "reuse", "times": -1}]"#
    private static let certs = ["web": ["shared.example.org", "*.shared.example.org"]]

    private static let name = "shared.example.org"

    /// Hosts at one server that want the same.
    private func hosts(_ count: Int, _ world: World) throws -> [SharingHost] {
        try world.hosts(Array(repeating: ["certs": .object(Self.certs.mapValues { .strings($0) })], count: count))
    }

    @Test func `five hosts that are handed one order end with a certificate of their own key each, in the same run`()
        throws
    {
        try withHostileServer(.init(authzReuse: 100)) { world, proxy in
            try proxy.play(Self.reuse)
            let hosts = try hosts(5, world)
            let requests = try atOnce(hosts.map(\.options)) { try RealProgram.call("acme_request_tokens", $0) }
            #expect(requests.map(\.failed) == Array(repeating: false, count: 5), "\(requests.map(\.msg))")
            #expect(Set(requests.map { $0["txt_required"] }).count == 1)
            #expect(try proxy.orders() == 1)
            try world.publish(requests, of: Self.name)
            let finals = try atOnce(hosts.map(\.options)) { try RealProgram.call("acme_finalize", $0) }
            #expect(finals.map(\.failed) == Array(repeating: false, count: 5), "\(finals.map(\.msg))")
            #expect(finals.map { $0["updated"] } == Array(repeating: ["web"], count: 5))
            #expect(try serials(hosts, of: Self.name).count == 5)
            #expect(try proxy.orders() == 5)
            #expect(Set(try proxy.requests("newOrder").map(\.kid)).count == 1)
            for (host, options) in hosts { #expect(try !host.request(options).changed) }
        }
    }

    @Test func `a CA that wants new tokens for a new order gives each host its own within a run for each`() throws {
        try withHostileServer { world, proxy in
            try proxy.play(Self.reuse)
            let hosts = try hosts(2, world)
            var winners: [[JSONValue?]] = []
            for _ in 1...2 {
                let requests = try atOnce(hosts.map(\.options)) { try RealProgram.call("acme_request_tokens", $0) }
                #expect(requests.map(\.failed) == [false, false], "\(requests.map(\.msg))")
                try world.publish(requests, of: Self.name)
                let finals = try atOnce(hosts.map(\.options)) { try RealProgram.call("acme_finalize", $0) }
                winners.append(finals.map { $0["updated"] })
                for answer in finals where answer.failed {
                    #expect(answer.msg.contains("another host with this account and these names has ended the order"))
                    #expect(answer.msg.contains("run acme_request_tokens again"))
                }
            }
            #expect(winners.allSatisfy { Set($0) == [["web"], []] }, "\(winners)")
            #expect(try serials(hosts, of: Self.name).count == 2)
            #expect(try proxy.orders() == 2)
        }
    }

    @Test func `an order that another host ended between two runs is found out by the next`() throws {
        try withHostileServer(.init(authzReuse: 100)) { world, proxy in
            try proxy.play(Self.reuse)
            let hosts = try hosts(2, world)
            try world.publish(hosts.map { host, options in try host.request(options) }, of: Self.name)
            for (host, options) in hosts {
                let request = try host.request(options)
                #expect(!request.changed)
                #expect(try host.finalize(options)["updated"] == ["web"])
            }
            #expect(try serials(hosts, of: Self.name).count == 2)
            #expect(try proxy.orders() == 2)
        }
    }

    @Test func `an order that one host gives up stays good for the others`() throws {
        try withHostileServer { world, proxy in
            try proxy.play(Self.reuse)
            let hosts = try hosts(2, world)
            try world.publish(hosts.map { host, options in try host.request(options) }, of: Self.name)
            let source = try #require(hosts[0].options["account_key_src"])
            let others = hosts[0].host.options(["web": ["shared.example.org"]], ["account_key_src": source])
            #expect(try !hosts[0].host.request(others).failed)
            #expect(try proxy.orders() == 2)
            #expect(try hosts[1].host.finalize(hosts[1].options)["updated"] == ["web"])
        }
    }

    @Test func `a CA that hands out an order that has ended, again and again, is given up at once`() throws {
        try withHostileServer(.init(authzReuse: 100)) { world, proxy in
            let hosts = try hosts(2, world)
            try hosts[0].host.issue(hosts[0].options)
            try proxy.play(#"[{"on": "newOrder", "play": "reuse", "even": true, "times": -1}]"#)
            #expect(try hosts[1].host.request(hosts[1].options).all("certificates", "action") == ["finalize"])
            let answer = try hosts[1].host.finalize(hosts[1].options)
            #expect(answer.failed)
            #expect(answer.msg.contains("and the CA hands that order out again"), "\(answer.msg)")
            #expect(try proxy.requests("newOrder").count == 3)
            try proxy.playNothing()
            try hosts[1].host.issue(hosts[1].options)
            #expect(try serials(hosts, of: Self.name).count == 2)
        }
    }

    @Test func `where others are quicker every time, a run ends after ten orders`() throws {
        try withHostileServer(.init(authzReuse: 100)) { world, proxy in
            let hosts = try hosts(2, world)
            try hosts[0].host.issue(hosts[0].options)
            let ended = #"{"type": "urn:ietf:params:acme:error:orderNotReady", "detail": "the order is valid"}"#
            let path = try #require(try proxy.requests("certificate").last?.path)
            try proxy.play(
                """
                [{"on": "finalize", "play": "answer", "status": 403, "json": \(ended), "times": -1},
                {"on": "order", "play": "change", "times": -1,
                 "set": {"status": "valid", "certificate": "{origin}\(path)"}}]
                """)
            _ = try hosts[1].host.request(hosts[1].options)
            let answer = try hosts[1].host.finalize(hosts[1].options)
            #expect(answer.failed)
            #expect(answer.msg.contains("with its own key, 10 times"), "\(answer.msg)")
            #expect(try proxy.orders() == 1 + 10)
            try proxy.playNothing()
            try hosts[1].host.issue(hosts[1].options)
            #expect(try serials(hosts, of: Self.name).count == 2)
        }
    }
}
