import Names
import PKI
import TestSupport
import Testing

struct CertificateRequestTests {
    @Test(arguments: KeyType.allCases)
    func `a request of every key type verifies and has the names in order`(_ type: KeyType) throws {
        let names = try domains("www.example.org", "*.example.org", "a.example.net")
        let request = try CertificateRequest.der(for: names, key: .generate(type))
        let text = try openssl("req", "-inform", "DER", "-verify", "-noout", "-text", input: request)
        #expect(text.stderr.contains("verify OK"))
        #expect(text.stdout.contains("Subject: CN = www.example.org\n"))
        #expect(text.stdout.contains("DNS:www.example.org, DNS:*.example.org, DNS:a.example.net\n"))
    }

    @Test(arguments: [(64, true), (65, false)])
    func `a first name is the common name up to 64 bytes, and then the subject is empty`(
        _ length: Int, _ fits: Bool
    ) throws {
        let label = String(repeating: "a", count: 40)
        let name = label + "." + String(repeating: "b", count: length - 45) + ".org"
        let request = try CertificateRequest.der(for: domains(name), key: .generate(.ec256))
        let subject = try openssl("req", "-inform", "DER", "-noout", "-subject", "-verify", input: request).stdout
        #expect(name.utf8.count == length)
        #expect(subject == (fits ? "subject=CN = \(name)\n" : "subject=\n"))
    }

    @Test func `a hundred of the longest names fit`() throws {
        let label = String(repeating: "x", count: 60)
        let names = try (0..<100).map { try DomainName("\($0).\(label).\(label).\(label).\(label).org") }
        let request = try CertificateRequest.der(for: names, key: .generate(.ec256))
        let text = try openssl("req", "-inform", "DER", "-verify", "-noout", "-text", input: request).stdout
        #expect(text.split(separator: "DNS:").count == 101)
    }

    @Test func `a request without names is refused`() throws {
        let key = try PrivateKey.generate(.ec256)
        #expect(throws: PKIError("a certificate needs at least one name")) {
            try CertificateRequest.der(for: [], key: key)
        }
    }
}
