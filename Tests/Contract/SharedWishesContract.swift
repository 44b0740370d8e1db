import AnsibleModule
import TestSupport
import Testing

/// Hosts with one account and the same names that wish for different things, or that no proxy keeps apart.
@Suite struct SharedWishesContract {
    private static let name = "s.test"
    private static let certs: JSONValue = ["web": .strings([name])]
    private static let reuse = #"{"on": "newOrder", "play": "reuse", "times": -1}"#
    private static let profiles = #"""
        {"on": "directory", "play": "change", "times": -1,
         "set": {"meta.profiles": {"classic": "90 days", "shortlived": "six days"}}}
        """#

    private func wish(_ keyType: String, _ profile: String) -> [String: JSONValue] {
        ["certs": Self.certs, "key_type": .string(keyType), "profile": .string(profile)]
    }

    @Test func `each host has the kind of key and the profile that it wants, in the same run`() throws {
        try withHostileServer(.init(authzReuse: 100)) { world, proxy in
            try proxy.play("[\(Self.profiles), \(Self.reuse)]")
            let kinds = ["ec-256", "rsa-2048", "ec-384"]
            let hosts = try world.hosts([
                wish(kinds[0], "classic"), wish(kinds[1], "classic"), wish(kinds[2], "shortlived"),
            ])
            let finals = try issueAtOnce(hosts, of: Self.name, in: world)
            #expect(finals.map { $0["updated"] } == Array(repeating: ["web"], count: 3))
            #expect(try serials(hosts, of: Self.name).count == 3)
            for (kind, (host, options)) in zip(kinds, hosts) {
                let key = host.path(Self.name, Self.name + ".key")
                let said = try Program.run(["openssl", "pkey", "-noout", "-text", "-in", key]).stdout
                #expect(said.contains("(\(kind.split(separator: "-")[1]) bit"), "\(said.prefix(80))")
                #expect(try !host.request(options).changed)
            }
            // The first two collide on one order, and the third has one of its own.
            #expect(try proxy.orders() == 3)
            let ordered = try proxy.requests("newOrder").compactMap(\.payload.profile)
            #expect(ordered.filter { $0 == "shortlived" }.count == 1)
            #expect(ordered.filter { $0 == "classic" }.count == 3)
        }
    }

    @Test func `an order for another profile is not taken for ours`() throws {
        try withHostileServer { world, proxy in
            let other = #"{"on": "newOrder", "play": "change", "set": {"profile": "classic"}}"#
            try proxy.play("[\(Self.profiles), \(other)]")
            let options = world.options([:], wish("ec-256", "shortlived"))
            let answer = try world.request(options)
            #expect(answer.failed)
            #expect(answer.msg.contains("order is for the profile classic instead of shortlived"), "\(answer.msg)")
            try proxy.play("[\(Self.profiles)]")
            #expect(try world.issue(options)["updated"] == ["web"])
        }
    }

    @Test func `four hosts at once open one account and get a certificate each, from a CA that nothing stands before`()
        throws
    {
        try withWorld(.init(nonceReject: 30, authzReuse: 50)) { world in
            // An answer with more values, or with a longer name, is longer than Pebble takes.
            let hosts = try world.hosts(Array(repeating: ["certs": Self.certs], count: 4))
            let finals = try issueAtOnce(hosts, of: Self.name, in: world)
            #expect(finals.map { $0["updated"] } == Array(repeating: ["web"], count: 4))
            #expect(try serials(hosts, of: Self.name).count == 4)
            #expect(try world.accounts() == 1)
        }
    }
}
