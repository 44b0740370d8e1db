internal import Names
internal import PKI
internal import Platform
internal import Store

/// The certificate that is to be revoked, and where it is installed, if it is.
struct RevocationSubject {
    let leaf: Certificate
    /// The first name that its directory has, with what is there; nil for one that is not installed here.
    let place: (name: DomainName, installed: InstalledCertificate)?
    /// Those of its names in whose directories another certificate with the same key is, of which no revocation is
    /// known.
    let sharingKey: [DomainName]
    /// False for another than the one with the serial number that was given: it is left alone.
    let isMeant: Bool

    /// Finds it, and refuses what the CA could not have issued.
    init(_ options: RevokeOptions) throws {
        switch options.subject {
        case .installed(let key, let names):
            let installed = try Self.installed(names, of: key, in: options.store)
            leaf = installed.chain.leaf
            place = (names[0], installed)
        case .file(let path):
            leaf = try Self.read(path)
            place = try Self.place(of: leaf, in: options.store)
        }
        sharingKey = Self.namesSharingKey(of: leaf, in: options.store)
        isMeant = options.serial == nil || options.serial == SerialNumber(leaf.serial)
        if isMeant { try refuseForeign(options.directory) }
    }

    private static func installed(
        _ names: [DomainName], of key: String, in store: CertificateStore
    ) throws(StoreError) -> InstalledCertificate {
        let directory = store.paths(of: names[0]).directory
        switch try store.installation(of: names[0]) {
        case .unusable(let reason):
            throw StoreError(
                "certificate \(key): nothing in \(directory) can be revoked: \(reason); give a file in certificate "
                    + "instead")
        case .complete(let installed):
            let strange = names.filter { !installed.chain.leaf.names.contains($0) }.map(\.description)
            guard strange.isEmpty else {
                throw StoreError(
                    "certificate \(key): the one in \(directory) is not for \(strange.joined(separator: ", ")): it is "
                        + "left alone; give only names that it has")
            }
            return installed
        }
    }

    private static func read(_ path: String) throws -> Certificate {
        guard let bytes = try Files.read(path, limit: 1 << 20) else {
            throw StoreError("\(path) is not there: certificate must name a PEM file on this host")
        }
        do {
            return try CertificateChain(pem: bytes).leaf
        } catch {
            throw StoreError("\(path) cannot be used: \(error)")
        }
    }

    /// A certificate's directory has its first name, and a CA may have put the names into another order.
    private static func place(
        of leaf: Certificate, in store: CertificateStore
    ) throws(StoreError) -> (name: DomainName, installed: InstalledCertificate)? {
        for name in leaf.names {
            if case .complete(let installed) = try store.installation(of: name), installed.chain.leaf.der == leaf.der {
                return (name, installed)
            }
        }
        return nil
    }

    /// What cannot be read keeps nobody from revoking this one.
    private static func namesSharingKey(of leaf: Certificate, in store: CertificateStore) -> [DomainName] {
        leaf.names.filter { name in
            guard case .complete(let installed)? = try? store.installation(of: name) else { return false }
            let other = installed.chain.leaf
            return other.publicKeyInfo == leaf.publicKeyInfo && other.der != leaf.der && installed.revocation == nil
        }
    }

    private func refuseForeign(_ directory: String) throws(StoreError) {
        let title = "the certificate \(leaf.label) (serial \(leaf.serial))"
        guard let issuance = place?.installed.issuance else {
            guard !leaf.isSelfIssued else { throw StoreError("\(title) is self-signed: nobody can revoke it") }
            return
        }
        switch issuance.authority {
        case .selfSigned: throw StoreError("\(title) was signed by this host: nobody can revoke it")
        case .directory(let url):
            guard url == directory else {
                throw StoreError("\(title) is from \(url), not from \(directory): set acme_directory")
            }
        }
    }
}
