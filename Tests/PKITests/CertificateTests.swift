import FoundationEssentials
import Names
import PKI
import TestSupport
import Testing

struct CertificateTests {
    /// A certificate that `openssl req -x509` makes from these lines of its configuration.
    private func made(_ subject: String = "/CN=a.example.org", _ extensions: String...) throws -> Certificate {
        try Certificate(der: der(subject, extensions))
    }

    private func der(_ subject: String, _ extensions: [String]) throws -> [UInt8] {
        try withTemporaryDirectory { directory in
            let added = extensions.flatMap { ["-addext", $0] }
            let command =
                [
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", "key.pem", "-outform", "DER", "-utf8", "-days", "10", "-subj", subject,
                ] + added
            let result = try Program.run(command, directory: directory)
            try #require(result.status == 0, "\(result)")
            return result.output
        }
    }

    @Test func `every field is what the openssl program prints`() throws {
        let names = try domains("www.example.org", "*.example.org")
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        let leaf = try SelfSigningAuthority(now: now).issue(for: names, key: .generate(.ec256), days: 6).leaf
        let printed = try openssl(
            "x509", "-noout", "-serial", "-fingerprint", "-sha256", "-issuer", "-nameopt", "RFC2253", input: leaf.pem
        ).stdout
        #expect(
            printed
                == "serial=\(leaf.serial)\nsha256 Fingerprint=\(leaf.fingerprintSHA256)\nissuer=\(leaf.issuer)\n")
        #expect(leaf.issuer == "CN=\(try #require(leaf.issuerCommonName))")
        #expect(leaf.commonName == "www.example.org")
        #expect(leaf.notBefore == now.addingTimeInterval(-3600))
        #expect(leaf.notAfter == now.addingTimeInterval(6 * 86_400))
        #expect(try openssl("x509", "-outform", "PEM", input: leaf.pem).output == leaf.pem)
        #expect(try openssl("x509", "-outform", "DER", input: leaf.pem).output == leaf.der)
        let key = try openssl("x509", "-noout", "-pubkey", input: leaf.pem).output
        #expect(try openssl("pkey", "-pubin", "-outform", "DER", input: key).output == leaf.publicKeyInfo)
        #expect(!leaf.isSelfIssued)
    }

    @Test func `serial numbers that are small, negative, zero or far too long are printed as openssl does`() throws {
        for number in ["0", "5", "-3", "255", "0x" + String(repeating: "ab", count: 60)] {
            let pem = try withTemporaryDirectory { directory in
                let command = [
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", "key.pem", "-subj", "/CN=a", "-outform", "DER", "-set_serial", number,
                ]
                return try Program.run(command, directory: directory).output
            }
            let certificate = try Certificate(der: pem)
            let printed = try openssl("x509", "-noout", "-serial", input: certificate.pem).stdout
            #expect("serial=\(certificate.serial)\n" == printed.replacing("\\\n", with: ""))
        }
    }

    @Test func `names of other kinds, and DNS names that are no domain names, are kept apart`() throws {
        let certificate = try made(
            "/CN=a.example.org",
            "subjectAltName=DNS:a.example.org,IP:192.0.2.1,DNS:b_c.example.org,email:x@example.org,DNS:*.Example.org")
        #expect(certificate.names == (try domains("a.example.org", "*.example.org")))
        #expect(certificate.otherNames == ["IP Address:192.0.2.1", "DNS:b_c.example.org", "email:x@example.org"])
    }

    @Test func `a certificate without alternative names has none, and its common name is no name of it`() throws {
        let certificate = try made()
        #expect(certificate.names.isEmpty)
        #expect(certificate.otherNames.isEmpty)
        #expect(certificate.commonName == "a.example.org")
        #expect(certificate.isSelfIssued)
    }

    @Test func `an issuer is one line of UTF-8, with what RFC 4514 escapes`() throws {
        let certificate = try made(#"/C=DE/O=Zür, ich/CN=Ä\+B"#)
        #expect(certificate.issuer == #"CN=Ä\+B,O=Zür\, ich,C=DE"#)
        #expect(certificate.issuerCommonName == "Ä+B")
    }

    @Test func `a subject without common name has none`() throws {
        let certificate = try made("/O=nobody")
        #expect(certificate.commonName == nil)
        #expect(certificate.issuerCommonName == nil)
    }

    @Test func `a certificate whose alternative names cannot be read is refused`() throws {
        let error = #expect(throws: PKIError.self) { try made("/CN=a", "2.5.29.17=DER:0500") }
        #expect(error?.description.hasPrefix("cannot read the certificate's alternative names: ") == true)
    }

    @Test func `a certificate cut off anywhere is refused`() throws {
        let der = try der("/CN=a.example.org", ["subjectAltName=DNS:a.example.org"])
        for count in 0..<der.count {
            let error = #expect(throws: PKIError.self) { try Certificate(der: Array(der.prefix(count))) }
            #expect(error?.description.hasPrefix("cannot read the certificate: d2i_X509 failed: ") == true)
        }
    }

    @Test func `bytes behind a certificate are refused`() throws {
        let der = try der("/CN=a.example.org", [])
        #expect(throws: PKIError("cannot read the certificate: there are bytes behind its end")) {
            try Certificate(der: der + [0])
        }
    }

    @Test func `no flipped bit passes for the same certificate or brings the reader down`() throws {
        let chain = try SelfSigningAuthority(now: Date())
            .issue(for: domains("a.example.org"), key: .generate(.ec256), days: 9)
        let authority = try #require(chain.issuers.first)
        for index in chain.leaf.der.indices {
            var der = chain.leaf.der
            der[index] ^= UInt8(1 << (index % 8))
            guard let changed = try? Certificate(der: der) else { continue }
            #expect(!changed.isIssued(by: authority), "byte \(index)")
        }
    }

    @Test func `garbage of any length is refused`() {
        for count in [0, 1, 2, 100, 1 << 20] {
            #expect(throws: PKIError.self) { try Certificate(der: [UInt8](repeating: 0x30, count: count)) }
            #expect(throws: PKIError.self) { try Certificate(der: [UInt8](repeating: 0, count: count)) }
        }
        #expect(throws: PKIError.self) { try Certificate(der: [0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0x30]) }
    }
}
