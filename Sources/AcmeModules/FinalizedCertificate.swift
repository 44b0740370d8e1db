internal import AnsibleModule
internal import FoundationEssentials
internal import Names
internal import PKI
internal import Store

/// What the finalize step does with one certificate.
struct FinalizedCertificate {
    let options: CertificateOptions
    var outcome: Outcome = .kept
    /// In which its files are to be, PEM apart.
    var forms: [CertificateForm] = []
    /// What was installed before, where it could be read.
    var before: InstalledCertificate?
    /// Whether a run that broke off put that in place, so that those who use its files do not know yet.
    var isUntold = false
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
        case kept
        /// It will do, but its files are not as they should be.
        case differing(Difference)
        case corrected(Difference)
        case renewed
        case failed(String)
    }

    enum Difference {
        /// Owner, group or mode.
        case access
        /// The forms that its files are in, a clause for each.
        case forms([String], of: InstalledCertificate)
    }

    init(_ options: CertificateOptions) {
        self.options = options
    }

    var isRenewed: Bool { if case .renewed = outcome { true } else { false } }

    var isChanged: Bool { isUpdated || hasNewAccess }

    private var hasNewAccess: Bool { if case .corrected(.access) = outcome { true } else { false } }

    /// Whether those who use its files have to be told.
    var isUpdated: Bool { isRewritten || isUntold }

    /// Whether this run put new files in place.
    var isRewritten: Bool {
        switch outcome {
        case .renewed, .corrected(.forms): true
        case .ordered, .withoutOrder, .kept, .differing, .corrected(.access), .failed: false
        }
    }

    /// Whether there is anything to do for it at all.
    var needsWork: Bool {
        switch outcome {
        case .ordered, .differing: true
        case .withoutOrder, .kept, .corrected, .renewed, .failed: isUntold
        }
    }

    var failure: String? {
        switch outcome {
        case .failed(let sentence): sentence
        case .withoutOrder(let reason): "no order is under way, and \(reason); run acme_request_tokens first"
        case .ordered, .kept, .differing, .corrected, .renewed: nil
        }
    }

    var json: JSONValue {
        let leaf = installed ?? before?.chain.leaf
        let paths = options.paths
        return [
            "name": .string(options.key), "domains": .strings(options.names.map(\.description)),
            "domains_unicode": .strings(options.names.map(\.unicode)), "changed": .bool(isChanged),
            "error": .optional(failure),
            "retry_at": .optional(retryAt?.formatted(.iso8601)), "directory": .string(paths.directory),
            "key": .string(paths.key), "cert": .string(paths.cert),
            "chain": .string(paths.chain), "fullchain": .string(paths.fullchain),
            "combined": path(paths.combined, of: .combined), "pkcs12": path(paths.pkcs12, of: .pkcs12),
            "jks": path(paths.jks, of: .jks), "der": path(paths.der, of: .der),
            "key_der": path(paths.keyDER, of: .der),
            "serial": .optional(leaf?.serial), "fingerprint_sha256": .optional(leaf?.fingerprintSHA256),
            "issuer": .optional(leaf?.issuer), "not_before": .optional(leaf?.notBefore.formatted(.iso8601)),
            "not_after": .optional(leaf?.notAfter.formatted(.iso8601)),
        ]
    }

    /// Whether a run that broke off has installed this chain already, in every form.
    func isInPlace(_ chain: CertificateChain) -> Bool {
        guard let before, before.chain.leaf.der == chain.leaf.der else { return false }
        return (try? options.store.differences(of: options.firstName, before, from: forms)) == []
    }

    /// Null where nobody asked for the format.
    private func path(_ path: String, of format: FileFormat) -> JSONValue {
        .optional(options.settings.formats.contains(format) ? path : nil)
    }

    /// One sentence for people: failures first, each with its certificate.
    static func summary(of certificates: [FinalizedCertificate]) -> String {
        let failures = certificates.compactMap { certificate in
            certificate.failure.map { "certificate \(certificate.options.key): \($0)" }
        }
        if !failures.isEmpty { return failures.joined(separator: "; ") }
        let changes: [(String, (FinalizedCertificate) -> Bool)] = [
            ("new certificates", { $0.isRenewed }), ("files made anew", { $0.isRewritten && !$0.isRenewed }),
            ("put in place by a run that broke off, and told of now", { $0.isUntold && !$0.isRewritten }),
            ("owner, group or mode corrected", { $0.hasNewAccess }),
        ]
        let sentences = changes.compactMap { change, isOne -> String? in
            let keys = certificates.filter(isOne).map(\.options.key)
            return keys.isEmpty ? nil : "\(change): " + keys.joined(separator: ", ")
        }
        return sentences.isEmpty ? "nothing to do" : sentences.joined(separator: "; ")
    }

    /// What `--diff` shows: a line for each certificate that is new, or whose files are made anew.
    static func diff(of certificates: [FinalizedCertificate]) -> JSONValue {
        let rewritten = certificates.filter(\.isRewritten)
        let before = rewritten.compactMap { certificate -> String? in
            if case .corrected(.forms(let reasons, _)) = certificate.outcome {
                return line(certificate, reasons.joined(separator: ", "))
            }
            return certificate.before.map { line(certificate, $0.chain.leaf.summary) }
        }
        let after = rewritten.map { line($0, $0.summary) }
        return [
            "before": .string(before.joined()), "after": .string(after.joined()),
            "before_header": "certificates", "after_header": "certificates",
        ]
    }

    private static func line(_ certificate: FinalizedCertificate, _ text: String) -> String {
        "\(certificate.options.key): \(text)\n"
    }

    private var summary: String {
        if case .corrected = outcome {
            let formats = options.settings.formats.union([.pem])
            return "in the formats "
                + FileFormat.allCases.filter(formats.contains).map(\.rawValue).joined(separator: ", ")
        }
        return installed?.summary ?? options.names.map(\.description).joined(separator: " ") + ", a new certificate"
    }
}

extension Certificate {
    /// For a line of a diff.
    var summary: String {
        let names = names.map(\.description).joined(separator: " ")
        return "\(names), serial \(serial), until \(notAfter.formatted(.iso8601))"
    }
}
