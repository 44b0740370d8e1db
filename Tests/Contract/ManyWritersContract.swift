import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

@Suite struct ManyWritersContract {
    /// Starts a publisher and kills it after so many seconds, wherever it is then.
    private func kill(after seconds: Double, _ options: JSONValue) throws {
        try withTemporaryDirectory { directory in
            let file = directory + "/args"
            try AtomicFile.write(Array(options.rendered.utf8), to: file, access: .own(mode: 0o600))
            let program = try RealProgram.path()
            _ = try Program.run(["timeout", "-s", "KILL", "\(seconds)", program, "acme_publish_txt", file])
        }
    }

    @Test func `of twenty publishers, some killed at any moment, the others lose nothing`() throws {
        try NamedServer.run(zones: [zone: emptyZone]) { server in
            let numbers = Array(1...20)
            let answers = try atOnce(numbers) { number -> RealProgram.Answer? in
                let options = server.options(["h\(number).\(zone)": token(number)], ["visible_timeout": 60])
                guard number % 3 == 0 else { return try RealProgram.call("acme_publish_txt", options) }
                try kill(after: .random(in: 0.001...0.5), options)
                return nil
            }
            #expect(answers.compactMap(\.self).count == 14)
            #expect(answers.compactMap(\.self).allSatisfy { !$0.failed }, "\(answers.compactMap { $0?.msg })")
            let check = try Program.run(["named-checkzone", zone, server.zoneFile(zone)])
            #expect(check.status == 0, "\(check)")
            let records = numbers.filter { $0 % 3 != 0 }.map { ("h\($0).\(zone)", token($0)) }
            let all = server.options(Dictionary(uniqueKeysWithValues: records))
            let after = try server.publish(all)
            #expect(after["added"] == [], "\(after.text)")
            #expect(after["visible_on"] == [.string(server.address)])
            let names = try Files.list(Files.parent(of: server.zoneFile(zone)))
            #expect(names.filter { $0.hasPrefix(".new-") } == [])
        }
    }

    @Test func `ten thousand values go in at once, and are all seen`() throws {
        try NamedServer.run(zones: [zone: emptyZone]) { server in
            let records = (1...10_000).map { number -> JSONValue in
                ["target": .string("h\(number % 2_500).\(zone)"), "value": .string(token(number))]
            }
            let answer = try server.publish(server.options(.array(records), ["visible_timeout": 120]))
            #expect(!answer.failed, "\(answer.msg)")
            #expect(answer["added"]?.array?.count == 10_000)
            #expect(answer["visible_on"] == [.string(server.address)])
        }
    }

    @Test func `a name of 253 bytes and a server with an IPv6 address are no trouble`() throws {
        try NamedServer.run(zones: [zone: emptyZone]) { server in
            let label = String(repeating: "l", count: 63)
            let name = ([String(repeating: "l", count: 44), label, label, label].joined(separator: ".") + "." + zone)
            #expect(name.utf8.count == 253)
            let answer = try server.publish(
                server.options([name: token(1)], ["servers": [.string("[::1]:\(server.port)")]]))
            #expect(!answer.failed, "\(answer.msg)")
            #expect(answer["visible_on"] == [.string("[::1]:\(server.port)")])
        }
    }

    @Test func `twenty writers of dynamic updates, some killed, lose nothing, from one host or two`() throws {
        let grant = "update-policy { grant test zonesub TXT; };"
        try NamedServer.run(zones: [zone: emptyZone], zoneOptions: grant) { server in
            let provider: JSONValue = ["server": .string(server.address), "key_file": .string(server.keyFile)]
            try writeAtOnce(at: server.address, provider: ["rfc2136": provider])
        }
    }

    @Test func `twenty writers to Cloud DNS, some killed, lose nothing, from one host or two`() throws {
        try RackspaceServer.run(domains: [zone]) { server in
            try writeAtOnce(at: server.dnsAddress, provider: ["rackspace": server.provider])
        }
    }

    @Test func `twenty writers to Designate, some killed, lose nothing, from one host or two`() throws {
        try DesignateServer.run { server in
            try writeAtOnce(at: server.dnsAddress, provider: ["designate": server.provider])
        }
    }

    /// Twenty publishers of two hosts' states on five names, every fourth killed: each that lives finds its values then
    /// and later, and what the killed ones wanted can be had too.
    private func writeAtOnce(at address: String, provider: [String: JSONValue]) throws {
        try withTemporaryDirectory { directory in
            let calls = (1...20).map { number -> (number: Int, options: JSONValue) in
                let options: [String: JSONValue] = [
                    "zone": .string(zone), "servers": [.string(address)], "visible_timeout": 60,
                    "records": [["target": .string("h\(number % 5).\(zone)"), "value": .string(token(number))]],
                    "state_path": .string("\(directory)/host\(number % 2)"),
                ]
                return (number, .object(options.merging(provider) { $1 }))
            }
            let answers = try atOnce(calls) { call -> RealProgram.Answer? in
                if call.number % 4 != 0 { return try RealProgram.call("acme_publish_txt", call.options) }
                try kill(after: .random(in: 0.001...0.5), call.options)
                return nil
            }
            #expect(answers.compactMap(\.self).count == 15)
            #expect(answers.compactMap(\.self).allSatisfy { !$0.failed }, "\(answers.compactMap { $0?.msg })")
            for call in calls where call.number % 4 != 0 {
                let again = try RealProgram.call("acme_publish_txt", call.options)
                #expect(!again.failed && !again.changed, "\(again.text)")
            }
            for call in calls where call.number % 4 == 0 {
                #expect(try !RealProgram.call("acme_publish_txt", call.options).failed)
            }
        }
    }
}
