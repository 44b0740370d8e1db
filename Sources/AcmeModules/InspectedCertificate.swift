internal import AnsibleModule
internal import FoundationEssentials
internal import Names
internal import PKI
internal import Store

/// A certificate to look at: one that is wanted, or another that is there.
struct InspectedSubject {
    let key: String
    let firstName: DomainName
    /// Nil for one that is not wanted.
    let wish: CertificateOptions?
    let settings: CertificateSettings
    let store: CertificateStore

    var paths: CertificatePaths { store.paths(of: firstName) }

    init(wanted: CertificateOptions) {
        key = wanted.key
        firstName = wanted.firstName
        wish = wanted
        settings = wanted.settings
        store = wanted.store
    }

    init(unwanted name: DomainName, in store: CertificateStore, _ settings: CertificateSettings) {
        key = name.fileName
        firstName = name
        wish = nil
        self.settings = settings
        self.store = store
    }
}

/// What is found out about one certificate.
struct InspectedCertificate {
    let subject: InspectedSubject
    /// What is there, be it of use or not.
    let leaf: Certificate?
    private(set) var problems: [String] = []
    private var isRevoked = false
    private let isUsable: Bool
    private let keyMatches: Bool?
    private var chainIsHealthy: Bool?
    private let isSelfSigned: Bool?
    private let renewAt: Date?
    private let isDue: Bool
    private let reason: String
    private let lastFailure: FailureRecord?

    /// How long a certificate may be due before somebody is told: runs are at most a day apart.
    private static let patience = 2 * 86_400.0

    init(_ subject: InspectedSubject, _ options: CertificateInfoOptions, now: Date) {
        self.subject = subject
        let (installation, isOpen) = Self.look(at: subject)
        switch installation {
        case .complete(let installed):
            leaf = installed.chain.leaf
            keyMatches = true
            isUsable = true
            isSelfSigned = installed.issuance.map { $0.authority == .selfSigned } ?? installed.chain.leaf.isSelfIssued
        case .unusable:
            leaf = isOpen ? subject.store.leaf(of: subject.firstName) : nil
            keyMatches = leaf.flatMap { subject.store.keyMatches($0, of: subject.firstName) }
            isUsable = false
            isSelfSigned = leaf?.isSelfIssued
        }
        let wanted = Self.wanted(subject, installation, leaf, options)
        renewAt = leaf.map { wanted.renewalTime(of: $0) }
        switch RenewalDecision(for: wanted, given: installation, now: now) {
        case .keep(let reason): (isDue, self.reason) = (false, reason)
        case .obtain(let reason): (isDue, self.reason) = (true, reason)
        }
        lastFailure = Self.lastFailure(subject, leaf, options)
        judge(installation, options, now)
    }

    private static func look(at subject: InspectedSubject) -> (Installation, isOpen: Bool) {
        do throws(StoreError) {
            if let obstacle = try subject.store.obstacle(to: subject.firstName) {
                return (.unusable(reason: obstacle), false)
            }
            return (try subject.store.installation(of: subject.firstName), true)
        } catch {
            return (.unusable(reason: error.description), false)
        }
    }

    /// What is not said to be wanted otherwise is wanted as it is.
    private static func wanted(
        _ subject: InspectedSubject, _ installation: Installation, _ leaf: Certificate?,
        _ options: CertificateInfoOptions
    ) -> WantedCertificate {
        let issuance = if case .complete(let installed) = installation { installed.issuance } else { nil as Issuance? }
        let usual: Authority = leaf?.isSelfIssued == true ? .selfSigned : .directory("")
        let authority = options.authority ?? issuance?.authority ?? usual
        return WantedCertificate(
            names: subject.wish?.names ?? leaf?.names ?? [subject.firstName],
            keyType: subject.settings.givenKeyType ?? leaf?.keyType ?? .ec256,
            authority: subject.wish == nil ? issuance?.authority ?? usual : authority,
            remainingDays: subject.settings.remainingDays, force: subject.wish?.settings.force ?? false,
            profile: subject.settings.profile ?? issuance?.profile,
            suggestion: options.usesRenewalInformation ? suggestion(subject, leaf, authority, options) : nil)
    }

    private static func suggestion(
        _ subject: InspectedSubject, _ leaf: Certificate?, _ authority: Authority, _ options: CertificateInfoOptions
    ) -> RenewalSuggestion? {
        guard let identifier = leaf?.renewalIdentifier else { return nil }
        return options.state.renewals(of: authority, place: subject.wish?.ownPlace)
            .answer(about: identifier, of: subject.firstName)?.suggestion
    }

    /// The one that is still of interest: a certificate that began after it was obtained in spite of it. CAs let theirs begin
    /// up to an hour before they are made.
    private static func lastFailure(
        _ subject: InspectedSubject, _ leaf: Certificate?, _ options: CertificateInfoOptions
    ) -> FailureRecord? {
        guard let record = options.state.lastFailure(of: subject.firstName, place: subject.wish?.ownPlace) else {
            return nil
        }
        if let wish = subject.wish, record.names != wish.names.map(\.description).sorted() { return nil }
        return leaf.map { $0.notBefore < record.last } ?? true ? record : nil
    }

    private mutating func judge(_ installation: Installation, _ options: CertificateInfoOptions, _ now: Date) {
        switch installation {
        case .unusable(let reason): problems.append(reason)
        case .complete(let installed):
            judge(installed.chain, options.trust, now)
            isRevoked = installed.revocation != nil
            if let revocation = installed.revocation { problems.append(revocation.clause(about: installed.chain.leaf)) }
        }
        if let leaf, leaf.notAfter <= now { problems.append("it expired on \(leaf.notAfter.formatted(.iso8601))") }
        if let lastFailure {
            let tries = lastFailure.count <= 1 ? "the last try failed" : "\(lastFailure.count) tries in a row failed"
            problems.append("\(tries), on \(lastFailure.last.formatted(.iso8601)): \(lastFailure.reason)")
        } else if let sentence = delay(options, now) {
            problems.append(sentence)
        }
        if isUsable, (try? subject.store.isUntold(subject.firstName)) == true {
            problems.append(
                "it was put in place, and the services that use it were not told: run letsencrypt_create_certs again")
        }
    }

    private mutating func judge(_ chain: CertificateChain, _ trust: TrustStore, _ now: Date) {
        let objection = chain.brokenLink ?? (isSelfSigned == true ? nil : trust.objection(to: chain, at: now))
        chainIsHealthy = objection == nil
        if let objection { problems.append("its chain would not be trusted: \(objection)") }
    }

    /// That a certificate is due and nothing happens.
    private func delay(_ options: CertificateInfoOptions, _ now: Date) -> String? {
        guard let leaf, let renewAt, leaf.notAfter > now, renewAt <= now else { return nil }
        guard subject.wish != nil || options.wanted == nil else {
            return "it is due since \(renewAt.formatted(.iso8601)), and no certs ask for it: remove "
                + "\(subject.paths.directory), or want it"
        }
        guard renewAt.addingTimeInterval(Self.patience) <= now else { return nil }
        return "it is due since \(renewAt.formatted(.iso8601)), and no run has renewed it"
    }

    var json: JSONValue {
        [
            "name": .string(subject.key), "directory": .string(subject.paths.directory),
            "wanted": .bool(subject.wish != nil), "installed": .bool(isUsable),
            "domains": .strings((leaf?.names ?? subject.wish?.names ?? []).map(\.description)),
            "issuer": .optional(leaf?.issuer), "serial": .optional(leaf?.serial),
            "fingerprint_sha256": .optional(leaf?.fingerprintSHA256),
            "not_before": .optional(leaf?.notBefore.formatted(.iso8601)),
            "not_after": .optional(leaf?.notAfter.formatted(.iso8601)),
            "renew_at": .optional(renewAt?.formatted(.iso8601)), "due": .bool(isDue), "reason": .string(reason),
            "key_type": .optional(leaf?.keyType?.rawValue), "key_matches": Self.json(keyMatches),
            "chain_healthy": Self.json(chainIsHealthy), "self_signed": Self.json(isSelfSigned),
            "revoked": .bool(isRevoked), "last_failure": lastFailure.map(Self.json) ?? .null,
            "problems": .strings(problems),
        ]
    }

    private static func json(_ truth: Bool?) -> JSONValue { truth.map { .bool($0) } ?? .null }

    private static func json(_ failure: FailureRecord) -> JSONValue {
        [
            "at": .string(failure.last.formatted(.iso8601)), "error": .string(failure.reason),
            "count": .integer(failure.count), "next_try": .string(failure.next.formatted(.iso8601)),
        ]
    }

    /// Whether it is the certificate for a server of this name.
    func covers(_ name: DomainName) -> Bool { isUsable && leaf?.covers(name) == true }

    /// The certificate that services are to serve; nil where there is none that they could.
    var served: Certificate? { isUsable ? leaf : nil }
}
