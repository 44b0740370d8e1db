import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// A host that misbehaves: what it asks to have published is held against the certificates that the inventory gives it.
@Suite struct HostClaimContract {
    private static let main = """
        $ORIGIN example.org.
        $TTL 60
        @ IN SOA ns1.example.org. hostmaster.example.org. 7 3600 600 864000 60
        @ IN NS ns1.example.org.
        ns1 IN A 127.0.0.1
        _acme-challenge.web01 IN CNAME web01.\(zone).
        _acme-challenge.web02 IN CNAME web02.\(zone).

        """

    private func record(_ name: String, at target: String? = nil, _ value: String = token(1)) -> JSONValue {
        [
            "certificate": "web", "domain": .string("\(name).example.org"),
            "record": .string("_acme-challenge.\(name).example.org"),
            "target": .string("\(target ?? name).\(zone)"), "value": .string(value),
        ]
    }

    /// What `web01` says beside an honest `web02`, and what else is known of the two.
    private func publish(
        _ said: JSONValue, _ more: [String: JSONValue] = [:], on server: NamedServer
    ) throws -> RealProgram.Answer {
        let hosts: [String: JSONValue] = [
            "txt_required": ["web01": said, "web02": [record("web02", token(2))]],
            "certs": ["web01": ["web": ["web01.example.org"]], "web02": ["web": ["web02.example.org"]]],
        ]
        let all: [String: JSONValue] = [
            "records": nil, "hosts": .object(hosts.merging(more) { $1 }), "dns_servers": [.string(server.address)],
            "keep": 0,
        ]
        return try server.publish(server.options(.null, all))
    }

    private func withServer(_ body: (NamedServer) throws -> Void) throws {
        try NamedServer.run(zones: [zone: emptyZone, "example.org": Self.main], body)
    }

    @Test func `hosts that ask for what is theirs get it`() throws {
        try withServer { server in
            let answer = try publish([record("web01")], on: server)
            #expect(!answer.failed && answer.changed, "\(answer.msg)")
            #expect(answer.all("added", "value") == [.string(token(1)), .string(token(2))])
            #expect(answer["refused"] == [])
            #expect(answer["warnings"] == [])
        }
    }

    /// With what must be in the sentence.
    private var lies: [(said: JSONValue, words: String)] {
        let pipe = "{{ lookup('pipe', 'touch /tmp/owned') }}"
        let broken: [JSONValue] = [
            record("web01", "x\n$INCLUDE /etc/passwd"), record("web01", "\" ; \(zone). NS evil.example."),
            record("web01", pipe), record("web01", String(repeating: "a", count: 5_000_000)), record("web01", "\u{e9}"),
            ["record": "_acme-challenge.web01.example.org", "target": .string("web01.\(zone)"), "value": 7],
        ]
        let nameless: [JSONValue] = [
            [:], "web01", 5, nil, [], record(pipe), record("web01", at: "$ORIGIN .\n@"), record("web01", at: "a b"),
            record(String(repeating: "b.", count: 1_000_000)),
        ]
        return broken.map {
            ([$0], "web01 asked for was published: its acme_txt_required.0 has a value that is no token")
        }
            + nameless.map {
                ([$0], "web01 asked for was published: its acme_txt_required.0 has no record and target that are names")
            }
            + [
                ("all", "web01 asked for was published: its acme_txt_required is no list"), (["a": 1], "is no list"),
                (true, "is no list"),
                ([record("web02")], "_acme-challenge.web02.example.org belongs to none of the names in its"),
                ([record("web01"), record("web01")], "asks for 2 records, and its certificates have 1 names"),
                ([record("web01", at: "web02")], "leads to web01.\(zone), and it wants a record at web02.\(zone)"),
            ]
    }

    @Test func `a host that lies gets nothing, is named, and stops no other`() throws {
        try withServer { server in
            for (said, words) in lies {
                let answer = try publish(said, on: server)
                #expect(!answer.failed, "\(answer.msg)")
                let sentence = answer.all("refused", "reason").first?.string ?? ""
                #expect(answer.all("refused", "host") == ["web01"], "\(words)")
                #expect(sentence.contains(words), "\(sentence)")
                #expect(sentence.count < 400 && !sentence.contains("{{"), "\(sentence)")
                #expect(answer["visible_on"] == [.string(server.address)])
                let text = String(decoding: try Files.read(server.zoneFile(zone)) ?? [], as: UTF8.self)
                #expect(text.components(separatedBy: " IN TXT ").count == 2, "\(text)")
                #expect(text.contains("web02.\(zone). IN TXT \"\(token(2))\""), "\(text)")
            }
        }
    }

    @Test func `a host that talks into the inventory's variables gets nothing`() throws {
        try withServer { server in
            for more: [String: JSONValue] in [
                ["facts": ["web01": ["os_family", "letsencrypt_certs"], "web02": ["os_family"]]],
                ["certs": ["web02": ["web": ["web02.example.org"]]]],
                ["certs": ["web01": "everything", "web02": ["web": ["web02.example.org"]]]],
            ] {
                let answer = try publish([record("web01")], more, on: server)
                #expect(answer.all("refused", "host") == ["web01"], "\(answer.msg)")
                #expect(answer.all("added", "value").contains(.string(token(1))) == false)
            }
        }
    }

    private func claim(of name: String, at target: String, _ value: String) -> JSONValue {
        [
            "record": .string("_acme-challenge.\(name).example.org"), "target": .string(target),
            "value": .string(value),
        ]
    }

    @Test func `where nobody can tell whose a place is, its host alone gets nothing and is told the way out`() throws {
        try withServer { server in
            // A zone that the server does not have: it answers REFUSED.
            let more: [String: JSONValue] = [
                "certs": ["web01": ["web": ["web01.elsewhere.example"]], "web02": ["web": ["web02.example.org"]]]
            ]
            let said: JSONValue = [
                [
                    "record": "_acme-challenge.web01.elsewhere.example", "target": .string("web02.\(zone)"),
                    "value": .string(token(1)),
                ]
            ]
            let blind = try publish(said, more, on: server)
            #expect(!blind.failed, "\(blind.msg)")
            #expect(blind.all("added", "value") == [.string(token(2))])
            #expect(blind.all("refused", "host") == ["web01"])
            let sentence = blind.all("refused", "reason").first?.string ?? ""
            #expect(sentence.contains("cannot find out whether _acme-challenge.web01.elsewhere.example"), "\(sentence)")
            for way in ["letsencrypt_dns_servers", "letsencrypt_check_cname"] {
                #expect(sentence.contains(way), "\(sentence)")
            }
            let trusted = try publish(said, more.merging(["unchecked": ["web01"]]) { $1 }, on: server)
            #expect(trusted["refused"] == [], "\(trusted.msg)")
            // Though trusted, not where another host's name is seen to lead.
            #expect(trusted.all("added", "value") == [])
        }
    }

    @Test func `hosts that need no CNAME are published, but never where another host's challenge leads`() throws {
        try withServer { server in
            let free = try publish(
                [claim(of: "web01", at: zone, token(1))], ["unchecked": ["web01"]], on: server)
            #expect(free["refused"] == [] && free["added"]?.array?.count == 2, "\(free.msg)")
            #expect(free["warnings"] == [])
            // web02 asks for nothing at the time.
            let theirs = try publish(
                [claim(of: "web01", at: "web02.\(zone)", token(3))],
                [
                    "unchecked": ["web01"],
                    "txt_required": ["web01": [claim(of: "web01", at: "web02.\(zone)", token(3))]],
                ],
                on: server)
            #expect(!theirs.failed && theirs["refused"] == [], "\(theirs.msg)")
            #expect(theirs["added"] == [])
            let warning = theirs["warnings"]?.array?.first?.string ?? ""
            #expect(
                warning.hasPrefix(
                    "a record of web01 was not published: it would be at web02.\(zone), where "
                        + "_acme-challenge.web02.example.org of another host leads"), "\(warning)")
        }
    }

    @Test func `hosts whose challenges lead to one name are published with one warning`() throws {
        let shared = (1...4).map { "_acme-challenge.web0\($0) IN CNAME \(zone)." }.joined(separator: "\n")
        let apex = Self.main.components(separatedBy: "_acme-challenge")[0] + shared + "\n"
        try NamedServer.run(zones: [zone: emptyZone, "example.org": apex]) { server in
            let names = ["web01", "web02", "web03", "web04"]
            func hosts(_ certs: (String) -> JSONValue) -> [String: JSONValue] {
                let said = names.enumerated().map { ($1, JSONValue.array([claim(of: $1, at: zone, token($0 + 1))])) }
                return [
                    "txt_required": .object(Dictionary(uniqueKeysWithValues: said)),
                    "certs": .object(Dictionary(uniqueKeysWithValues: names.map { ($0, certs($0)) })),
                ]
            }
            let apart = try publish([], hosts { ["web": [.string("\($0).example.org")]] }, on: server)
            #expect(apart["added"]?.array?.count == 4 && apart["refused"] == [], "\(apart.msg)")
            #expect(apart["warnings"]?.array?.count == 1)
            let warning = apart["warnings"]?.array?.first?.string ?? ""
            #expect(
                warning.hasPrefix("challenge names of web01, web02, web03 and others all lead to \(zone): "),
                "\(warning)")
            // Each of them may have all of the names anyway.
            let together = try publish(
                [], hosts { _ in ["web": .array(names.map { .string("\($0).example.org") })] }, on: server)
            #expect(together["refused"] == [] && together["warnings"] == [], "\(together.msg)")
        }
    }
}
