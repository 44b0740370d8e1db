import DNS
import Testing

@Suite struct `A server's address` {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("192.0.2.1:5353", "192.0.2.1:5353"), ("2001:DB8:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"), ("[2001:db8::1]:53", "2001:db8::1"),
        ("[2001:db8::1]:5353", "[2001:db8::1]:5353"), ("192.0.2.1:53", "192.0.2.1"), ("fe80::1%lo", "fe80::1%lo"),
    ])
    func `is read with and without a port`(text: String, description: String) throws {
        #expect(try ServerAddress(text).description == description)
    }

    @Test(arguments: [
        "", "ns.example.org", "192.0.2", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:+5", "[192.0.2.1]",
        "[2001:db8::1", "[2001:db8::1]53", "2001:db8::g", "192.0.2.1\0", "192.0.2.1%lo", " 192.0.2.1",
    ])
    func `that is none is refused`(text: String) {
        #expect(throws: InvalidServerAddress.self) { try ServerAddress(text) }
    }

    @Test func `of this machine's resolvers is numeric`() {
        #expect(ServerAddress.system().allSatisfy { (try? ServerAddress($0.description)) != nil })
    }
}
