import FoundationEssentials
import Names
import PKI
import TestSupport
import Testing

struct SelfSigningAuthorityTests {
    /// Runs `openssl verify` over a chain with these flags.
    private func verify(_ chain: CertificateChain, _ flags: String...) throws -> ProgramResult {
        try withTemporaryDirectory { directory in
            try write(chain.issuersPEM, directory + "/ca.cer")
            try write(chain.leafPEM, directory + "/leaf.cer")
            let command = ["openssl", "verify"] + flags + ["-CAfile", "ca.cer", "leaf.cer"]
            return try Program.run(command, directory: directory)
        }
    }

    @Test(arguments: KeyType.allCases)
    func `a chain of every key type satisfies OpenSSL, strictly too`(_ type: KeyType) throws {
        let names = try domains("www.example.org", "*.example.org", "example.org")
        let key = try PrivateKey.generate(type)
        let chain = try SelfSigningAuthority(now: Date()).issue(for: names, key: key, days: 90)
        let plain = try verify(chain)
        #expect(plain.status == 0, "\(plain)")
        let strict = try verify(
            chain, "-x509_strict", "-check_ss_sig", "-purpose", "sslserver", "-verify_hostname", "a.example.org")
        #expect(strict.status == 0, "\(strict)")
        let stranger = try verify(chain, "-verify_hostname", "example.net")
        #expect(stranger.status != 0)
        try chain.validate(names: Set(names), key: key, now: Date())
        #expect(chain.leaf.keyType == type)
        #expect(chain.leaf.names == names)
    }

    @Test func `a first name too long for a common name leaves a subject that strict verification accepts`() throws {
        let names = try domains(String(repeating: "a", count: 63) + ".example.org")
        let chain = try SelfSigningAuthority(now: Date()).issue(for: names, key: .generate(.ec256), days: 1)
        #expect(chain.leaf.commonName == nil)
        let strict = try verify(chain, "-x509_strict")
        #expect(strict.status == 0, "\(strict)")
    }

    @Test func `one authority issues many chains, and two authorities share neither name nor key`() throws {
        let one = try SelfSigningAuthority(now: Date())
        let two = try SelfSigningAuthority(now: Date())
        let names = try domains("a.example.org")
        let key = try PrivateKey.generate(.ec256)
        let first = try one.issue(for: names, key: key, days: 1)
        let second = try one.issue(for: names, key: key, days: 1)
        let other = try two.issue(for: names, key: key, days: 1)
        #expect(first.issuersPEM == second.issuersPEM)
        #expect(first.leaf.serial != second.leaf.serial)
        #expect(first.leaf.serial.count == 32)
        #expect(first.leaf.issuer != other.leaf.issuer)
        #expect(!first.leaf.isIssued(by: other.issuers[0]))
    }

    @Test(arguments: [-1, 0, 3651]) func `a time outside the authority's own is refused`(_ days: Int) throws {
        let authority = try SelfSigningAuthority(now: Date())
        let key = try PrivateKey.generate(.ec256)
        #expect(throws: PKIError("a self-signed certificate is made for 1 to 3650 days, not for \(days)")) {
            try authority.issue(for: domains("a.example.org"), key: key, days: days)
        }
    }

    @Test func `a clock without a usable time is refused, and one far off is not`() throws {
        #expect(throws: PKIError("cannot make a certificate: the clock shows no usable time")) {
            try SelfSigningAuthority(now: Date(timeIntervalSince1970: .infinity))
        }
        #expect(throws: PKIError.self) { try SelfSigningAuthority(now: Date(timeIntervalSince1970: 1e15)) }
        let past = try SelfSigningAuthority(now: Date(timeIntervalSince1970: 0))
        let chain = try past.issue(for: domains("a.example.org"), key: .generate(.ec256), days: 1)
        #expect(chain.leaf.notAfter == Date(timeIntervalSince1970: 86_400))
    }
}
