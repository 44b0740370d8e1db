import ACME
import FoundationEssentials
import Names
import PKI
import Platform
import Store
import TestSupport
import Testing

@Suite struct CertificateStoreTests {
    private let access = FileAccess.own(mode: 0o640)
    private let issuance = Issuance(.directory("https://ca.test/dir"))

    private func name(_ text: String = "web.example.org") throws -> DomainName { try DomainName(text) }

    private func issue(_ names: [String] = ["web.example.org"]) throws -> (CertificateChain, PrivateKey) {
        let key = try PrivateKey.generate(.ec256)
        let authority = try SelfSigningAuthority(now: Date())
        return (try authority.issue(for: try names.map { try DomainName($0) }, key: key, days: 90), key)
    }

    private func withStore(_ body: (CertificateStore) throws -> Void) throws {
        try withTemporaryDirectory { try body(CertificateStore(path: $0 + "/certs")) }
    }

    private func reason(_ store: CertificateStore) throws -> String {
        guard case .unusable(let reason) = try store.installation(of: try name()) else { return "complete" }
        return reason
    }

    @Test func `nothing is installed at first`() throws {
        try withStore { store in
            let reason = try reason(store)
            #expect(reason == "there is no certificate yet")
        }
    }

    @Test func `an installed set is read back with its issuance`() throws {
        try withStore { store in
            let (chain, key) = try issue()
            try store.install(chain, key: key, for: try name(), access: access, issuance: issuance)
            guard case .complete(let installed) = try store.installation(of: try name()) else {
                throw Unexpected(try reason(store))
            }
            #expect(installed.chain.pem == chain.pem)
            #expect(installed.issuance == issuance)
        }
    }

    @Test func `files have the modes that were promised`() throws {
        try withStore { store in
            let (chain, key) = try issue()
            try store.install(chain, key: key, for: try name(), access: access, issuance: issuance)
            let directory = store.paths(of: try name()).directory
            func mode(_ path: String) throws -> UInt32? { try Files.status(path)?.access.mode }
            #expect(try mode(store.path) == 0o2750)
            #expect(try mode(directory) == 0o2750)
            #expect(try mode(directory + "/versions/1/web.example.org.key") == 0o640)
            #expect(try mode(directory + "/versions/1/web.example.org.cer") == 0o644)
        }
    }

    @Test func `a second set is a second version, the first stays for an operator, older ones go`() throws {
        try withStore { store in
            for _ in 1...3 {
                let (chain, key) = try issue()
                try store.install(chain, key: key, for: try name(), access: access, issuance: issuance)
            }
            let directory = store.paths(of: try name()).directory
            #expect(try Files.list(directory + "/versions") == ["2", "3"])
            #expect(Files.target(ofLink: directory + "/current") == "versions/3")
        }
    }

    @Test(arguments: [false, true])
    func `files of another program, or links to its own, become version 1 before they are replaced`(areLinks: Bool)
        throws
    {
        try withStore { store in
            let (old, oldKey) = try issue()
            let (new, newKey) = try issue()
            let paths = store.paths(of: try name())
            for directory in [store.path, paths.directory] {
                try Files.makeDirectory(directory, access: .own(mode: 0o750))
            }
            let plain = [
                (paths.key, try oldKey.pem().revealed), (paths.cert, old.leafPEM), (paths.chain, old.issuersPEM),
                (paths.fullchain, old.pem),
            ]
            for (path, bytes) in plain {
                try AtomicFile.write(bytes, to: areLinks ? path + ".live" : path, access: access)
                if areLinks { try AtomicFile.link(path, to: path + ".live") }
            }
            #expect(try reason(store) == "complete")

            try store.install(new, key: newKey, for: try name(), access: access, issuance: issuance)
            #expect(try Files.read(paths.directory + "/versions/1/fullchain.cer") == old.pem)
            #expect(try Files.read(paths.fullchain) == new.pem)
            #expect(Files.target(ofLink: paths.key) == "current/web.example.org.key")
            #expect(try !areLinks || Files.read(paths.fullchain + ".live") == old.pem)
        }
    }

    @Test func `files that are missing, damaged or do not belong together are named`() throws {
        try withStore { store in
            let (chain, key) = try issue()
            let (_, otherKey) = try issue()
            let paths = store.paths(of: try name())
            let version = paths.directory + "/versions/1/"
            try store.install(chain, key: key, for: try name(), access: access, issuance: issuance)

            try AtomicFile.write(try otherKey.pem().revealed, to: version + "web.example.org.key", access: access)
            #expect(try reason(store) == "\(paths.key) is not the key of \(paths.cert)")
            try AtomicFile.write(Array("garbage".utf8), to: version + "web.example.org.cer", access: access)
            #expect(try reason(store).hasPrefix("\(paths.cert) cannot be used: "))
            try Files.remove(paths.chain)
            #expect(try reason(store) == "\(paths.chain) is missing")
        }
    }

    @Test func `a wildcard's files are named with an underscore`() throws {
        try withStore { store in
            let paths = store.paths(of: try name("*.example.org"))
            #expect(paths.key == store.path + "/_.example.org/_.example.org.key")
        }
    }

    @Test func `a chain without issuers is whole, with an empty file for them`() throws {
        try withStore { store in
            let (chain, key) = try issue()
            let alone = try CertificateChain(pem: chain.leafPEM)
            try store.install(alone, key: key, for: try name(), access: access, issuance: issuance)
            #expect(try reason(store) == "complete")
        }
    }

    @Test func `a directory or a circle of links in the place of a file is a reason to renew`() throws {
        try withStore { store in
            let (chain, key) = try issue()
            let paths = store.paths(of: try name())
            try store.install(chain, key: key, for: try name(), access: access, issuance: issuance)
            try AtomicFile.link(paths.key, to: paths.key)
            #expect(try reason(store).contains(paths.key))
            try Files.remove(paths.key)
            try Files.makeDirectory(paths.key, access: access)
            #expect(try reason(store).contains(paths.key))
        }
    }

    @Test func `access is set on our own versions only, wherever a link leads`() throws {
        try withStore { store in
            let (chain, key) = try issue()
            try store.install(chain, key: key, for: try name(), access: access, issuance: issuance)
            let directory = store.paths(of: try name()).directory
            let stranger = store.path + "/stranger"
            try Files.makeDirectory(stranger, access: .own(mode: 0o755))
            let file = stranger + "/web.example.org.key"
            try AtomicFile.write([], to: file, access: .own(mode: 0o644))
            for target in ["../stranger", stranger, "versions/../../stranger"] {
                try AtomicFile.link(directory + "/current", to: target)
                #expect(try !store.setAccess(of: try name(), to: .own(mode: 0o600)), "\(target)")
                #expect(try Files.status(file)?.access.mode == 0o644)
            }
        }
    }

    @Test func `a mode that drifted is noticed and corrected once`() throws {
        try withStore { store in
            let (chain, key) = try issue()
            try store.install(chain, key: key, for: try name(), access: access, issuance: issuance)
            let wanted = FileAccess.own(mode: 0o600)
            #expect(try store.accessDiffers(of: try name(), from: wanted))
            #expect(try store.setAccess(of: try name(), to: wanted))
            #expect(try !store.setAccess(of: try name(), to: wanted))
            #expect(try Files.status(store.paths(of: try name()).directory)?.access.mode == 0o2700)
        }
    }

    @Test func `the version that was served before is no more readable than the one that is`() throws {
        try withStore { store in
            let (chain, key) = try issue()
            for _ in 1...2 {
                try store.install(chain, key: key, for: try name(), access: access, issuance: issuance)
            }
            let versions = store.paths(of: try name()).directory + "/versions/"
            func mode(_ path: String) throws -> UInt32? { try Files.status(versions + path)?.access.mode }
            #expect(try store.setAccess(of: try name(), to: .own(mode: 0o600)))
            for version in ["1", "2"] {
                #expect(try mode(version) == 0o2700)
                #expect(try mode(version + "/web.example.org.key") == 0o600)
            }
            let narrow = FileAccess.own(mode: 0o400)
            try store.install(chain, key: key, for: try name(), access: narrow, issuance: issuance)
            #expect(try mode("2/web.example.org.key") == 0o400)
            #expect(try !store.accessDiffers(of: try name(), from: narrow))
        }
    }

    @Test func `a revocation is known of exactly the certificate that it names`() throws {
        try withStore { store in
            let (chain, key) = try issue()
            try store.install(chain, key: key, for: try name(), access: access, issuance: issuance)
            let note = RevocationNote(
                of: chain.leaf, because: .superseded, on: Date(timeIntervalSince1970: 1_800_000_000),
                endedAuthorizations: true)
            try store.keep(note, for: try name())
            guard case .complete(let revoked) = try store.installation(of: try name()) else {
                throw Unexpected(try reason(store))
            }
            #expect(revoked.revocation == note)
            #expect(revoked.chain.pem == chain.pem)

            let (next, nextKey) = try issue()
            try store.install(next, key: nextKey, for: try name(), access: access, issuance: issuance)
            guard case .complete(let replaced) = try store.installation(of: try name()) else {
                throw Unexpected(try reason(store))
            }
            #expect(replaced.revocation == nil)
        }
    }

    @Test func `what an older version kept of an issuance can be read`() throws {
        let old = #"{"directory": "https://ca.test/dir"}"#
        #expect(try JSONDecoder().decode(Issuance.self, from: Data(old.utf8)) == issuance)
    }

    @Test func `an installation that fails leaves the old set as it was`() throws {
        try withStore { store in
            let (chain, key) = try issue()
            try store.install(chain, key: key, for: try name(), access: access, issuance: issuance)
            let directory = store.paths(of: try name()).directory
            try Files.remove(directory + "/current")
            try Files.rename(directory + "/versions/1", to: directory + "/current")
            let (next, nextKey) = try issue()
            #expect(throws: StoreError.self) {
                try store.install(next, key: nextKey, for: try name(), access: access, issuance: issuance)
            }
            #expect(try Files.read(directory + "/fullchain.cer") == chain.pem)
            #expect(try reason(store) == "complete")
            #expect(try Files.list(directory).filter(AtomicFile.isTemporary) == [])
        }
    }
}
