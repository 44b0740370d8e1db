import FoundationEssentials
import Names
import PKI
import Platform
import TestSupport
import Testing

struct ChainValidationTests {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let key: PrivateKey
    private let authority: SelfSigningAuthority
    private let chain: CertificateChain
    private let names: Set<DomainName>

    init() throws {
        names = Set(try domains("a.example.org", "*.b.example.org"))
        key = try .generate(.ec256)
        authority = try SelfSigningAuthority(now: now)
        chain = try authority.issue(for: names.sorted().reversed(), key: key, days: 10)
    }

    private func expect(_ sentence: String, _ validate: () throws -> Void) {
        #expect(throws: PKIError(sentence)) { try validate() }
    }

    @Test func `what was ordered is accepted from the first second to the last`() throws {
        for moment in [now, now.addingTimeInterval(10 * 86_400 - 1), now.addingTimeInterval(-3600 - 86_400)] {
            try chain.validate(names: names, key: key, now: moment)
        }
    }

    @Test func `another key is refused`() throws {
        let other = try PrivateKey.generate(.ec256)
        expect(
            "the certificate for a.example.org belongs to another private key than the one it was made for"
        ) { try chain.validate(names: names, key: other, now: now) }
    }

    @Test func `a name too few and a name too many are refused by name`() throws {
        let more = names.union(try domains("c.example.org", "d.example.org"))
        expect("the certificate for a.example.org lacks names that were ordered: c.example.org, d.example.org") {
            try chain.validate(names: more, key: key, now: now)
        }
        let fewer = Set(try domains("a.example.org"))
        expect("the certificate for a.example.org has names that were not ordered: *.b.example.org") {
            try chain.validate(names: fewer, key: key, now: now)
        }
    }

    @Test func `a certificate that has ended is refused from that second on`() {
        expect("the certificate for a.example.org expired at 2027-01-25T08:00:00Z") {
            try chain.validate(names: names, key: key, now: now.addingTimeInterval(10 * 86_400))
        }
    }

    @Test func `a certificate that begins more than a day from now is refused`() {
        expect(
            "the certificate for a.example.org begins only at 2027-01-15T07:00:00Z: is this host's clock right?"
        ) { try chain.validate(names: names, key: key, now: now.addingTimeInterval(-3601 - 86_400)) }
    }

    @Test func `an issuer of the same kind that did not sign is refused`() throws {
        let stranger = try SelfSigningAuthority(now: now).issue(for: domains("a.example.org"), key: key, days: 1)
        let mixed = try CertificateChain(pem: chain.leafPEM + stranger.issuersPEM)
        let issuer = chain.leaf.issuer
        let found = try #require(stranger.issuers[0].commonName)
        expect(
            "the chain of a.example.org is broken: the certificate 'a.example.org' (issuer \(issuer)) is not issued by "
                + "'\(found)', which follows it"
        ) { try mixed.validate(names: names, key: key, now: now) }
    }

    @Test func `issuers in the wrong order, and a leaf in an issuer's place, are refused`() throws {
        for tail in [chain.leafPEM, chain.leafPEM + chain.issuersPEM, chain.issuersPEM + chain.leafPEM] {
            let wrong = try CertificateChain(pem: chain.leafPEM + tail)
            #expect(throws: PKIError.self) { try wrong.validate(names: names, key: key, now: now) }
        }
    }

    @Test func `a root at the end issues itself, and a leaf without issuers stands alone`() throws {
        let root = try #require(chain.issuers.first)
        #expect(root.isSelfIssued)
        #expect(root.isIssued(by: root))
        #expect(!chain.leaf.isIssued(by: chain.leaf))
        try CertificateChain(pem: chain.leafPEM).validate(names: names, key: key, now: now)
    }

    @Test func `an address beside the ordered names is refused`() throws {
        try withTemporaryDirectory { directory in
            try write(key.pem().revealed, directory + "/key.pem")
            let pem = try openssl(
                "req", "-x509", "-key", "key.pem", "-subj", "/CN=a.example.org", "-days", "10000", "-addext",
                "subjectAltName=DNS:a.example.org,IP:192.0.2.1", in: directory
            ).output
            expect("the certificate for a.example.org has names that were not ordered: IP Address:192.0.2.1") {
                try CertificateChain(pem: pem)
                    .validate(names: Set(domains("a.example.org")), key: key, now: now)
            }
        }
    }
}
