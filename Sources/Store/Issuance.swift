package import Names
package import PKI

/// How an installed certificate came to be; kept beside it (`issuance.json`), so that it switches with the files.
package struct Issuance: Codable, Sendable, Equatable {
    /// The CA's directory URL; nil where this host signed it itself.
    package let directory: String?
    /// The kind of certificate that was asked for; nil for the CA's default.
    package let profile: String?
    /// Where the CA has renewal information; nil where it has none.
    package let renewalInfo: String?
    /// The account's authorizations that it was issued upon, as URLs; nil where an older version wrote this.
    package let authorizations: [String]?

    package init(
        _ authority: Authority, profile: String? = nil, renewalInfo: String? = nil, authorizations: [String]? = nil
    ) {
        self.profile = profile
        self.renewalInfo = renewalInfo
        self.authorizations = authorizations
        switch authority {
        case .directory(let url): directory = url
        case .selfSigned: directory = nil
        }
    }

    package var authority: Authority { directory.map(Authority.directory) ?? .selfSigned }
}

/// A certificate as it is on disk, read and known to belong to its key.
package struct InstalledCertificate: Sendable {
    package let key: PrivateKey
    package let chain: CertificateChain
    /// Nil for files that another program put there.
    package let issuance: Issuance?
    /// Nil unless it, or another one because of the same key, was revoked from this host.
    package let revocation: RevocationNote?

    package init(
        key: PrivateKey, chain: CertificateChain, issuance: Issuance?, revocation: RevocationNote? = nil
    ) {
        self.key = key
        self.chain = chain
        self.issuance = issuance
        self.revocation = revocation
    }

    /// Whether it was revoked with this key, which no certificate may have any more.
    package func wasRevoked(with other: PrivateKey) -> Bool {
        revocation != nil && key.publicKeyInfo == other.publicKeyInfo
    }
}

/// What is found in a certificate's directory.
package enum Installation: Sendable {
    case complete(InstalledCertificate)
    /// Nothing, or nothing that can be used; the reason is a clause: "www.key is missing".
    case unusable(reason: String)

    /// Whether a certificate is there that was revoked with this key.
    package func wasRevoked(with key: PrivateKey) -> Bool {
        switch self {
        case .complete(let installed): installed.wasRevoked(with: key)
        case .unusable: false
        }
    }
}

/// The paths of one certificate's files, as services are given them.
package struct CertificatePaths: Sendable, Equatable {
    package let directory: String
    package let key: String
    package let cert: String
    package let chain: String
    package let fullchain: String
    /// The other forms, each there only where it was asked for.
    package let combined: String
    package let pkcs12: String
    package let jks: String
    package let der: String
    package let keyDER: String

    package init(in certPath: String, first name: DomainName) {
        let file = name.fileName
        directory = certPath + "/" + file
        key = directory + "/" + file + ".key"
        cert = directory + "/" + file + ".cer"
        chain = directory + "/ca.cer"
        fullchain = directory + "/fullchain.cer"
        combined = directory + "/" + file + ".pem"
        pkcs12 = directory + "/" + file + ".p12"
        jks = directory + "/" + file + ".jks"
        der = directory + "/" + file + ".der"
        keyDER = directory + "/" + file + ".key.der"
    }

    /// The PEM files, without which there is no certificate.
    package var all: [String] { [key, cert, chain, fullchain] }

    /// Those of the other forms.
    var optional: [String] { [combined, pkcs12, jks, der, keyDER] }

    /// Those that hold the private key.
    var secret: [String] { [key, combined, pkcs12, jks, keyDER] }

    /// The longest of what their names have behind the certificate's.
    package static let longestSuffix = 8
}
