internal import AnsibleModule
internal import PKI
internal import Store

/// The options of `acme_account`, read and checked as a whole before anything is touched.
struct ManageAccountOptions {
    enum State: String, CaseIterable { case present, absent }

    /// What is to become of the account's key.
    enum KeyWish: Equatable {
        case keep
        /// A new one each time.
        case rotate
        /// The one in this file.
        case use(path: String)
    }

    let state: State
    /// The CA's directory URL.
    let directory: String
    let account: AccountOptions
    /// Of keys that are made.
    let keyType: KeyType
    let key: KeyWish
    /// PEM bundle trusted for the CA's HTTPS; nil for the system's trust.
    let caPath: String?
    let statePath: String
    /// Seconds for the whole module.
    let timeout: Int

    init(_ invocation: Invocation) throws(OptionError) {
        var options = invocation.options
        state = try options.choice("state", default: State.present)
        directory = try options.directoryURL()
        account = try AccountOptions(&options)
        keyType = try options.choice("account_key_type", default: KeyType.ec256)
        key = try Self.key(&options)
        caPath = try options.path("ca_path")
        statePath = try options.statePath()
        timeout = try options.timeout()
        try options.checkPrivatePath(isCheckMode: invocation.checkMode)
        try options.rejectUnknown()
        guard state == .present || key == .keep else {
            throw OptionError("state absent, and rotate_key or new_account_key_src, exclude each other")
        }
        if case .use(let path) = key { try checkPlace(of: path, options) }
    }

    /// The new key is in a file of the operator's, not where the old one is, nor where a change keeps its own copy.
    private func checkPlace(of path: String, _ options: Options) throws(OptionError) {
        guard path != keyPath else {
            throw options.invalid(
                "new_account_key_src",
                "is the file of the account key: leave the old key there, and put the new one into its own")
        }
        guard path != accounts.nextKeyPath(account.keySource) else {
            throw options.invalid(
                "new_account_key_src", "is where a change of key keeps its own copy: put the new key into another file")
        }
    }

    private static func key(_ options: inout Options) throws(OptionError) -> KeyWish {
        let path = try options.path("new_account_key_src")
        let isRotated = try options.boolean("rotate_key", default: false)
        guard let path else { return isRotated ? .rotate : .keep }
        guard !isRotated else {
            throw OptionError("rotate_key, which makes a key, and new_account_key_src exclude each other")
        }
        return .use(path: path)
    }

    var accounts: AccountStore { StateDirectory(path: statePath).accounts(of: .directory(directory)) }

    /// Where the account key is.
    var keyPath: String { accounts.keyPath(account.keySource) }
}
