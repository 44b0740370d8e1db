internal import ACME
internal import AnsibleModule
internal import DNS
internal import Names
internal import PKI
internal import Platform
internal import Publishers
internal import Store

/// The options that `acme_request_tokens` and `acme_finalize` share, read and checked as a whole before anything is
/// touched.
struct CommonOptions {
    let certificates: [CertificateOptions]
    let authority: Authority
    let account: AccountOptions
    /// PEM bundle trusted for the CA's HTTPS; nil for the system's trust.
    let caPath: String?
    let statePath: String
    let aliases: AliasOptions
    /// Whether CAA records are looked at before an order is made.
    let checksCAA: Bool
    /// Whether the CA is asked when it wants a certificate to be renewed (RFC 9773).
    let usesRenewalInformation: Bool
    /// Seconds for the whole module.
    let timeout: Int

    init(_ invocation: Invocation) throws(OptionError) {
        var options = invocation.options
        authority = try Self.authority(&options)
        account = try AccountOptions(&options)
        caPath = try options.path("ca_path")
        statePath = try options.statePath()
        aliases = try AliasOptions(&options)
        checksCAA = try options.boolean("check_caa", default: true)
        usesRenewalInformation = try options.boolean("use_ari", default: true)
        timeout = try options.timeout()
        try options.checkPrivatePath(isCheckMode: invocation.checkMode)
        certificates = try CertificateOptions.readAll(&options, isCheckMode: invocation.checkMode)
        for certificate in certificates { try certificate.checkForms() }
        try options.rejectUnknown()
    }

    /// The orders under way of a certificate and of others like it.
    func orders(of certificate: CertificateOptions) -> OrderStore {
        StateDirectory(path: statePath).orders(of: authority, place: certificate.ownPlace)
    }

    /// What the CA said of the renewal of a certificate and of others like it.
    func renewals(of certificate: CertificateOptions) -> CertificateNotes<RenewalAnswer> {
        StateDirectory(path: statePath).renewals(of: authority, place: certificate.ownPlace)
    }

    /// The identifier of the installed certificate, for the CA that issued it to know that it is replaced (RFC 9773,
    /// section 5).
    func replaces(_ installed: InstalledCertificate?) -> String? {
        guard usesRenewalInformation, installed?.issuance?.authority == authority else { return nil }
        return installed?.chain.leaf.renewalIdentifier
    }

    private static func authority(_ options: inout Options) throws(OptionError) -> Authority {
        let url = try options.directoryURL()
        return try options.boolean("self_signed", default: false) ? .selfSigned : .directory(url)
    }
}

/// Who we are to the CA.
struct AccountOptions {
    /// Contact URLs (RFC 8555, section 7.3): `mailto:` and an address.
    let contacts: [String]
    /// The account key's file; nil for one in the state.
    let keySource: String?
    let termsAgreed: Bool
    let binding: ExternalAccountBinding?

    /// Whether other hosts may have the key as well: one that an operator puts somewhere is made to be shared.
    var isShared: Bool { keySource != nil }

    var request: AccountRequest {
        AccountRequest(contacts: contacts, termsAgreed: termsAgreed, binding: binding)
    }

    init(_ options: inout Options) throws(OptionError) {
        var contacts: [String] = []
        for address in try options.strings("account_email") ?? [] {
            guard address.contains("@"), !address.contains(where: \.isWhitespace) else {
                throw options.invalid("account_email", "holds '\(address)', which is no e-mail address")
            }
            contacts.append(address.hasPrefix("mailto:") ? address : "mailto:" + address)
        }
        self.contacts = contacts
        keySource = try options.path("account_key_src")
        termsAgreed = try options.boolean("terms_agreed", default: false)
        binding = try Self.binding(&options)
    }

    private static func binding(_ options: inout Options) throws(OptionError) -> ExternalAccountBinding? {
        guard var given = try options.mapping("external_account_binding") else { return nil }
        let identifier = try given.requiredString("kid")
        guard let text = try given.secret("key") else { throw given.missing("key") }
        guard let key = Base64URL.decodeTolerantly(text.revealed), !key.isEmpty else {
            throw given.invalid("key", "must be the key as the CA gave it out, in base64 or base64url")
        }
        let algorithm = try given.choice("alg", default: MessageCodeAlgorithm.hs256)
        try given.rejectUnknown()
        return ExternalAccountBinding(keyIdentifier: identifier, key: Secret(key), algorithm: algorithm)
    }
}

/// Where the challenges' TXT records belong, and how that is checked.
struct AliasOptions {
    let signingDomain: DNSName?
    /// Whether every challenge name must be an alias into the signing domain.
    let isChecked: Bool
    /// The resolvers to ask; none for the system's.
    let resolvers: [ServerAddress]

    init(_ options: inout Options) throws(OptionError) {
        signingDomain = try options.string("signing_domain").map { (text) throws(OptionError) in
            try options.dnsName(text, in: "signing_domain")
        }
        isChecked = try options.boolean("check_cname", default: true)
        resolvers = try options.serverAddresses("dns_servers")
    }
}

extension Options {
    /// The CA, by the URL of its directory.
    mutating func directoryURL() throws(OptionError) -> String {
        let directory = try string("acme_directory") ?? "letsencrypt"
        let url =
            switch directory {
            case "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory"
            case "letsencrypt_staging": "https://acme-staging-v02.api.letsencrypt.org/directory"
            default: directory
            }
        guard url.hasPrefix("https://"), url.utf8.count > 8 else {
            throw invalid(
                "acme_directory", "must be letsencrypt, letsencrypt_staging or an https:// URL, not '\(directory)'")
        }
        return url
    }

    /// Where everything is kept that the next call takes up.
    mutating func statePath() throws(OptionError) -> String {
        try path("state_path", default: "/var/lib/acme-modules")
    }

    /// Seconds for the whole module.
    mutating func timeout() throws(OptionError) -> Int {
        try integer("timeout", default: 300, in: 1...86_400)
    }
}
