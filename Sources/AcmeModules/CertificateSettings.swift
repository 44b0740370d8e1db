internal import AnsibleModule
internal import PKI
internal import Platform
internal import Store

/// The options that may also stand per certificate in `certs`.
struct CertificateSettings {
    /// Nil where nobody said.
    let givenKeyType: KeyType?
    let remainingDays: Int
    let force: Bool
    /// The kind of certificate, of those that the CA offers; nil for its default.
    let profile: String?
    /// The common name of the issuer of the topmost certificate of the chain that is wanted; nil for the CA's choice.
    let preferredChain: String?
    /// Whether a renewal keeps the private key.
    let reuseKey: Bool
    /// The directory in which the certificate's own one is.
    let certPath: String
    /// The forms in which key and chain are kept; PEM always.
    let formats: Set<FileFormat>
    /// Where the passphrase of the key stores is; nil where none was named.
    let passphraseFile: String?
    private let owner: String
    private let group: String
    private let mode: UInt32
    /// Of the private key and of everything that holds it.
    let access: FileAccess

    var keyType: KeyType { givenKeyType ?? .ec256 }

    static let standard = CertificateSettings(certPath: "/etc/letsencrypt-certs")

    /// The usual ones, for certificates in another place.
    static func standard(in certPath: String) -> CertificateSettings { CertificateSettings(certPath: certPath) }

    /// Whether one certificate can be both of two that have these and those settings.
    func wishesTheSame(as other: CertificateSettings) -> Bool {
        keyType == other.keyType && remainingDays == other.remainingDays && profile == other.profile
            && preferredChain == other.preferredChain && reuseKey == other.reuseKey
    }

    private init(certPath: String) {
        givenKeyType = nil
        remainingDays = 30
        force = false
        profile = nil
        preferredChain = nil
        reuseKey = false
        self.certPath = certPath
        formats = []
        passphraseFile = nil
        owner = "root"
        group = "letsencrypt"
        mode = 0o640
        access = FileAccess(owner: 0, group: 0, mode: 0o640)
    }

    /// Reads what is given, and takes the rest from `defaults`. Under check mode a user or group may still be missing:
    /// the run before this one would have made it.
    init(_ options: inout Options, defaults: CertificateSettings, isCheckMode: Bool) throws(OptionError) {
        givenKeyType = try options.choice("key_type") ?? defaults.givenKeyType
        remainingDays = try options.integer("remaining_days", default: defaults.remainingDays, in: 0...3650)
        force = try options.boolean("force", default: defaults.force)
        profile = try options.string("profile") ?? defaults.profile
        preferredChain = try options.string("preferred_chain") ?? defaults.preferredChain
        reuseKey = try options.boolean("reuse_key", default: defaults.reuseKey)
        certPath = try options.path("cert_path", default: defaults.certPath)
        formats = try options.choices("formats").map(Set.init) ?? defaults.formats
        passphraseFile = try options.path("passphrase_file") ?? defaults.passphraseFile
        owner = try options.string("owner") ?? defaults.owner
        group = try options.string("group") ?? defaults.group
        mode = try Self.mode(&options, default: defaults.mode)
        let user = Accounts.userID(owner)
        let groupID = Accounts.groupID(group)
        guard isCheckMode || user != nil else {
            throw options.invalid("owner", "is '\(owner)', and this host has no such user; make it, or name another")
        }
        guard isCheckMode || groupID != nil else {
            throw options.invalid(
                "group",
                "is '\(group)', and this host has no such group; make it (role letsencrypt_install does), "
                    + "or name another")
        }
        access = FileAccess(owner: user ?? 0, group: groupID ?? 0, mode: mode)
    }

    private static func mode(_ options: inout Options, default fallback: UInt32) throws(OptionError) -> UInt32 {
        let mode = try options.permissions("mode", default: fallback)
        guard mode & ~0o660 == 0, mode & 0o400 != 0, mode & 0o060 != 0o020 else {
            throw options.invalid(
                "mode",
                "is that of private keys: readable for the owner, nothing for others, nothing to execute; "
                    + "give one like \"0640\", in quotes")
        }
        return mode
    }
}
