import Names
import Testing

@Suite struct `The registered domain` {
    @Test(arguments: [
        ("www.example.org", "example.org"), ("example.org", "example.org"), ("*.a.b.example.org", "example.org"),
        ("a.b.example.co.uk", "example.co.uk"), ("me.github.io", "me.github.io"), ("a.me.github.io", "me.github.io"),
        ("co.uk", "co.uk"), ("www.食狮.公司.cn", "xn--85x722f.xn--55qx5d.cn"), ("web01.example.test", "example.test"),
    ])
    func `is one label more than the public suffix`(name: String, domain: String) throws {
        #expect(RegisteredDomains().domain(of: try DomainName(name)) == domain)
    }
}
