import AcmeModules
import AnsibleModule
import Platform
import TestSupport
import Testing

private let zone = """
    @ 60 IN SOA ns.example.org. hostmaster 1 3600 600 864000 60
    @ 60 IN NS ns.example.org.

    """
private let token = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"

private func publish(_ options: [String: JSONValue], check: Bool = false) -> ModuleResult {
    PublishTXT.run(Invocation(options: Options(options), checkMode: check))
}

@Suite struct `acme_publish_txt` {
    private static func options(
        _ server: NamedServer, records: JSONValue, more: [String: JSONValue] = [:]
    ) -> [String: JSONValue] {
        let own: [String: JSONValue] = [
            "zone": "acme.example.org", "records": records, "servers": .string(server.address),
            "visible_timeout": "20",
            "zone_file": [
                "path": .string(server.zoneFile("acme.example.org")),
                "reload_command": .strings(server.rndc("reload", "{zone}")),
            ],
        ]
        return own.merging(more) { $1 }
    }

    private static let records: JSONValue = [
        [
            "certificate": "web", "domain": "web.example.org", "record": "_acme-challenge.web.example.org",
            "target": "web.acme.example.org", "value": .string(token),
        ]
    ]

    private static let listed: JSONValue = [["target": "web.acme.example.org", "value": .string(token)]]

    @Test func `publishes, waits, and has nothing to do the second time`() throws {
        try NamedServer.run(zones: ["acme.example.org": zone]) { server in
            let first = publish(Self.options(server, records: Self.records))
            #expect(!first.failed, "\(first.msg)")
            #expect(first.changed)
            #expect(first.fields["added"] == Self.listed)
            #expect(first.fields["visible_on"] == [.string(server.address)])
            let second = publish(Self.options(server, records: Self.records))
            #expect(!second.changed)
            #expect(second.fields["kept"] == Self.listed)
            #expect(second.fields["added"] == [])
            #expect(second.fields["serial"] == first.fields["serial"])
            #expect(second.fields["visible_on"] == [.string(server.address)])
            #expect(second.fields["diff"]?["before"] == first.fields["diff"]?["after"])
        }
    }

    @Test func `predicts in check mode what it then does, and touches nothing`() throws {
        try NamedServer.run(zones: ["acme.example.org": zone]) { server in
            let options = Self.options(server, records: Self.records)
            let predicted = publish(options, check: true)
            #expect(predicted.changed)
            #expect(predicted.fields["visible_on"] == [])
            let path = server.zoneFile("acme.example.org")
            let bytes = try Files.read(path)
            let names = try Files.list(Files.parent(of: path))
            #expect(bytes == Array(zone.utf8))
            #expect(names == ["zone.db"])
            #expect(publish(options).fields["added"] == predicted.fields["added"])
        }
    }

    @Test func `has nothing to do for no records`() throws {
        try NamedServer.run(zones: ["acme.example.org": zone]) { server in
            let result = publish(Self.options(server, records: []))
            #expect(!result.changed && !result.failed)
            let path = server.zoneFile("acme.example.org")
            let names = try Files.list(Files.parent(of: path))
            #expect(names == ["zone.db"])
        }
    }

    @Test func `fails, with what it did, where a server does not show the records`() throws {
        try NamedServer.run(zones: ["acme.example.org": zone]) { server in
            let dead = "127.0.0.1:\(try FreePorts.forDNS())"
            let result = publish(
                Self.options(
                    server, records: Self.records,
                    more: ["servers": .strings([server.address, dead]), "visible_timeout": 1]))
            #expect(result.failed && result.changed)
            #expect(result.msg.contains("\(dead) could not be asked for TXT of web.acme.example.org"))
            #expect(result.fields["visible_on"] == [.string(server.address)])
        }
    }

    @Test func `says how to go on where nobody knows the zone's name servers`() throws {
        try NamedServer.run(zones: ["acme.example.org": zone]) { server in
            let result = publish(
                Self.options(
                    server, records: Self.records, more: ["servers": nil, "dns_servers": .string(server.address)]))
            #expect(result.failed)
            #expect(result.msg.hasPrefix("cannot find an address of the name server ns.example.org: "))
        }
    }

    @Test(
        arguments: [
            (["zone": nil], "option zone is missing"),
            (["records": nil], "option records is missing"),
            (["records": [["target": "a.acme.example.org"]]], "option records.0.value is missing"),
            (["records": [["value": "x"]]], "option records.0.target is missing"),
            (
                ["records": [["target": "a b", "value": "x"]]],
                "option records.0.target cannot be used: 'a b' is not a valid name"
            ),
            (
                ["records": [["target": "a.acme.example.org", "value": "x\ny"]]],
                "option records.0.value cannot be a TXT record of a.acme.example.org: it has a character that is not"
            ),
            (["zone_file": nil], "option zone_file is missing"),
            (["zone_file": ["path": "zone.db"]], "option zone_file.path must be an absolute path"),
            (["zone_file": ["path": "/z", "pth": 1]], "option zone_file.pth is unknown (did you mean path?)"),
            (
                ["zone_file": ["path": "/z", "reload_command": "rndc 'reload"]],
                "option zone_file.reload_command has a ' without its partner"
            ),
            (
                ["zone_file": ["path": "/z", "nameservers": ["ns.acme.example.org": "x"]]],
                "option zone_file.nameservers.ns.acme.example.org holds something else than addresses: 'x'"
            ),
            (["servers": ["10.0.0.999"]], "option servers holds '10.0.0.999', which is neither"),
            (["visible_timeout": "soon"], "option visible_timeout must be a whole number"),
            (["keep": -1], "option keep must be"),
            (["sevrers": "x"], "option sevrers is unknown (did you mean servers?)"),
            (
                ["records": [["target": "a.example.com", "value": "x"]]],
                "a.example.com is not inside the zone acme.example.org"
            ),
        ] as [([String: JSONValue], String)])
    func `refuses what it cannot use, by name`(change: [String: JSONValue], message: String) throws {
        try withTemporaryDirectory { directory in
            let options: [String: JSONValue] = [
                "zone": "acme.example.org", "records": Self.records,
                "zone_file": ["path": .string(directory + "/zone.db")],
            ]
            let result = publish(options.merging(change) { $1 })
            #expect(result.failed && !result.changed)
            #expect(result.msg.hasPrefix(message), "\(result.msg)")
            let names = try Files.list(directory)
            #expect(names.isEmpty)
        }
    }
}
