import FoundationEssentials
import Names
import TestSupport
import Testing

@testable import PKI

struct SelfSigningAuthorityTests {
    @Test(arguments: KeyType.allCases)
    func `a self-signed chain of every key type satisfies OpenSSL's strict verification`(_ type: KeyType) throws {
        let names = try ["www.example.org", "*.example.org", "example.org"].map { try DomainName($0) }
        let key = try PrivateKey.generate(type)
        let chain = try SelfSigningAuthority(now: Date()).issue(for: names, key: key, days: 90)
        try withTemporaryDirectory { directory in
            try write(chain.issuersPEM, directory + "/ca.cer")
            try write(chain.leafPEM, directory + "/leaf.cer")
            for flags in [[], ["-x509_strict", "-purpose", "sslserver", "-verify_hostname", "a.example.org"]] {
                let command = ["openssl", "verify"] + flags + ["-CAfile", "ca.cer", "leaf.cer"]
                let result = try Program.run(command, directory: directory)
                #expect(result.status == 0, "\(result)")
            }
        }
        try chain.validate(names: Set(names), key: key, now: Date())
        #expect(chain.leaf.keyType == type)
        #expect(chain.leaf.names == names)
    }
}
