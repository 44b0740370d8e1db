internal import ACME
internal import FoundationEssentials
internal import HTTP
internal import PKI
internal import Platform
internal import Store

/// What the CA suggests for the certificates that are installed (RFC 9773). It is asked only for those whose CA has
/// such information, and not before the moment that it named the last time; no failure here stops anything.
struct RenewalInquiry {
    /// Seconds for all questions together, and the part of the run's time that they may take: a renewal has to go on
    /// where nobody answers.
    private static let limit = (seconds: 10.0, part: 1.0 / 3)

    private let options: CommonOptions
    private let deadline: Deadline
    /// False under check mode, and where a question of a moment ago has been answered, or was in vain.
    private let asksCA: Bool

    init(_ options: CommonOptions, deadline: Deadline, asksCA: Bool) {
        self.options = options
        self.deadline = deadline
        self.asksCA = asksCA
    }

    /// A certificate that can be asked about.
    private struct Subject {
        let index: Int
        let certificate: CertificateOptions
        let base: String
        let identifier: String
        let known: RenewalAnswer?
    }

    /// Sets the suggestion of each request that has a certificate.
    func ask(about requests: inout [RequestedCertificate]) {
        guard options.usesRenewalInformation, case .directory(let url) = options.authority else { return }
        let directory = CAConnection.rememberedDirectory(url, state: StateDirectory(path: options.statePath))
        for index in requests.indices { requests[index].renewalInfo = place(requests[index], directory) }
        let subjects = requests.indices.compactMap { subject($0, requests[$0]) }
        for subject in subjects { requests[subject.index].suggestion = subject.known?.suggestion }
        let now = deadline.clock.now
        let stale = subjects.filter { $0.known?.isStale(at: now) ?? true }
        guard asksCA, !stale.isEmpty else { return }
        for (subject, result) in zip(stale, fetch(stale)) { take(result, subject, &requests[subject.index]) }
    }

    /// What was known the last time, without a question.
    static func known(of certificate: CertificateOptions, _ leaf: Certificate, _ options: CommonOptions)
        -> RenewalSuggestion?
    {
        guard options.usesRenewalInformation, let identifier = leaf.renewalIdentifier else { return nil }
        return answer(of: certificate, about: identifier, options)?.suggestion
    }

    private static func answer(
        of certificate: CertificateOptions, about identifier: String, _ options: CommonOptions
    ) -> RenewalAnswer? {
        options.renewals(of: certificate).answer(about: identifier, of: certificate.firstName)
    }

    /// Where its CA has renewal information: by the directory that was read last, which is never asked for here, or as
    /// it was when the certificate was issued. Nil where the CA has none.
    private func place(_ request: RequestedCertificate, _ directory: Directory?) -> String? {
        guard let issuance = request.installed?.issuance, issuance.authority == options.authority else { return nil }
        return directory.map(\.renewalInfo) ?? issuance.renewalInfo
    }

    private func subject(_ index: Int, _ request: RequestedCertificate) -> Subject? {
        guard let base = request.renewalInfo, let identifier = request.installed?.chain.leaf.renewalIdentifier else {
            return nil
        }
        let known = Self.answer(of: request.certificate, about: identifier, options)
        return Subject(
            index: index, certificate: request.certificate, base: base, identifier: identifier, known: known)
    }

    private func fetch(_ subjects: [Subject]) -> [Result<RenewalInformation, ACMEError>] {
        let seconds = min(Self.limit.seconds, deadline.remaining * Self.limit.part)
        let limit = Deadline(seconds: seconds, clock: deadline.clock)
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
        let askAgain: Date
        switch result {
        case .success(let information):
            request.suggestion = RenewalSuggestion(information, for: subject.identifier)
            askAgain = information.checkAgain
        case .failure(let error):
            let rest = request.suggestion == nil ? "its lifetime" : "the last answer"
            request.warning = "\(error); renewal goes by \(rest)"
            guard let moment = error.retryAfter else { return }
            askAgain = moment
        }
        let answer = RenewalAnswer(about: subject.identifier, request.suggestion, askAgain: askAgain)
        // It only spares the CA a question.
        try? options.renewals(of: subject.certificate).keep(answer, for: subject.certificate.firstName)
    }
}
