import AnsibleModule
import Platform
import TestSupport
import Testing

/// What a server that is to show `token(1)` at `name` does instead.
@Suite struct `A name server that is at fault` {
    private static let name = "web01.\(zone)"
    private static let isGood: FakeServer.Stream = {
        FakeMessage.answer($0, records: [FakeMessage.text(token(1))])
    }
    /// Flags of an answer that was cut short to fit into a datagram.
    private static let cut: [UInt8] = [0x86, 0]

    /// Publishes at a real BIND, and has the server that is at fault asked whether it shows the value.
    private func publish(
        _ bind: NamedServer, _ fault: FakeServer, seconds: Int
    ) throws -> RealProgram.Answer {
        try bind.publish(
            bind.options(
                [Self.name: token(1)],
                ["servers": [.string(bind.address), .string(fault.address)], "visible_timeout": .integer(seconds)]))
    }

    /// Publishes for a second: the failure says `complaint` of the server, and that it took no longer; the zone has the
    /// value all the same, and the next run, without the server, goes on from there.
    private func expect(
        _ complaint: (String) -> String, reply: @escaping FakeServer.Reply,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        try NamedServer.run(zones: [zone: emptyZone]) { bind in
            let fault = try FakeServer(reply: reply)
            defer { fault.stop() }
            let clock = SystemClock()
            let start = clock.uptime
            let answer = try publish(bind, fault, seconds: 1)
            #expect(clock.uptime - start < 10, sourceLocation: location)
            #expect(answer.failed && answer.changed, sourceLocation: location)
            let sentence = "not every name server shows the published records: " + complaint(fault.address)
            let said = answer.msg.split(separator: " s, ", maxSplits: 1)
            #expect(said.last.map(String.init) == sentence, sourceLocation: location)
            #expect(["after 1", "after 2"].contains(said.first.map(String.init)), sourceLocation: location)
            #expect(answer["visible_on"] == [.string(bind.address)], sourceLocation: location)

            let text = String(decoding: try Files.read(bind.zoneFile(zone)) ?? [], as: UTF8.self)
            #expect(text.contains(token(1)), sourceLocation: location)
            let next = try bind.publish(bind.options([Self.name: token(1)]))
            #expect(!next.failed && next["added"] == [], "\(next.msg)", sourceLocation: location)
            #expect(next["serial"] == answer["serial"], sourceLocation: location)
        }
    }

    @Test func `that answers with garbage is named with what is wrong with it`() throws {
        try expect({
            "\($0) sent an answer that is no whole DNS message when asked for TXT of \(Self.name)"
        }) { query in
            [query[..<2] + (0..<100).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }]
        }
    }

    @Test func `that cuts its answer short is asked over TCP`() throws {
        try NamedServer.run(zones: [zone: emptyZone]) { bind in
            let server = try FakeServer(stream: Self.isGood) { [FakeMessage.answer($0, flags: Self.cut)] }
            defer { server.stop() }
            let answer = try publish(bind, server, seconds: 10)
            #expect(!answer.failed, "\(answer.msg)")
            #expect(answer["visible_on"] == [.string(bind.address), .string(server.address)])
        }
    }

    @Test func `that cuts its answer short and refuses TCP is named with both`() throws {
        try expect({
            "\($0) could not be asked for TXT of \(Self.name): its answer does not fit into UDP, and over TCP: "
                + "Connection refused"
        }) { [FakeMessage.answer($0, flags: Self.cut)] }
    }

    @Test(arguments: [(UInt8(2), "SERVFAIL"), (5, "REFUSED")])
    func `that answers with an error code is named with it`(code: UInt8, word: String) throws {
        try expect({ "\($0) answered \(word) when asked for TXT of \(Self.name)" }) {
            [FakeMessage.answer($0, flags: [0x80, code])]
        }
    }

    @Test func `that knows no such name is named with the value, and the next run has the zone loaded again`() throws {
        try expect({
            "\($0) lacks '\(token(1))' at \(Self.name); the next call has the zone loaded again"
        }) { [FakeMessage.answer($0, flags: [0x84, 3])] }
    }

    @Test func `that is not the zone's own is named as such`() throws {
        try expect({ "\($0) is not authoritative for \(Self.name)" }) { [FakeMessage.answer($0, flags: [0x80, 3])] }
    }

    @Test func `that says nothing at all is named, with what to look at`() throws {
        try expect({ address in
            let port = address.split(separator: ":").last.map(String.init) ?? ""
            return "\(address) did not answer in time when asked for TXT of \(Self.name); look whether a server "
                + "listens at port \(port) of 127.0.0.1 and firewalls let UDP and TCP through from this host, name other servers "
                + "in servers, or give visible_timeout more seconds"
        }) { _ in [] }
    }
}
