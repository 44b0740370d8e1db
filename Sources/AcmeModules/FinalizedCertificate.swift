internal import AnsibleModule
internal import FoundationEssentials
internal import Names
internal import PKI
internal import Store

/// What the finalize step does with one certificate.
struct FinalizedCertificate {
    let options: CertificateOptions
    var outcome: Outcome = .kept(accessDiffers: false)
    /// The certificate that was installed before, where it could be read.
    var before: Certificate?
    /// What a new order says that it replaces.
    var replaces: String?
    /// The one that is installed now, where this run installed it.
    var installed: Certificate?
    /// The moment before which the CA is not asked again after a failure.
    var retryAt: Date?
    /// What an operator should know though it is no failure.
    var warning: String?

    enum Outcome {
        case ordered(OrderRecord, PrivateKey)
        /// It is due, but nobody has ordered it.
        case withoutOrder(reason: String)
        case kept(accessDiffers: Bool)
        case accessCorrected
        case renewed
        case failed(String)
    }

    init(_ options: CertificateOptions) {
        self.options = options
    }

    var isRenewed: Bool { if case .renewed = outcome { true } else { false } }

    var isChanged: Bool {
        switch outcome {
        case .renewed, .accessCorrected: true
        case .ordered, .withoutOrder, .kept, .failed: false
        }
    }

    /// Whether there is anything to do for it at all.
    var needsWork: Bool {
        switch outcome {
        case .ordered, .kept(true): true
        case .withoutOrder, .kept(false), .accessCorrected, .renewed, .failed: false
        }
    }

    var failure: String? {
        switch outcome {
        case .failed(let sentence): sentence
        case .withoutOrder(let reason): "no order is under way, and \(reason); run acme_request_tokens first"
        case .ordered, .kept, .accessCorrected, .renewed: nil
        }
    }

    var json: JSONValue {
        let leaf = installed ?? before
        let paths = options.paths
        return [
            "name": .string(options.key), "domains": .strings(options.names.map(\.description)),
            "domains_unicode": .strings(options.names.map(\.unicode)), "changed": .bool(isChanged),
            "error": .optional(failure),
            "retry_at": .optional(retryAt?.formatted(.iso8601)), "directory": .string(paths.directory),
            "key": .string(paths.key), "cert": .string(paths.cert),
            "chain": .string(paths.chain), "fullchain": .string(paths.fullchain),
            "serial": .optional(leaf?.serial), "fingerprint_sha256": .optional(leaf?.fingerprintSHA256),
            "issuer": .optional(leaf?.issuer), "not_before": .optional(leaf?.notBefore.formatted(.iso8601)),
            "not_after": .optional(leaf?.notAfter.formatted(.iso8601)),
        ]
    }

    /// One sentence for people: failures first, each with its certificate.
    static func summary(of certificates: [FinalizedCertificate]) -> String {
        let failures = certificates.compactMap { certificate in
            certificate.failure.map { "certificate \(certificate.options.key): \($0)" }
        }
        if !failures.isEmpty { return failures.joined(separator: "; ") }
        let renewed = certificates.filter(\.isRenewed).map(\.options.key)
        if !renewed.isEmpty { return "new certificates: " + renewed.joined(separator: ", ") }
        let corrected = certificates.filter(\.isChanged).map(\.options.key)
        if !corrected.isEmpty { return "owner, group or mode corrected: " + corrected.joined(separator: ", ") }
        return "nothing to do"
    }

    /// What `--diff` shows: a line for each certificate that is new.
    static func diff(of certificates: [FinalizedCertificate]) -> JSONValue {
        let renewed = certificates.filter(\.isRenewed)
        let before = renewed.compactMap { certificate in certificate.before.map { line(certificate, $0) } }
        let after = renewed.map { certificate in
            certificate.installed.map { line(certificate, $0) } ?? line(certificate, "a new certificate")
        }
        return [
            "before": .string(before.joined()), "after": .string(after.joined()),
            "before_header": "certificates", "after_header": "certificates",
        ]
    }

    private static func line(_ certificate: FinalizedCertificate, _ leaf: Certificate) -> String {
        "\(certificate.options.key): \(leaf.summary)\n"
    }

    private static func line(_ certificate: FinalizedCertificate, _ text: String) -> String {
        let names = certificate.options.names.map(\.description).joined(separator: " ")
        return "\(certificate.options.key): \(names), \(text)\n"
    }
}

extension Certificate {
    /// For a line of a diff.
    var summary: String {
        let names = names.map(\.description).joined(separator: " ")
        return "\(names), serial \(serial), until \(notAfter.formatted(.iso8601))"
    }
}
