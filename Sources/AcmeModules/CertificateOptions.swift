internal import AnsibleModule
internal import Names
internal import PKI
internal import Platform
internal import Store

/// One certificate that a host wants: an entry of `certs`, or `name` and `domains`.
struct CertificateOptions {
    /// What the operator calls it; handlers are named after it.
    let key: String
    /// Each name once, in the operator's order; the first names the files.
    let names: [DomainName]
    let settings: CertificateSettings
    /// Its `cert_path` where that is another than the module's: certificates of two places may have the same first name.
    let ownPlace: String?

    var firstName: DomainName { names[0] }

    /// Where the certificate is kept.
    var store: CertificateStore { CertificateStore(path: settings.certPath) }

    var paths: CertificatePaths { store.paths(of: firstName) }

    /// At most so many names go on one certificate (S11).
    static let mostNames = 100

    private init(
        key: String, domains: [String], settings: CertificateSettings, common: CertificateSettings
    ) throws(OptionError) {
        self.key = key
        self.settings = settings
        ownPlace = settings.certPath == common.certPath ? nil : settings.certPath
        names = try Self.names(domains, of: key)
    }

    /// Each name of a certificate once; refused where no certificate can have them.
    static func names(_ domains: [String], of key: String) throws(OptionError) -> [DomainName] {
        var names: [DomainName] = []
        for domain in domains {
            let name = try Self.name(domain, of: key)
            if !names.contains(name) { names.append(name) }
        }
        try check(names, of: key)
        return names
    }

    func wanted(from authority: Authority, suggestion: RenewalSuggestion?) -> WantedCertificate {
        WantedCertificate(
            names: names, keyType: settings.keyType, authority: authority, remainingDays: settings.remainingDays,
            force: settings.force, profile: settings.profile, suggestion: suggestion)
    }

    /// What is wrong where a key of the certificate's is that of the account as well; nil where it is not.
    func problem(_ key: PrivateKey, isAccountKey account: PrivateKey, at path: String) -> String? {
        guard key.publicKeyInfo == account.publicKeyInfo else { return nil }
        return "its private key is the account key \(path) as well, and an account key must never be a certificate's: "
            + "give account_key_src another file, or remove \(paths.key)"
    }

    /// Whether an order under way is one for this certificate.
    func isServed(by record: OrderRecord) -> Bool {
        record.serves(names, settings.keyType, profile: settings.profile)
    }

    /// The same without a wish for a younger certificate: any that is still valid will do.
    func wantedAtLeast(from authority: Authority) -> WantedCertificate {
        WantedCertificate(
            names: names, keyType: settings.keyType, authority: authority, remainingDays: 0, force: false,
            profile: settings.profile)
    }
}

extension CertificateOptions {
    /// Reads `certs`, or `name` and `domains`, in the order of their keys.
    static func readAll(_ options: inout Options, isCheckMode: Bool) throws(OptionError) -> [CertificateOptions] {
        let common = try CertificateSettings(&options, defaults: .standard, isCheckMode: isCheckMode)
        return try readAll(&options, common, isCheckMode: isCheckMode)
    }

    /// The same with settings that were read already.
    static func readAll(
        _ options: inout Options, _ common: CertificateSettings, isCheckMode: Bool
    ) throws(OptionError) -> [CertificateOptions] {
        let name = try options.string("name")
        let domains = try options.strings("domains")
        let certs = try options.mapping("certs")
        switch (certs, domains) {
        case (.some, .some):
            throw OptionError("certs and domains exclude each other: use certs, or name and domains for one")
        case (.some, nil) where name != nil:
            throw OptionError("certs and name exclude each other: use certs, or name and domains for one")
        case (.some(let certs), nil):
            return try read(certs, common, isCheckMode: isCheckMode)
        case (nil, .some(let domains)):
            let key = name ?? domains.first ?? ""
            return [try CertificateOptions(key: key, domains: domains, settings: common, common: common)]
        case (nil, nil):
            throw OptionError("certs is missing: give certs, or name and domains for one certificate")
        }
    }

    /// Reads the mapping `certs`. Under check mode users and groups may still be missing.
    static func read(
        _ certs: Options, _ common: CertificateSettings, isCheckMode: Bool = true
    ) throws(OptionError) -> [CertificateOptions] {
        var certs = certs
        let all = try certs.names.map { (key) throws(OptionError) in
            guard !key.isEmpty else { throw OptionError("a certificate's key must not be empty") }
            guard certs.isMapping(key), var own = try certs.mapping(key) else {
                let domains = try certs.strings(key) ?? []
                return try CertificateOptions(key: key, domains: domains, settings: common, common: common)
            }
            let domains = try own.strings("domains") ?? []
            let settings = try CertificateSettings(&own, defaults: common, isCheckMode: isCheckMode)
            try own.rejectUnknown()
            return try CertificateOptions(key: key, domains: domains, settings: settings, common: common)
        }
        try checkFirstNames(all)
        try checkNameSets(all)
        return all
    }

    /// A name as operators write it: perhaps with the port that certcheck asks.
    private static func name(_ text: String, of key: String) throws(OptionError) -> DomainName {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, UInt16(parts[1]) == nil {
            throw OptionError("certificate \(key): '\(text)' has a port that is no number")
        }
        do {
            return try DomainName(parts.isEmpty ? "" : String(parts[0]))
        } catch {
            throw OptionError("certificate \(key): \(error)")
        }
    }

    private static func check(_ names: [DomainName], of key: String) throws(OptionError) {
        guard let first = names.first else { throw OptionError("certificate \(key) has no domains") }
        guard names.count <= mostNames else {
            throw OptionError("certificate \(key) has \(names.count) names; a CA takes at most \(mostNames)")
        }
        guard first.fileName.utf8.count <= 251 else {
            throw OptionError("certificate \(key): its first name is too long to name files; put a shorter one first")
        }
        for wildcard in names where wildcard.isWildcard {
            if let other = names.first(where: wildcard.covers) {
                throw OptionError("certificate \(key): \(other) is covered by \(wildcard) already; remove one of them")
            }
        }
        for name in names {
            do {
                _ = try name.challengeName()
            } catch {
                throw OptionError("certificate \(key): the challenge name of \(name) would be too long: \(error)")
            }
        }
    }

    /// A CA may hand out one order for two requests with the same names, and only one of their keys can end it.
    private static func checkNameSets(_ all: [CertificateOptions]) throws(OptionError) {
        var seen: [Set<DomainName>: String] = [:]
        for certificate in all {
            if let other = seen.updateValue(certificate.key, forKey: Set(certificate.names)) {
                throw OptionError("certificates \(other) and \(certificate.key) have the same names; keep one of them")
            }
        }
    }

    private static func checkFirstNames(_ all: [CertificateOptions]) throws(OptionError) {
        var seen: [String: String] = [:]
        for certificate in all {
            if let other = seen.updateValue(certificate.key, forKey: certificate.paths.directory) {
                throw OptionError(
                    "certificates \(other) and \(certificate.key) have the same first name "
                        + "\(certificate.firstName), which names their files; give one another first name or cert_path")
            }
        }
    }
}
