import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

@Suite struct PublishContract {
    private func withServer<Result>(_ body: (NamedServer) throws -> Result) throws -> Result {
        try NamedServer.run(zones: [zone: emptyZone], body)
    }

    @Test func `records are visible at the end, and nothing changes the second time`() throws {
        try withServer { server in
            let options = server.options(["web01.\(zone)": token(1), "_acme-challenge.x.\(zone)": token(2)])
            let answer = try server.publish(options)
            #expect(!answer.failed, "\(answer.msg)")
            #expect(answer.changed)
            #expect(Set(answer.all("added", "value")) == [.string(token(1)), .string(token(2))])
            #expect(answer["visible_on"] == [.string(server.address)])
            let serial = try #require(answer["serial"]?.integer)
            #expect(serial > 7)

            let before = try server.files
            let again = try server.publish(options)
            #expect(!again.changed)
            #expect(again["serial"] == .integer(serial))
            #expect(again["added"] == [])
            #expect(again["kept"]?.array?.count == 2)
            #expect(again["visible_on"] == [.string(server.address)])
            #expect(try server.files == before)
        }
    }

    @Test func `tokens of an earlier call stay as long as they are to be kept`() throws {
        try withServer { server in
            _ = try server.publish(server.options(["a.\(zone)": token(1)]))
            let second = try server.publish(server.options(["a.\(zone)": token(2)]))
            #expect(second.all("kept", "value") == [.string(token(1))])
            #expect(second["removed"] == [])
            let third = try server.publish(server.options(["b.\(zone)": token(3)], ["keep": 0]))
            #expect(!third.failed, "\(third.msg)")
            #expect(third.all("added", "value") == [.string(token(3))])
        }
    }

    @Test func `what acme_request_tokens returns is taken as it is`() throws {
        try withServer { server in
            let record: JSONValue = [
                "certificate": "web", "domain": "a.example.org", "record": "_acme-challenge.a.example.org",
                "target": .string("a.\(zone)"), "value": .string(token(1)),
            ]
            let answer = try server.publish(server.options([record]))
            #expect(!answer.failed, "\(answer.msg)")
            #expect(answer["added"] == [["target": .string("a.\(zone)"), "value": .string(token(1))]])
        }
    }

    @Test func `check mode changes nothing and shows the change`() throws {
        try withServer { server in
            let before = try server.files
            let dry: [String: JSONValue] = ["_ansible_check_mode": true, "_ansible_diff": true]
            let answer = try server.publish(server.options(["a.\(zone)": token(1)], dry))
            #expect(answer.changed)
            #expect(!answer.failed)
            #expect(answer["diff"]?["after"]?.string?.contains(token(1)) == true)
            #expect(answer["diff"]?["before"]?.string?.contains(token(1)) == false)
            #expect(try server.files == before)
        }
    }

    @Test(arguments: ["false {zone}", "/nowhere/named-checkzone {zone} {file}", "sh -c 'exit 3'"])
    func `a zone that does not pass its check never goes live`(command: String) throws {
        try withServer { server in
            let before = try Files.read(server.zoneFile(zone))
            let file: JSONValue = [
                "path": .string(server.zoneFile(zone)), "nameservers": ["ns1.example.org"],
                "check_command": .string(command), "reload_command": .strings(server.rndc("reload", "{zone}")),
            ]
            let answer = try server.publish(server.options(["a.\(zone)": token(1)], ["zone_file": file]))
            #expect(answer.failed)
            #expect(!answer.changed)
            #expect(answer.msg.contains(zone))
            #expect(try Files.read(server.zoneFile(zone)) == before)
        }
    }

    @Test func `a zone that cannot be loaded is put back`() throws {
        try withServer { server in
            let before = try Files.read(server.zoneFile(zone))
            let file: JSONValue = [
                "path": .string(server.zoneFile(zone)), "nameservers": ["ns1.example.org"],
                "reload_command": .strings(server.rndc("reload", "other.example.org")),
            ]
            let answer = try server.publish(server.options(["a.\(zone)": token(1)], ["zone_file": file]))
            #expect(answer.failed)
            #expect(answer.msg.contains("the old one was put back"), "\(answer.msg)")
            #expect(try Files.read(server.zoneFile(zone)) == before)
        }
    }

    @Test func `the server that does not show a value is named with the value`() throws {
        try withServer { server in
            let file: JSONValue = [
                "path": .string(server.zoneFile(zone)), "nameservers": ["ns1.example.org"], "reload_command": ["true"],
            ]
            let options = server.options(["a.\(zone)": token(1)], ["zone_file": file, "visible_timeout": 3])
            let answer = try server.publish(options)
            #expect(answer.failed)
            #expect(answer.msg.contains(server.address), "\(answer.msg)")
            #expect(answer.msg.contains(token(1)), "\(answer.msg)")
            #expect(answer["visible_on"] == [])
            // A zone that was written but not seen is loaded again by the next call, however young it is.
            let next = try server.publish(server.options(["a.\(zone)": token(1)]))
            #expect(!next.failed && next.changed, "\(next.msg)")
            #expect(next["added"] == [] && next["serial"] == answer["serial"])
            #expect(try !server.publish(server.options(["a.\(zone)": token(1)])).changed)
        }
    }

    @Test(
        arguments: [
            [["target": "web.example.org", "value": "x"]], [["target": "a..acme.example.org", "value": "x"]],
            [["value": "x"]], [["target": "a.acme.example.org"]],
            [["target": "a.acme.example.org", "value": "a\"\nb"]],
            ["text"],
        ] as [JSONValue])
    func `a record that does not belong into the zone is refused before anything is touched`(records: JSONValue) throws
    {
        try withServer { server in
            let before = try server.files
            let answer = try server.publish(server.options(records))
            #expect(answer.failed)
            #expect(!answer.changed)
            #expect(try server.files == before)
        }
    }

    @Test func `publications at the same time all end visible`() throws {
        try withServer { server in
            let calls = (1...4).map { server.options(["h\($0).\(zone)": token($0)]) }
            let answers = try atOnce(calls) { try RealProgram.call("acme_publish_txt", $0) }
            #expect(answers.map(\.failed) == [false, false, false, false])
            #expect(answers.map(\.changed) == [true, true, true, true])
            let text = String(decoding: try Files.read(server.zoneFile(zone)) ?? [], as: UTF8.self)
            for number in 1...4 { #expect(text.contains(token(number))) }
        }
    }
}

@Suite struct FiveStepsContract {
    /// A real name server holds the zone, and the authority validates against it.
    @Test func `request, publish and finalize, with no word in between`() throws {
        try NamedServer.run(zones: [zone: emptyZone]) { server in
            var pebble = PebbleServer.Options()
            pebble.resolver = server.address
            try withWorld(pebble) { world in
                let options = world.options([
                    "web": ["a.\(zone)", "b.\(zone)"], "wild": ["c.\(zone)", "*.c.\(zone)"],
                ])
                let requested = try world.request(options)
                let tokens = try #require(requested["txt_required"])
                #expect(tokens.array?.count == 4)
                let published = try server.publish(server.options(tokens))
                #expect(!published.failed, "\(published.msg)")
                let finalized = try world.finalize(options)
                #expect(!finalized.failed, "\(finalized.msg)")
                #expect(finalized["updated"] == ["web", "wild"])
                try world.verify("a.\(zone)")
                try world.verify("c.\(zone)")
            }
        }
    }
}
