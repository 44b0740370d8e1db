package import PKI
internal import Platform

/// A form in which key and chain are kept beside the PEM files, by what operators call it.
package enum FileFormat: String, CaseIterable, Sendable {
    /// The four PEM files, which are always there.
    case pem
    /// The private key and the full chain in one PEM file.
    case combined
    case pkcs12
    case jks
    /// The private key and the certificate, each in a DER file.
    case der

    package var needsPassphrase: Bool {
        switch self {
        case .pkcs12, .jks: true
        case .pem, .combined, .der: false
        }
    }
}

/// The same with all that is needed to make its files.
package enum CertificateForm: Sendable {
    case combined
    case pkcs12(Passphrase)
    case jks(Passphrase)
    case der

    /// Nil for the PEM files.
    package init?(_ format: FileFormat, passphrase: Passphrase?) {
        switch (format, passphrase) {
        case (.combined, _): self = .combined
        case (.der, _): self = .der
        case (.pkcs12, .some(let passphrase)): self = .pkcs12(passphrase)
        case (.jks, .some(let passphrase)): self = .jks(passphrase)
        case (.pem, _), (.pkcs12, nil), (.jks, nil): return nil
        }
    }

    package var format: FileFormat {
        switch self {
        case .combined: .combined
        case .pkcs12: .pkcs12
        case .jks: .jks
        case .der: .der
        }
    }

    /// Its files, whole.
    func files(of entry: KeyEntry, at paths: CertificatePaths) throws(PKIError) -> [CertificateFile] {
        switch self {
        case .combined:
            let pem = try entry.key.pem().revealed + entry.chain.pem
            return [CertificateFile(path: paths.combined, bytes: pem, holdsKey: true)]
        case .pkcs12(let passphrase):
            let store = try PKCS12Store.make(entry, passphrase: passphrase)
            return [CertificateFile(path: paths.pkcs12, bytes: store.revealed, holdsKey: true)]
        case .jks(let passphrase):
            let store = try JavaKeyStore.make(entry, passphrase: passphrase)
            return [CertificateFile(path: paths.jks, bytes: store.revealed, holdsKey: true)]
        case .der:
            return [
                CertificateFile(path: paths.der, bytes: entry.chain.leaf.der, holdsKey: false),
                CertificateFile(path: paths.keyDER, bytes: try entry.key.der().revealed, holdsKey: true),
            ]
        }
    }

    /// What keeps the files that are there from being this form of `entry`: a clause; nil where nothing does. Key
    /// stores are opened, since each has a salt of its own.
    func difference(
        from entry: KeyEntry, at paths: CertificatePaths, reading read: (String) throws(SystemError) -> [UInt8]?
    ) throws -> String? {
        switch self {
        case .pkcs12(let passphrase):
            return try difference(paths.pkcs12, from: entry, read) { (bytes) throws(PKIError) in
                try PKCS12Store.read(bytes, passphrase: passphrase)
            }
        case .jks(let passphrase):
            return try difference(paths.jks, from: entry, read) { (bytes) throws(PKIError) in
                try JavaKeyStore.read(bytes, passphrase: passphrase)
            }
        case .combined, .der:
            for file in try files(of: entry, at: paths) {
                guard let bytes = try read(file.path) else { return "\(file.path) is missing" }
                guard bytes == file.bytes else { return "\(file.path) is not of this certificate" }
            }
            return nil
        }
    }

    private func difference(
        _ path: String, from entry: KeyEntry, _ read: (String) throws(SystemError) -> [UInt8]?,
        opening open: ([UInt8]) throws(PKIError) -> KeyEntry
    ) throws(SystemError) -> String? {
        guard let bytes = try read(path) else { return "\(path) is missing" }
        do throws(PKIError) {
            return try open(bytes).isSame(as: entry) ? nil : "\(path) is not of this certificate"
        } catch {
            return "\(path) does not open: \(error)"
        }
    }
}

/// A file to be written, by its path as services are given it.
struct CertificateFile {
    let path: String
    let bytes: [UInt8]
    /// Whether it is for those alone who may read the private key.
    let holdsKey: Bool
}
