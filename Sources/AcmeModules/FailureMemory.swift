internal import ACME
internal import FoundationEssentials
internal import PKI
internal import Platform
internal import Store

/// Remembers across runs what the CA has refused. What fails here is no failure of the certificate.
struct FailureMemory {
    private let options: CommonOptions
    private let now: Date

    init(_ options: CommonOptions, now: Date) {
        self.options = options
        self.now = now
    }

    /// The failures that forbid to ask the CA for an order now, or for the end of one; nil where none do.
    func objection(
        to certificate: CertificateOptions, _ step: FailureRecord.Step
    ) -> (reason: String, next: Date)? {
        guard !certificate.settings.force, let record = store(certificate).find(certificate.firstName),
            let reason = record.objection(to: certificate.names, step, now: now)
        else { return nil }
        return (reason, record.next)
    }

    /// Notes that the CA refused, or that what it issued was not what was ordered, or that the CA names a moment before
    /// which it cannot be asked; returns when the next order may be made. Nil for what says neither: a connection that
    /// was lost, a server in trouble. `key` is the one that a certificate was requested for.
    func note(_ error: any Error, of certificate: CertificateOptions, for key: PrivateKey? = nil) -> Date? {
        let weight: FailureRecord.Weight
        switch error {
        case let error as ACMEError where error.isVerdict: weight = .refusal(notBefore: error.retryAfter)
        case let error as ACMEError:
            guard let moment = error.retryAfter else { return nil }
            weight = .outage(until: moment)
        case is PKIError: weight = .refusal(notBefore: nil)
        default: return nil
        }
        let store = store(certificate)
        let refused = (error as? ACMEError)?.mayRefuseCertificateKey == true ? key : nil
        let record = FailureRecord(
            of: certificate.names, because: "\(error)", weight, refusedKey: refused.map(Self.thumbprint),
            after: store.find(certificate.firstName), now: now)
        try? store.keep(record, for: certificate.firstName)
        return record.next
    }

    /// Whether the CA did not take this key for the certificate, the last time that it judged a request.
    func hasRefused(_ key: PrivateKey, for certificate: CertificateOptions) -> Bool {
        store(certificate).find(certificate.firstName)?.refusedKey == Self.thumbprint(key)
    }

    private static func thumbprint(_ key: PrivateKey) -> String { Base64URL.encode(key.thumbprint()) }

    /// Lets an order that was made by force be ended: failures before it forbid that no longer, and still count.
    func lift(_ certificate: CertificateOptions) {
        let store = store(certificate)
        guard let record = store.find(certificate.firstName), record.next > now else { return }
        try? store.keep(record.lifted(at: now), for: certificate.firstName)
    }

    func forget(_ certificate: CertificateOptions) {
        try? store(certificate).remove(certificate.firstName)
    }

    private func store(_ certificate: CertificateOptions) -> CertificateNotes<FailureRecord> {
        StateDirectory(path: options.statePath).failures(of: options.authority, place: certificate.ownPlace)
    }
}
