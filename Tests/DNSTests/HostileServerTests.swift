import DNS
import Names
import Platform
import TestSupport
import Testing

@Suite struct `A hostile server` {
    private static let name = "a.example.org"
    /// `a.example.org` as the question has it at offset 12.
    private static let pointer: [UInt8] = [0xc0, 12]

    private func ask(
        seconds: Double = 10, _ reply: @escaping @Sendable ([UInt8]) -> [[UInt8]]
    ) throws -> Result<DNSName, DNSError>? {
        let server = try FakeServer(reply: reply)
        defer { server.stop() }
        let name = try DNSName(Self.name)
        let deadline = Deadline(seconds: seconds, clock: SystemClock())
        return Resolver(servers: [try ServerAddress(server.address)], deadline: deadline).aliases(of: [name])[name]
    }

    /// The answer to a query: its header and question, with these flags and answer records.
    private static func answer(_ query: [UInt8], flags: [UInt8] = [0x84, 0x00], records: [[UInt8]] = []) -> [UInt8] {
        let question = query[12..<(12 + 1 + 1 + 1 + 7 + 1 + 3 + 1 + 4)]
        return query[..<2] + flags + [0, 1, 0, UInt8(records.count), 0, 0, 0, 0] + question + records.joined()
    }

    private static func record(owner: [UInt8] = pointer, type: UInt8, _ data: [UInt8]) -> [UInt8] {
        owner + [0, type, 0, 1, 0, 0, 0, 60, UInt8(data.count >> 8), UInt8(data.count & 0xff)] + data
    }

    @Test func `is not believed with another id or another question, and its real answer is still taken`() throws {
        let result = try ask { query in
            var otherID = Self.answer(query, flags: [0x84, 5])
            otherID[0] ^= 0x55
            var otherName = Self.answer(query, flags: [0x84, 5])
            otherName[13] = UInt8(ascii: "b")
            var noResponse = Self.answer(query, flags: [0x84, 5])
            noResponse[2] = 0
            return [otherID, otherName, noResponse, [], [1, 2, 3], Self.answer(query)]
        }
        #expect(try result?.get().description == Self.name)
    }

    @Test func `that sends names leading round in a circle gets an error`() throws {
        let result = try ask { query in
            [Self.answer(query, records: [Self.record(type: 5, Self.pointer)])]
        }
        #expect(throws: DNSError.endlessAliases(try DNSName(Self.name))) { try result?.get() }
    }

    @Test(arguments: [
        ("a pointer to itself as owner", [record(owner: [0xc0, 31], type: 5, pointer)]),
        ("a pointer to itself in its data", [record(type: 5, [0xc0, 43])]),
        ("a pointer past the end", [record(type: 5, [0xff, 0xff])]),
        ("an alias without a name", [record(type: 5, [])]),
        ("an alias of the root", [record(type: 5, [0])]),
        ("an alias with a name that nobody can have", [record(type: 5, [2, 0, 0xff, 0])]),
        ("a text that breaks off", [record(type: 16, [9, 65])]),
        ("an address of three bytes", [record(type: 1, [1, 2, 3])]),
        ("a label of a reserved kind", [record(type: 5, [0x80, 1, 0])]),
        ("more data than there is", [Array(record(type: 16, [3, 65, 65, 65]).dropLast(3))]),
    ])
    func `cannot do harm with`(what: String, records: [[UInt8]]) throws {
        let result = try ask { [Self.answer($0, records: records)] }
        let error = try #require(throws: DNSError.self) { try result?.get() }
        if case .malformed = error {} else { Issue.record("\(what) gives \(error)") }
    }

    @Test func `that counts more records than it sends gets an error`() throws {
        let result = try ask { query in
            var message = Self.answer(query)
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
                [query[..<2] + noise, Self.answer(query, records: [noise])]
            }
            #expect(result != nil)
        }
    }

    @Test func `that knows no EDNS is asked again without`() throws {
        let result = try ask { query in
            let isExtended = query[11] == 1
            return [isExtended ? query[..<2] + [0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0] : Self.answer(query)]
        }
        #expect(try result?.get().description == Self.name)
    }

    @Test func `that cuts its answer short and takes no TCP gets an error`() throws {
        let result = try ask { [Self.answer($0, flags: [0x86, 0])] }
        let error = try #require(throws: DNSError.self) { try result?.get() }
        #expect(error.description.hasSuffix("Connection refused"))
    }

    @Test func `that loses the first question is asked again`() throws {
        let counter = Counter()
        let result = try ask { counter.next() == 1 ? [] : [Self.answer($0)] }
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
