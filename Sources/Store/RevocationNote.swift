package import ACME
package import FoundationEssentials
package import Names
package import PKI
internal import Platform

/// That a certificate was revoked: `revoked.json` in its directory. It names the certificate, so that it says nothing
/// of the one that comes after it, whoever puts that there.
package struct RevocationNote: Codable, Sendable, Equatable {
    package let fingerprintSHA256: String
    package let reason: RevocationReason
    package let date: Date
    /// Whether the authorizations that it was issued upon were deactivated as well.
    package let endedAuthorizations: Bool

    package init(
        of certificate: Certificate, because reason: RevocationReason, on date: Date, endedAuthorizations: Bool
    ) {
        fingerprintSHA256 = certificate.fingerprintSHA256
        self.reason = reason
        self.date = date
        self.endedAuthorizations = endedAuthorizations
    }

    /// For a sentence about the certificate.
    package var clause: String {
        let why = reason == .unspecified ? "" : " (\(reason.rawValue))"
        return "it was revoked on \(date.formatted(.iso8601))\(why)"
    }
}

extension CertificateStore {
    /// Notes that the installed certificate with this first name was revoked; its files stay as they are.
    package func keep(_ note: RevocationNote, for name: DomainName) throws(StoreError) {
        try revocationFile(paths(of: name)).keep(note)
    }

    /// What is known of the revocation of exactly this certificate. A note that cannot be read says nothing: otherwise
    /// each run would replace the certificate, and the note would stay.
    func revocation(of leaf: Certificate, _ paths: CertificatePaths) -> RevocationNote? {
        let note = try? revocationFile(paths).found()
        return note?.fingerprintSHA256 == leaf.fingerprintSHA256 ? note : nil
    }

    private func revocationFile(_ paths: CertificatePaths) -> StateFile<RevocationNote> {
        StateFile(path: paths.directory + "/revoked.json")
    }
}
