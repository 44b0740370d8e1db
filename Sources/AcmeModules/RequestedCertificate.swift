internal import ACME
internal import AnsibleModule
internal import FoundationEssentials
internal import Names
internal import PKI
internal import Store

/// What the request step finds out about one certificate.
struct RequestedCertificate {
    let certificate: CertificateOptions
    var outcome: Outcome = .due
    /// Why it is due.
    var reason: String?
    /// What is installed and belongs together.
    private(set) var installed: InstalledCertificate?
    /// Where the CA that issued what is installed has renewal information; nil where it has none.
    var renewalInfo: String?
    /// Whether the order that was made, or would be under check mode, says that it replaces what is installed.
    var isReplacement = false
    /// When the CA wants it to be renewed; nil where it did not say.
    var suggestion: RenewalSuggestion?
    /// The moment before which the CA is not asked again after a failure.
    var retryAt: Date?
    /// What an operator should know though it is no failure.
    var warning: String?

    enum Outcome {
        case due
        case kept(String)
        case ordered(OrderRecord, wasMade: Bool)
        case failed(String)
    }

    init(certificate: CertificateOptions) {
        self.certificate = certificate
    }

    mutating func note(_ installation: Installation) {
        guard case .complete(let installed) = installation else { return }
        self.installed = installed
    }

    /// An order under way may hold the key that is installed, and that may have been revoked meanwhile.
    func wasRevoked(with key: PrivateKey) -> Bool { installed?.wasRevoked(with: key) ?? false }

    mutating func warn(_ sentence: String?) {
        guard let sentence, warning?.contains(sentence) != true else { return }
        warning = [warning, sentence].compactMap(\.self).joined(separator: "; ")
    }

    var isDue: Bool { if case .due = outcome { true } else { false } }

    var failure: String? { if case .failed(let sentence) = outcome { sentence } else { nil } }

    /// The challenges that wait for their TXT records.
    var challenges: [RequestedChallenge] {
        guard case .ordered(let record, _) = outcome else { return [] }
        switch record.work {
        case .order(let order):
            return order.challenges.map { RequestedChallenge(domain: $0.domain, value: $0.value) }
        case .selfSigned(let tokens):
            return tokens.map { RequestedChallenge(domain: $0.domain, value: $0.value) }
        }
    }

    private var action: String {
        switch outcome {
        case .kept: "none"
        case .ordered: challenges.isEmpty ? "finalize" : "authorize"
        case .due, .failed: "failed"
        }
    }

    private var explanation: String? { if case .kept(let reason) = outcome { reason } else { reason } }

    /// How a CA with limits counts the order that was made, or would be under check mode: a replacement of the
    /// certificate that is there (RFC 9773, section 5), a renewal with the same names, or one more certificate. One that
    /// another program obtained is taken to be from the same CA.
    private func count(_ options: CommonOptions) -> OrderCount? {
        guard case .ordered(_, wasMade: true) = outcome, options.authority != .selfSigned else { return nil }
        if isReplacement { return .replacement }
        guard let installed, Set(installed.chain.leaf.names) == Set(certificate.names) else { return .new }
        let isFromThere =
            installed.issuance.map { $0.authority == options.authority } ?? !installed.chain.leaf.isSelfIssued
        return isFromThere ? .renewal : .new
    }

    func json(_ options: CommonOptions) -> JSONValue {
        let leaf = installed?.chain.leaf
        let renewAt = leaf.map {
            certificate.wanted(from: options.authority, suggestion: suggestion).renewalTime(of: $0)
        }
        return [
            "name": .string(certificate.key), "domains": .strings(certificate.names.map(\.description)),
            "domains_unicode": .strings(certificate.names.map(\.unicode)),
            "action": .string(action), "reason": .optional(explanation),
            "not_after": .optional(leaf?.notAfter.formatted(.iso8601)),
            "renew_at": .optional(renewAt?.formatted(.iso8601)), "error": .optional(failure),
            "retry_at": .optional(retryAt?.formatted(.iso8601)),
            "counts_as": .optional(count(options)?.rawValue),
        ]
    }

    /// One sentence for people: failures first, each with its certificate.
    static func summary(of requests: [RequestedCertificate], tokens: Int) -> String {
        let failures = requests.compactMap { request in
            request.failure.map { "certificate \(request.certificate.key): \($0)" }
        }
        if !failures.isEmpty { return failures.joined(separator: "; ") }
        let due = requests.filter { if case .kept = $0.outcome { false } else { true } }
        guard !due.isEmpty else {
            return requests.count == 1 ? "the certificate is valid" : "all \(requests.count) certificates are valid"
        }
        let names = due.map(\.certificate.key).joined(separator: ", ")
        return tokens == 0
            ? "\(names): ready to be finalized, no TXT record is needed"
            : "\(names): \(tokens) TXT \(tokens == 1 ? "record is" : "records are") to be published"
    }
}

/// What an order is in the eyes of a CA that limits how many certificates it issues.
enum OrderCount: String {
    case new
    /// With exactly the names of a certificate that there is.
    case renewal
    /// Of a certificate that the order names.
    case replacement
}

/// A challenge's TXT record as Ansible hands it on.
struct RequestedChallenge {
    /// The name without `*.`.
    let domain: String
    let value: String

    func txtRecord(of certificate: CertificateOptions, _ preflight: Preflight?) -> JSONValue {
        let record = "_acme-challenge." + domain
        let target = (try? DNSName(record)).flatMap { preflight?.target(of: $0) }
        return [
            "certificate": .string(certificate.key), "domain": .string(domain), "record": .string(record),
            "target": .string(target?.description ?? record), "value": .string(value),
        ]
    }
}
