internal import AnsibleModule
internal import Names

/// The options of `acme_plan`: what each host wants, with what `acme_request_tokens` said of it under check mode.
struct PlanOptions {
    /// In the order of hosts and keys.
    let certificates: [PlannedCertificate]
    let limits: PlanLimits

    init(_ invocation: Invocation) throws(OptionError) {
        var options = invocation.options
        guard var hosts = try options.mapping("hosts") else { throw options.missing("hosts") }
        var certificates: [PlannedCertificate] = []
        for name in hosts.names {
            guard var own = try hosts.mapping(name) else { throw hosts.invalid(name, "must be a mapping, not null") }
            certificates += try PlannedHost(name, &own, isReached: true).certificates
        }
        if var unreachable = try options.mapping("unreachable") {
            for name in unreachable.names {
                let certs = unreachable.value(name) ?? [:]
                var own = Options(["certs": certs], path: unreachable.path(of: name))
                certificates += try PlannedHost(name, &own, isReached: false).certificates
            }
        }
        self.certificates = Self.agreed(certificates).sorted { ($0.host, $0.key) < ($1.host, $1.key) }
        limits = PlanLimits(
            perDomain: try options.integer("certificates_per_domain", default: 50, in: 1...1_000_000),
            perAccount: try options.integer("orders_per_account", default: 300, in: 1...1_000_000),
            perNames: try options.integer("certificates_per_names", default: 5, in: 1...1_000_000),
            perAddress: try options.integer("accounts_per_address", default: 10, in: 1...1_000_000))
        try options.rejectUnknown()
    }

    /// An account that one host knows exists for all that share it.
    private static func agreed(_ certificates: [PlannedCertificate]) -> [PlannedCertificate] {
        let existing = Set(certificates.map(\.account).filter(\.exists))
        return certificates.map { certificate in
            var certificate = certificate
            certificate.account.exists = existing.contains(certificate.account)
            return certificate
        }
    }
}

/// What one host wants. A certificate of which nothing could be found out counts as a new one.
private struct PlannedHost {
    let certificates: [PlannedCertificate]

    init(_ host: String, _ own: inout Options, isReached: Bool) throws(OptionError) {
        let requested = Answer(try own.mapping("requested"))
        let unhandled = Answer(try own.mapping("unhandled"))
        let account = requested.account(of: host, named: try own.string("account") ?? host)
        var certs = try own.mapping("certs") ?? Options([:])
        try own.rejectUnknown()
        certificates = try certs.names.map { (key) throws(OptionError) in
            let domains = try Self.domains(&certs, key)
            let (names, invalid) = Self.names(domains, key)
            let (action, reason): (PlannedCertificate.Action, String?)
            if let invalid {
                (action, reason) = (.fail, invalid)
            } else if !isReached {
                (action, reason) = (.order(.new), "the host cannot be reached: counted as new")
            } else if let found = unhandled.certificates[key] {
                let isValid = found["action"]?.string == "none"
                (action, reason) = isValid ? Self.judge(found) : (.fail, "no handler \"letsencrypt updated \(key)\"")
            } else if let found = requested.certificates[key] {
                (action, reason) = Self.judge(found)
            } else if let failure = requested.failure {
                (action, reason) = (.fail, failure)
            } else {
                (action, reason) = (.order(.new), "the agent is not installed there yet: counted as new")
            }
            return PlannedCertificate(
                host: host, account: account, key: key, names: names, action: action, reason: reason)
        }
    }

    private static func domains(_ certs: inout Options, _ key: String) throws(OptionError) -> [String] {
        guard certs.isMapping(key), var own = try certs.mapping(key) else { return try certs.strings(key) ?? [] }
        return try own.strings("domains") ?? []
    }

    private static func names(_ domains: [String], _ key: String) -> ([DomainName], invalid: String?) {
        do {
            return (try CertificateOptions.names(domains, of: key), nil)
        } catch {
            return ([], error.description)
        }
    }

    private static func judge(_ found: JSONValue) -> (PlannedCertificate.Action, String?) {
        let reason = found["reason"]?.string
        switch found["action"]?.string {
        case "none": return (.none, reason)
        case "authorize", "finalize":
            let count = found["counts_as"]?.string.flatMap(OrderCount.init)
            return (count.map { .order($0) } ?? .goOn, reason)
        default: return (.fail, found["error"]?.string ?? reason)
        }
    }
}

/// What `acme_request_tokens` returned, as Ansible registers it.
private struct Answer {
    /// By the certificate's key.
    private(set) var certificates: [String: JSONValue] = [:]
    /// What the whole call failed with.
    private(set) var failure: String?
    /// Nil where nobody was asked.
    private var account: JSONValue?

    /// By its key where that is known. A key that is still to be made will be the host's own; of the hosts that could not
    /// be asked, those with one name for it are taken to share it.
    func account(of host: String, named name: String) -> PlannedAccount {
        guard let account else { return PlannedAccount(directory: nil, identity: name, name: name) }
        return PlannedAccount(
            directory: account["directory"]?.string, identity: account["thumbprint"]?.string ?? host, name: name,
            exists: account["url"]?.string != nil)
    }

    init(_ registered: Options?) {
        guard var registered else { return }
        for certificate in registered.value("certificates")?.array ?? [] {
            if let name = certificate["name"]?.string { certificates[name] = certificate }
        }
        account = registered.value("account").flatMap { $0 == .null ? nil : $0 }
        if registered.value("failed")?.bool == true {
            failure = registered.value("msg")?.string ?? "acme_request_tokens failed without a message"
        }
    }
}
