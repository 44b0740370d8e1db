internal import ACME
internal import FoundationEssentials
internal import HTTP
internal import PKI
internal import Platform
internal import Store

/// What the CA suggests for the certificates that are installed (RFC 9773). It is asked only for those whose CA has
/// such information, and not before the moment that it named the last time; no failure here stops anything.
struct RenewalInquiry {
    /// Seconds for all questions together.
    private static let limit = 10.0

    private let options: CommonOptions
    private let deadline: Deadline
    /// Nothing is kept on disk.
    private let isPrediction: Bool
    /// False where a question of a moment ago has been answered, or was in vain.
    private let asksCA: Bool

    init(_ options: CommonOptions, deadline: Deadline, isPrediction: Bool, asksCA: Bool) {
        self.options = options
        self.deadline = deadline
        self.isPrediction = isPrediction
        self.asksCA = asksCA
    }

    /// A certificate that can be asked about.
    private struct Subject {
        let index: Int
        let certificate: CertificateOptions
        let base: String
        let identifier: String
        let known: RenewalSuggestion?
    }

    /// Sets the suggestion of each request that has a certificate.
    func ask(about requests: inout [RequestedCertificate]) {
        guard options.usesRenewalInformation, case .directory = options.authority else { return }
        let subjects = requests.indices.compactMap { subject($0, requests[$0]) }
        for subject in subjects { requests[subject.index].suggestion = subject.known }
        let now = deadline.clock.now
        let stale = subjects.filter { $0.known.map { $0.checkAgain <= now } ?? true }
        guard asksCA, !stale.isEmpty else { return }
        for (subject, result) in zip(stale, fetch(stale)) { take(result, subject, &requests[subject.index]) }
    }

    /// What was known the last time, without a question.
    static func known(of certificate: CertificateOptions, _ leaf: Certificate, _ options: CommonOptions)
        -> RenewalSuggestion?
    {
        guard options.usesRenewalInformation, let identifier = leaf.renewalIdentifier else { return nil }
        let found = options.renewals(of: certificate).find(certificate.firstName)
        return found?.identifier == identifier ? found : nil
    }

    private func subject(_ index: Int, _ request: RequestedCertificate) -> Subject? {
        guard let installed = request.installed, let issuance = installed.issuance,
            issuance.authority == options.authority, let base = issuance.renewalInfo,
            let identifier = installed.chain.leaf.renewalIdentifier
        else { return nil }
        let known = Self.known(of: request.certificate, installed.chain.leaf, options)
        return Subject(
            index: index, certificate: request.certificate, base: base, identifier: identifier, known: known)
    }

    private func fetch(_ subjects: [Subject]) -> [Result<RenewalInformation, ACMEError>] {
        let limit = Deadline(seconds: min(Self.limit, deadline.remaining), clock: deadline.clock)
        do throws(HTTPError) {
            let transport = try CurlTransport(caBundle: options.caPath, userAgent: Version.userAgent)
            return RenewalInformation.fetch(
                subjects.map { ($0.base, $0.identifier) }, transport: transport, deadline: limit)
        } catch {
            return subjects.map { _ in .failure(ACMEError("ask the CA about renewals", error.description)) }
        }
    }

    private func take(
        _ result: Result<RenewalInformation, ACMEError>, _ subject: Subject, _ request: inout RequestedCertificate
    ) {
        let suggestion: RenewalSuggestion
        switch result {
        case .success(let information): suggestion = RenewalSuggestion(information, for: subject.identifier)
        case .failure(let error):
            request.warning = "\(error); renewal goes by \(subject.known == nil ? "its lifetime" : "the last answer")"
            guard var known = subject.known, let again = error.retryAfter else { return }
            known.checkAgain = again
            suggestion = known
        }
        request.suggestion = suggestion
        guard !isPrediction else { return }
        // It only spares the CA a question.
        try? options.renewals(of: subject.certificate).keep(suggestion, for: subject.certificate.firstName)
    }
}
