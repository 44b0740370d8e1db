package import ACME
package import FoundationEssentials
package import Names
package import PKI
internal import Platform

/// That a certificate was revoked: `revoked.json` in its directory. It names the certificate, so that it says nothing
/// of the one that comes after it, whoever puts that there; unless the key was compromised, and that one has it too.
package struct RevocationNote: Codable, Sendable, Equatable {
    package let fingerprintSHA256: String
    /// Of the key that it was for; nil where an older version wrote this.
    private let publicKeySHA256: String?
    package let reason: RevocationReason
    package let date: Date
    /// Whether the authorizations that it was issued upon were deactivated as well.
    package let endedAuthorizations: Bool

    package init(
        of certificate: Certificate, because reason: RevocationReason, on date: Date, endedAuthorizations: Bool
    ) {
        fingerprintSHA256 = certificate.fingerprintSHA256
        publicKeySHA256 = Self.publicKeySHA256(certificate)
        self.reason = reason
        self.date = date
        self.endedAuthorizations = endedAuthorizations
    }

    private static func publicKeySHA256(_ certificate: Certificate) -> String {
        Base64URL.encode(Digest.sha256(certificate.publicKeyInfo))
    }

    /// Whether it is this certificate that was revoked.
    package func names(_ leaf: Certificate) -> Bool { fingerprintSHA256 == leaf.fingerprintSHA256 }

    /// Whether this certificate has to go: it was revoked, or another one was because of the key that it has.
    func concerns(_ leaf: Certificate) -> Bool {
        names(leaf) || reason == .keyCompromise && publicKeySHA256 == Self.publicKeySHA256(leaf)
    }

    /// For a sentence about a certificate that it concerns.
    package func clause(about leaf: Certificate) -> String {
        let why = reason == .unspecified ? "" : " (\(reason.rawValue))"
        let what = names(leaf) ? "it was revoked" : "another certificate with its key was revoked"
        return "\(what) on \(date.formatted(.iso8601))\(why)"
    }
}

extension CertificateStore {
    /// Notes that the installed certificate with this first name was revoked; its files stay as they are.
    package func keep(_ note: RevocationNote, for name: DomainName) throws(StoreError) {
        try revocationFile(paths(of: name)).keep(note)
    }

    /// What is known of the revocation of this certificate, or of its key. A note that cannot be read says nothing: otherwise
    /// each run would replace the certificate, and the note would stay.
    func revocation(of leaf: Certificate, _ paths: CertificatePaths) -> RevocationNote? {
        let note = try? revocationFile(paths).found()
        return note.flatMap { $0.concerns(leaf) ? $0 : nil }
    }

    private func revocationFile(_ paths: CertificatePaths) -> StateFile<RevocationNote> {
        StateFile(path: paths.directory + "/revoked.json")
    }
}
