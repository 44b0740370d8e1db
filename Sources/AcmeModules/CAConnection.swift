internal import ACME
internal import DNS
internal import HTTP
internal import PKI
internal import Platform
internal import Store

/// A client of one CA with the account from the state, and what the phase before saved for it.
struct CAConnection {
    let client: Client
    private let key: PrivateKey
    private let keyPath: String
    private let accounts: AccountStore

    /// Prepares the account key and the client; sends nothing yet, unless a change of the account's key broke off.
    init(_ directory: String, _ options: CommonOptions, state: StateDirectory, deadline: Deadline) throws {
        accounts = state.accounts(of: .directory(directory))
        let transport = try CurlTransport(caBundle: options.caPath, userAgent: Version.userAgent)
        let source = options.account.keySource
        let session = CASession(directory, transport: transport, deadline: deadline)
        try KeyRollover(accounts: accounts, source: source, session: session).settle()
        key = try accounts.makeKey(source: source)
        keyPath = accounts.keyPath(source)
        client = Client(
            directoryURL: directory, key: key, transport: transport, deadline: deadline,
            cache: accounts.savedSession())
        client.account = try accounts.account(of: key)
        client.sharesAccount = options.account.isShared
    }

    var hasAccount: Bool { client.account != nil }

    /// The CA as CAA records see it. Its directory, which every order needs, is asked for unless it is known.
    func issuer() throws -> CAAIssuer {
        CAAIssuer(identities: try client.caaIdentities(), account: client.account?.url)
    }

    /// The same from what earlier runs have left, without a request: for check mode.
    static func rememberedIssuer(_ directory: String, _ options: CommonOptions, state: StateDirectory) -> CAAIssuer {
        let identities = rememberedDirectory(directory, state: state)?.meta?.caaIdentities ?? []
        return CAAIssuer(
            identities: identities, account: rememberedAccount(directory, options, state: state).account?.url)
    }

    /// The account's key and what is known of it; nothing of what cannot be read.
    static func rememberedAccount(
        _ directory: String, _ options: CommonOptions, state: StateDirectory
    ) -> (key: PrivateKey?, account: AccountRecord?) {
        let accounts = state.accounts(of: .directory(directory))
        let key = try? accounts.key(source: options.account.keySource)
        return (key, key.flatMap { try? accounts.account(of: $0) })
    }

    /// The CA's directory as it was read last, whenever that was.
    static func rememberedDirectory(_ url: String, state: StateDirectory) -> Directory? {
        state.accounts(of: .directory(url)).savedSession().flatMap { $0.directoryURL == url ? $0.directory : nil }
    }

    /// Opens the account where the state knows none, or the CA not any more (RFC 8555, section 7.3); tells whether the CA
    /// made a new one. One that is there with other contacts is told them by its URL, for which a CA wants neither terms
    /// nor an external account again. A CA that does not take them is a warning: orders need an account, not contacts.
    func openAccount(_ options: AccountOptions) throws -> (wasMade: Bool, warning: String?) {
        var wasMade = try client.account == nil && findOrMakeAccount(options)
        do {
            try tell(options.contacts)
        } catch let error as ACMEError {
            guard error.accountIsUnknown else {
                return (wasMade, "\(error); orders go on, and the next one tries again: correct account_email")
            }
            wasMade = try findOrMakeAccount(options)
        }
        return (wasMade, nil)
    }

    private func findOrMakeAccount(_ options: AccountOptions) throws -> Bool {
        let (account, wasMade) = try client.openAccount(options.request)
        try accounts.save(account, of: key)
        return wasMade
    }

    private func tell(_ contacts: [String]) throws {
        guard var account = client.account, account.hasToBeTold(contacts, after: nil) else { return }
        try client.changeContacts(to: contacts)
        account.contacts = contacts
        client.account = account
        try accounts.save(account, of: key)
    }

    /// Throws where a certificate's key is the account's: CAs refuse that, and whoever gets hold of the one has the other.
    func refuse(_ certificateKey: PrivateKey, of certificate: CertificateOptions) throws(StoreError) {
        guard let problem = certificate.problem(certificateKey, isAccountKey: key, at: keyPath) else { return }
        throw StoreError(problem)
    }

    /// Forgets an account that the CA says it does not know, so that the next run opens it again.
    func forgetAccount() throws {
        try accounts.forgetAccount(of: key)
        client.account = nil
    }

    /// Keeps the nonces and the directory for the next phase: they only save requests, so that a failure to keep
    /// them fails nothing.
    func saveSession() {
        try? accounts.save(client.cache)
    }
}
