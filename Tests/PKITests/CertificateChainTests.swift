import FoundationEssentials
import Names
import PKI
import Platform
import TestSupport
import Testing

struct CertificateChainTests {
    private let chain: CertificateChain

    init() throws {
        let authority = try SelfSigningAuthority(now: Date())
        chain = try authority.issue(for: domains("a.example.org"), key: .generate(.ec256), days: 9)
    }

    @Test func `a chain is read as it is written, in its three parts`() throws {
        let again = try CertificateChain(pem: chain.pem)
        #expect(again.pem == chain.pem)
        #expect(again.leaf.der == chain.leaf.der)
        #expect(again.issuers.map(\.der) == chain.issuers.map(\.der))
        #expect(again.certificates.count == 2)
        #expect(again.leafPEM + again.issuersPEM == chain.pem)
        #expect(try CertificateChain(pem: chain.leafPEM).issuers.isEmpty)
    }

    @Test func `line ends of DOS, empty lines, blanks and a missing last line end change nothing`() throws {
        let text = String(decoding: chain.pem, as: UTF8.self)
        let blanks = text.replacing("\n", with: " \t\n")
        for variant in [text.replacing("\n", with: "\r\n"), "\n\n" + text + "\n", blanks, String(text.dropLast())] {
            #expect(try CertificateChain(pem: Array(variant.utf8)).pem == chain.pem)
        }
    }

    @Test func `a chain with a private key in it is refused without a byte of the key`() throws {
        let key = try PrivateKey.generate(.ec256).pem().revealed
        let sentence = "the certificate chain holds '-----BEGIN PRIVATE KEY-----' where only certificates may stand"
        #expect(throws: PKIError(sentence)) { try CertificateChain(pem: chain.pem + key) }
        #expect(throws: PKIError("the certificate chain holds text that is no certificate")) {
            try CertificateChain(pem: chain.pem + key.dropFirst(28))
        }
    }

    @Test func `each way to spoil the text has its sentence`() {
        let text = String(decoding: chain.leafPEM, as: UTF8.self)
        let end = "-----END CERTIFICATE-----"
        let begin = "-----BEGIN CERTIFICATE-----"
        let cases = [
            ("", "the certificate chain holds no certificate"),
            ("\n \n", "the certificate chain holds no certificate"),
            ("subject=/CN=a\n" + text, "the certificate chain holds text that is no certificate"),
            (text.replacing(end, with: ""), "the certificate chain breaks off before '\(end)'"),
            (begin + "\n" + text, "the certificate chain holds '\(begin)' where only certificates may stand"),
            (text + end, "the certificate chain holds '\(end)' where only certificates may stand"),
            (text + "\(begin)\n*\n\(end)\n", "certificate 2 of the chain is not base64"),
            (text + "\(begin)\n\(end)\n", "certificate 2 of the chain is not base64"),
        ]
        for (text, sentence) in cases {
            #expect(throws: PKIError(sentence)) { try CertificateChain(pem: Array(text.utf8)) }
        }
    }

    @Test func `base64 of something else than a certificate is refused with OpenSSL's reason`() {
        let text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        let error = #expect(throws: PKIError.self) { try CertificateChain(pem: Array(text.utf8)) }
        #expect(error?.description.hasPrefix("cannot read the certificate: d2i_X509 failed: ") == true)
    }

    @Test func `twenty certificates are read and twenty-one refused`() throws {
        let twenty = (0..<20).flatMap { _ in chain.leafPEM }
        #expect(try CertificateChain(pem: twenty).certificates.count == 20)
        #expect(throws: PKIError("the certificate chain has more than 20 certificates")) {
            try CertificateChain(pem: twenty + chain.leafPEM)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a huge chain is refused, and one of half a million short lines is read in no time`() {
        #expect(throws: PKIError("the certificate chain is longer than 1 MiB")) {
            try CertificateChain(pem: [UInt8](repeating: 10, count: (1 << 20) + 1))
        }
        let lines = String(repeating: "A\n", count: 500_000)
        let text = "-----BEGIN CERTIFICATE-----\n\(lines)-----END CERTIFICATE-----\n"
        #expect(throws: PKIError.self) { try CertificateChain(pem: Array(text.utf8)) }
    }
}
