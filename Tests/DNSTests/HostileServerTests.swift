import DNS
import Names
import Platform
import TestSupport
import Testing

@Suite struct `A hostile server` {
    private static let name = "a.example.org"
    private static let pointer = FakeMessage.pointer

    private func ask(
        seconds: Double = 10, _ reply: @escaping @Sendable ([UInt8]) -> [[UInt8]]
    ) throws -> Result<DNSName, DNSError>? {
        let server = try FakeServer(reply: reply)
        defer { server.stop() }
        let name = try DNSName(Self.name)
        let deadline = Deadline(seconds: seconds, clock: SystemClock())
        return Resolver(servers: [try ServerAddress(server.address)], deadline: deadline).aliases(of: [name])[name]
    }

    @Test func `is not believed with another id or another question, and its real answer is still taken`() throws {
        let result = try ask { query in
            var otherID = FakeMessage.answer(query, flags: [0x84, 5])
            otherID[0] ^= 0x55
            var otherName = FakeMessage.answer(query, flags: [0x84, 5])
            otherName[13] = UInt8(ascii: "b")
            var noResponse = FakeMessage.answer(query, flags: [0x84, 5])
            noResponse[2] = 0
            return [otherID, otherName, noResponse, [], [1, 2, 3], FakeMessage.answer(query)]
        }
        #expect(try result?.get().description == Self.name)
    }

    @Test func `that sends names leading round in a circle gets an error`() throws {
        let result = try ask { query in
            [FakeMessage.answer(query, records: [FakeMessage.record(type: 5, Self.pointer)])]
        }
        #expect(throws: DNSError.endlessAliases(try DNSName(Self.name))) { try result?.get() }
    }

    @Test(arguments: [
        ("a pointer to itself as owner", [FakeMessage.record(owner: [0xc0, 31], type: 5, pointer)]),
        ("a pointer to itself in its data", [FakeMessage.record(type: 5, [0xc0, 43])]),
        ("a pointer past the end", [FakeMessage.record(type: 5, [0xff, 0xff])]),
        ("an alias without a name", [FakeMessage.record(type: 5, [])]),
        ("an alias of the root", [FakeMessage.record(type: 5, [0])]),
        ("an alias with a name that nobody can have", [FakeMessage.record(type: 5, [2, 0, 0xff, 0])]),
        ("a text that breaks off", [FakeMessage.record(type: 16, [9, 65])]),
        ("an address of three bytes", [FakeMessage.record(type: 1, [1, 2, 3])]),
        ("a serial that breaks off", [FakeMessage.record(type: 6, [0, 0, 1, 2, 3, 4])]),
        ("a label of a reserved kind", [FakeMessage.record(type: 5, [0x80, 1, 0])]),
        ("more data than there is", [Array(FakeMessage.record(type: 16, [3, 65, 65, 65]).dropLast(3))]),
    ])
    func `cannot do harm with`(what: String, records: [[UInt8]]) throws {
        let result = try ask { [FakeMessage.answer($0, records: records)] }
        let error = try #require(throws: DNSError.self) { try result?.get() }
        if case .malformed = error {} else { Issue.record("\(what) gives \(error)") }
    }

    @Test func `that counts more records than it sends gets an error`() throws {
        let result = try ask { query in
            var message = FakeMessage.answer(query)
            message[6] = 0xff
            return [message]
        }
        let error = try #require(throws: DNSError.self) { try result?.get() }
        #expect(error.description.contains("sent an answer that is no whole DNS message when asked for TXT of"))
    }

    @Test func `that sends random bytes after the right id never ends the program`() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<100 {
            let noise = (0..<Int.random(in: 0..<300)).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            let result = try ask(seconds: 0.05) { query in
                [query[..<2] + noise, FakeMessage.answer(query, records: [noise])]
            }
            #expect(result != nil)
        }
    }

    @Test func `that knows no EDNS is asked again without`() throws {
        let result = try ask { query in
            let isExtended = query[11] == 1
            return [isExtended ? query[..<2] + [0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0] : FakeMessage.answer(query)]
        }
        #expect(try result?.get().description == Self.name)
    }

    @Test func `that cuts its answer short and takes no TCP gets an error`() throws {
        let result = try ask { [FakeMessage.answer($0, flags: [0x86, 0])] }
        let error = try #require(throws: DNSError.self) { try result?.get() }
        #expect(error.description.hasSuffix("its answer does not fit into UDP, and over TCP: Connection refused"))
    }

    @Test func `that loses the first question is asked again`() throws {
        let counter = Counter()
        let result = try ask { counter.next() == 1 ? [] : [FakeMessage.answer($0)] }
        #expect(try result?.get().description == Self.name)
        #expect(counter.next() == 3)
    }

    @Test func `that is silent is given up at the deadline`() throws {
        let clock = SystemClock()
        let start = clock.uptime
        let result = try ask(seconds: 0.3) { _ in [] }
        let error = try #require(throws: DNSError.self) { try result?.get() }
        #expect(error.description.contains("did not answer in time when asked for TXT of a.example.org"))
        #expect(clock.uptime - start < 5)
    }
}
