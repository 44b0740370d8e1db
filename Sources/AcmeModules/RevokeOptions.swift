internal import ACME
internal import AnsibleModule
internal import Names
internal import Store

/// The options of `acme_revoke`, read and checked as a whole before anything is touched.
struct RevokeOptions {
    /// Which certificate is meant.
    enum Subject {
        /// The installed one whose first name is the first of these; it must hold all of them.
        case installed(key: String, names: [DomainName])
        /// The first one in this PEM file.
        case file(path: String)
    }

    let subject: Subject
    /// The one that the certificate must have to be revoked; nil for any.
    let serial: SerialNumber?
    let reason: RevocationReason
    /// The file of the certificate's own key, which signs instead of the account's.
    let privateKey: String?
    let endsAuthorizations: Bool
    /// The CA's directory URL.
    let directory: String
    /// The account key's file; nil for the one in the state.
    let keySource: String?
    /// PEM bundle trusted for the CA's HTTPS; nil for the system's trust.
    let caPath: String?
    let store: CertificateStore
    let statePath: String
    /// Seconds for the whole module.
    let timeout: Int

    init(_ invocation: Invocation) throws(OptionError) {
        var options = invocation.options
        subject = try Self.subject(&options)
        serial = try Self.serial(&options)
        reason = try Self.reason(&options)
        privateKey = try options.path("private_key")
        endsAuthorizations = try options.boolean("deactivate_authorizations", default: false)
        directory = try options.directoryURL()
        keySource = try options.path("account_key_src")
        caPath = try options.path("ca_path")
        store = CertificateStore(path: try options.path("cert_path", default: "/etc/letsencrypt-certs"))
        statePath = try options.statePath()
        timeout = try options.timeout()
        try options.checkPrivatePath(isCheckMode: invocation.checkMode)
        try options.rejectUnknown()
    }

    var accounts: AccountStore { StateDirectory(path: statePath).accounts(of: .directory(directory)) }

    private static func subject(_ options: inout Options) throws(OptionError) -> Subject {
        let key = try options.string("name")
        let domains = try options.strings("domains")
        let file = try options.path("certificate")
        switch (domains, file) {
        case (.some, .some):
            throw OptionError("domains and certificate exclude each other: name the certificate in one way")
        case (.some(let domains), nil):
            let key = key ?? domains.first ?? ""
            return .installed(key: key, names: try CertificateOptions.names(domains, of: key))
        case (nil, .some) where key != nil:
            throw OptionError("name and certificate exclude each other: name goes with domains")
        case (nil, .some(let path)): return .file(path: path)
        case (nil, nil):
            throw OptionError(
                "domains is missing: give the first name of an installed certificate in domains, or a file in "
                    + "certificate")
        }
    }

    private static func serial(_ options: inout Options) throws(OptionError) -> SerialNumber? {
        guard let text = try options.string("serial") else { return nil }
        guard let serial = SerialNumber(text) else {
            throw options.invalid("serial", "must be a serial number in hexadecimal, not \"\(text.prefix(60))\"")
        }
        return serial
    }

    private static func reason(_ options: inout Options) throws(OptionError) -> RevocationReason {
        guard let text = try options.string("reason") else { return .unspecified }
        let found = RevocationReason.allCases.first { $0.rawValue == text || String($0.code) == text }
        guard let found else {
            let known = RevocationReason.allCases.map { "\($0.rawValue) (\($0.code))" }.joined(separator: ", ")
            throw options.invalid("reason", "must be one of \(known), not \"\(text.prefix(40))\"")
        }
        return found
    }
}

/// A certificate's serial number, however it is written: in either case, with colons, with zeros before it.
struct SerialNumber: Equatable {
    private let digits: String

    /// Nil for what is no hexadecimal number.
    init?(_ text: String) {
        let digits = text.filter { $0 != ":" }.uppercased()
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
        self.digits = String(digits.drop { $0 == "0" })
    }
}
