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

    /// The failures that forbid a new order now; nil where none do.
    func objection(to certificate: CertificateOptions) -> (reason: String, next: Date)? {
        guard !certificate.settings.force, let record = store(certificate).find(certificate.firstName),
            let reason = record.objection(to: certificate.names, now: now)
        else { return nil }
        return (reason, record.next)
    }

    /// Notes that the CA refused, or that what it issued was not what was ordered; returns when the next order may be
    /// made. Nil for what says nothing about the names: a connection that was lost, a server in trouble.
    func note(_ error: any Error, of certificate: CertificateOptions) -> Date? {
        let notBefore: Date?
        switch error {
        case let error as ACMEError where error.isVerdict: notBefore = error.retryAfter
        case is PKIError: notBefore = nil
        default: return nil
        }
        let store = store(certificate)
        let record = FailureRecord(
            of: certificate.names, because: "\(error)", notBefore: notBefore,
            after: store.find(certificate.firstName), now: now)
        try? store.keep(record, for: certificate.firstName)
        return record.next
    }

    func forget(_ certificate: CertificateOptions) {
        try? store(certificate).remove(certificate.firstName)
    }

    private func store(_ certificate: CertificateOptions) -> CertificateNotes<FailureRecord> {
        StateDirectory(path: options.statePath).failures(of: options.authority, place: certificate.ownPlace)
    }
}
