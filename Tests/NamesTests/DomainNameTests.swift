import Names
import Testing

@Suite struct DomainNameTests {
    @Test func `a name is lower case without its trailing dot`() throws {
        #expect(try DomainName("WWW.Example.ORG.").description == "www.example.org")
    }

    @Test func `a wildcard keeps its star and knows its base`() throws {
        let name = try DomainName("*.example.org")
        #expect(name.isWildcard)
        #expect(name.base == (try DNSName("example.org")))
        #expect(try name.challengeName().description == "_acme-challenge.example.org")
        #expect(name.fileName == "_.example.org")
    }

    @Test(arguments: [
        "", ".", "localhost", "a..b", "-a.org", "a-.org", "a_b.org", "192.0.2.1", "*.*.org", "x.*.org", "\u{2028}.org",
        "\u{ff0f}.org", "a\u{0}ä.org",
        "a b.org", "a.org/", String(repeating: "a", count: 64) + ".org", String(repeating: "ab.", count: 84) + "org",
    ]) func `refuses what is no host name`(text: String) {
        #expect(throws: InvalidName.self) { try DomainName(text) }
    }

    @Test func `a wildcard covers exactly one label`() throws {
        let wildcard = try DomainName("*.example.org")
        #expect(wildcard.covers(try DomainName("a.example.org")))
        #expect(!wildcard.covers(try DomainName("a.b.example.org")))
        #expect(!wildcard.covers(try DomainName("example.org")))
        #expect(!wildcard.covers(wildcard))
    }

    @Test func `a name of 253 bytes is accepted although its challenge name would be too long`() throws {
        let long = String(repeating: "ab.", count: 83) + "orgs"
        #expect(long.utf8.count == 253)
        let name = try DomainName(long)
        #expect(throws: InvalidName.self) { try name.challengeName() }
    }

    @Test(arguments: [
        ("bücher.example", "xn--bcher-kva.example"), ("*.BÜCHER.example", "*.xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"), ("bu\u{308}cher.example", "xn--bcher-kva.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
    ])
    func `letters of all scripts are written in A-labels, and shown as people know them`(
        text: String, ascii: String
    ) throws {
        let name = try DomainName(text)
        #expect(name.description == ascii)
        #expect(try DomainName(name.unicode) == name)
        #expect(name.unicode.utf8.contains { $0 >= 0x80 })
    }

    @Test func `what only looks like an A-label is shown as it is`() throws {
        #expect(try DomainName("xn--a.example").unicode == "xn--a.example")
        #expect(try DomainName("plain.example").unicode == "plain.example")
    }

    @Test func `an error names the name and the reason`() {
        #expect(throws: InvalidName("a_b.org", "has a '_', which host names cannot have")) { try DomainName("a_b.org") }
    }
}
