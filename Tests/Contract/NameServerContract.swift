import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// Name servers as operators have them, and all that goes wrong with them.
@Suite struct NameServerContract {
    private func file(_ server: NamedServer, _ more: [String: JSONValue]) -> [String: JSONValue] {
        let file: [String: JSONValue] = [
            "path": .string(server.zoneFile(zone)), "nameservers": ["ns1.example.org"],
            "reload_command": .strings(server.rndc("reload", "{zone}")),
        ]
        return ["zone_file": .object(file.merging(more) { $1 })]
    }

    @Test func `a zone that BIND signs is written unsigned and seen signed`() throws {
        let signing = "dnssec-policy default; inline-signing yes;"
        try NamedServer.run(zones: [zone: emptyZone], zoneOptions: signing) { server in
            let options = server.options(["web01.\(zone)": token(1)])
            let answer = try server.publish(options)
            #expect(!answer.failed, "\(answer.msg)")
            let text = String(decoding: try Files.read(server.zoneFile(zone)) ?? [], as: UTF8.self)
            #expect(!text.contains("RRSIG"))
            let shown = try Program.run(
                ["dig", "@127.0.0.1", "-p", "\(server.port)", "+dnssec", "+short", "TXT", "web01.\(zone)"])
            #expect(shown.stdout.contains(token(1)))
            #expect(shown.stdout.contains("TXT 13"), "no signature: \(shown)")
            let again = try server.publish(options)
            #expect(!again.failed && !again.changed, "\(again.msg)")
            let more = try server.publish(server.options(["web01.\(zone)": token(2)]))
            #expect(!more.failed, "\(more.msg)")
        }
    }

    @Test func `more values at a name than BIND takes leave the zone as it was, and the limit is named`() throws {
        try NamedServer.run(zones: [zone: emptyZone]) { server in
            #expect(try !server.publish(server.options(["web01.\(zone)": token(1)])).failed)
            let before = try Files.read(server.zoneFile(zone))
            let records = (1...101).map { number -> JSONValue in
                ["target": .string("web01.\(zone)"), "value": .string(token(number))]
            }
            let answer = try server.publish(server.options(.array(records), ["visible_timeout": 5]))
            #expect(answer.failed)
            #expect(answer.msg.contains("max-records-per-type"), "\(answer.text)")
            #expect(try Files.read(server.zoneFile(zone)) == before)
            #expect(try !server.publish(server.options(["web01.\(zone)": token(1)])).changed)
        }
    }

    @Test(arguments: [OtherServer.Kind.knot, .nsd])
    func `Knot and NSD load a zone file as BIND does, by the commands of the documentation`(
        kind: OtherServer.Kind
    ) throws {
        try OtherServer.run(kind, zone: zone, text: emptyZone) { server in
            let isKnot = kind == .knot
            let knot = server.control(kind, "-b", "zone-reload", "{zone}")
            let check = isKnot ? "kzonecheck -o {zone} {file}" : "nsd-checkzone {zone} {file}"
            let file: JSONValue = [
                "path": .string(server.zoneFile), "nameservers": ["ns1.example.org"], "check_command": .string(check),
                "reload_command": .strings(isKnot ? knot : server.control(kind, "reload", "{zone}")),
            ]
            let base: [String: JSONValue] = [
                "zone": .string(zone), "zone_file": file, "servers": [.string(server.address)], "visible_timeout": 20,
            ]
            for number in 1...2 {
                let record: JSONValue = ["target": .string("web01.\(zone)"), "value": .string(token(number))]
                let options = base.merging(["records": [record]]) { $1 }
                let answer = try RealProgram.call("acme_publish_txt", .object(options))
                #expect(!answer.failed && answer.changed, "\(answer.msg)")
                #expect(answer["visible_on"] == [.string(server.address)])
                let again = try RealProgram.call("acme_publish_txt", .object(options))
                #expect(!again.failed && !again.changed, "\(again.msg)")
            }
        }
    }

    @Test func `values at the zone's apex are seen`() throws {
        try NamedServer.run(zones: [zone: emptyZone]) { server in
            let answer = try server.publish(server.options([zone: token(1)]))
            #expect(!answer.failed, "\(answer.msg)")
            #expect(answer["visible_on"] == [.string(server.address)])
        }
    }

    @Test func `a serial that lies in the future goes up by one`() throws {
        let zoneText = emptyZone.replacingOccurrences(of: " 7 3600", with: " 4000000000 3600")
        try NamedServer.run(zones: [zone: zoneText]) { server in
            let answer = try server.publish(server.options(["web01.\(zone)": token(1)]))
            #expect(!answer.failed, "\(answer.msg)")
            #expect(answer["serial"] == 4_000_000_001)
        }
    }

    @Test func `a secondary that never picks the change up is named, with what it lacks`() throws {
        try NamedServer.run(zones: [zone: emptyZone]) { server in
            try NamedServer.run(zones: [zone: emptyZone]) { secondary in
                let both: JSONValue = [.string(server.address), .string(secondary.address)]
                let answer = try server.publish(
                    server.options(["web01.\(zone)": token(1)], ["servers": both, "visible_timeout": 3]))
                #expect(answer.failed && answer.changed)
                #expect(answer.msg.contains(secondary.address) && answer.msg.contains(token(1)), "\(answer.msg)")
                #expect(answer["visible_on"] == [.string(server.address)])
            }
        }
    }

    @Test func `a server that refuses, fails or is not there is named with its answer`() throws {
        try NamedServer.run(zones: [zone: emptyZone]) { server in
            try NamedServer.run(zones: ["other.example.org": emptyZone, zone: "broken zone"]) { broken in
                try FreePorts.withSilentListener { silent in
                    let faults = [(broken.address, "SERVFAIL"), ("127.0.0.1:\(silent)", "Connection refused")]
                    for (address, word) in faults {
                        let answer = try server.publish(
                            server.options(
                                ["web01.\(zone)": token(1)], ["servers": [.string(address)], "visible_timeout": 3]))
                        #expect(answer.failed)
                        #expect(answer.msg.contains(address) && answer.msg.contains(word), "\(answer.msg)")
                    }
                }
            }
            try NamedServer.run(zones: ["other.example.org": emptyZone]) { stranger in
                let answer = try server.publish(
                    server.options(
                        ["web01.\(zone)": token(1)], ["servers": [.string(stranger.address)], "visible_timeout": 3]))
                #expect(answer.failed)
                #expect(answer.msg.contains("REFUSED"), "\(answer.msg)")
            }
        }
    }

    @Test func `a name server without an address is named`() throws {
        try NamedServer.run(zones: [zone: emptyZone]) { server in
            let answer = try server.publish(
                server.options(
                    ["web01.\(zone)": token(1)],
                    ["servers": nil, "dns_servers": [.string(server.address)], "visible_timeout": 3]))
            #expect(answer.failed)
            #expect(answer.msg.contains("ns1.example.org"), "\(answer.msg)")
        }
    }

    @Test(arguments: ["/nowhere/rndc reload {zone}", "rndc -s 127.0.0.1 -p 9 reload {zone}"])
    func `an rndc that is missing or gets no answer leaves the zone as it was`(command: String) throws {
        try NamedServer.run(zones: [zone: emptyZone]) { server in
            let before = try Files.read(server.zoneFile(zone))
            let answer = try server.publish(
                server.options(["web01.\(zone)": token(1)], file(server, ["reload_command": .string(command)])))
            #expect(answer.failed && !answer.changed)
            #expect(answer.msg.contains("rndc"), "\(answer.msg)")
            #expect(try Files.read(server.zoneFile(zone)) == before)
        }
    }

    @Test func `a file system that takes no more leaves the zone as it was`() throws {
        try NamedServer.run(zones: [zone: emptyZone]) { server in
            let before = try server.files
            let records = (1...200).map { ("h\($0).\(zone)", token($0)) }
            let options = server.options(Dictionary(uniqueKeysWithValues: records))
            let limited = ["sh", "-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "sh", try RealProgram.path()]
            let answer = try RealProgram.run(limited + ["acme_publish_txt"], text: options.rendered)
            #expect(answer.failed && !answer.changed)
            #expect(answer.msg.contains(zone), "\(answer.msg)")
            #expect(try server.files == before)
        }
    }

    @Test func `a directory that takes no files is named`() throws {
        try NamedServer.run(zones: [zone: emptyZone]) { server in
            let answer = try server.publish(
                server.options(["web01.\(zone)": token(1)], file(server, ["path": "/sys/kernel/zone.db"])))
            #expect(answer.failed && !answer.changed)
            #expect(answer.msg.contains("/sys/kernel"), "\(answer.msg)")
        }
    }

    @Test func `a value behind an alias in the signing zone is found`() throws {
        let aliased = emptyZone + "a IN CNAME b\nb IN CNAME c\nc IN TXT \"\(token(1))\"\n"
        try NamedServer.run(zones: [zone: aliased]) { server in
            try withTemporaryDirectory { directory in
                let elsewhere = file(server, ["path": .string(directory + "/zone.db"), "reload_command": "true"])
                let answer = try server.publish(
                    server.options(["a.\(zone)": token(1)], elsewhere.merging(["visible_timeout": 3]) { $1 }))
                #expect(!answer.failed, "\(answer.msg)")
                #expect(answer["visible_on"] == [.string(server.address)])
            }
        }
    }
}
