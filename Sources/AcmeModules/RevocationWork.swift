internal import ACME
internal import PKI
internal import Store

/// What is left to do about a certificate that is to be revoked, and who signs for it.
struct RevocationWork {
    let options: RevokeOptions
    let subject: RevocationSubject
    let isRevocationDue: Bool
    let areAuthorizationsDue: Bool

    /// Throws where a key that has to sign is not there, is another certificate's, or where nobody knows what
    /// authorizations there were. Asks nobody.
    func checkSigner() throws {
        if isRevocationDue, options.privateKey != nil { _ = try certificateKey() }
        if areAuthorizationsDue { _ = try authorizations() }
        if areAuthorizationsDue || options.privateKey == nil { _ = try accountKey() }
    }

    func revoke(_ session: CASession) throws -> RevocationOutcome {
        guard options.privateKey == nil else {
            return try session.client(try certificateKey())
                .revoke(subject.leaf, because: options.reason, signer: .certificateKey)
        }
        return try accountClient(session).revoke(subject.leaf, because: options.reason, signer: .account)
    }

    /// Deactivates the authorizations that the certificate was issued upon; the names of those that still were any.
    func endAuthorizations(_ session: CASession) throws -> (names: [String], failure: ACMEError?) {
        try accountClient(session).deactivateAuthorizations(try authorizations())
    }

    private func certificateKey() throws -> PrivateKey {
        let path = options.privateKey ?? ""
        guard let key = try AccountStore.readKey(path) else { throw StoreError("the private key \(path) is not there") }
        guard subject.leaf.isFor(key) else {
            throw StoreError(
                "\(path) is not the key of the certificate \(subject.leaf.label) (serial \(subject.leaf.serial)), and "
                    + "only its own key, or the account, can revoke it")
        }
        return key
    }

    private func accountKey() throws -> PrivateKey {
        let source = options.keySource
        if let key = try options.accounts.key(source: source) { return key }
        throw StoreError("there is no account key \(options.accounts.keyPath(source)); \(otherWay)")
    }

    private func accountClient(_ session: CASession) throws -> Client {
        let (accounts, source) = (options.accounts, options.keySource)
        try KeyRollover(accounts: accounts, source: source, session: session).settle()
        let key = try accountKey()
        if let account = try accounts.account(of: key) { return session.client(key, account: account) }
        let client = session.client(key)
        switch try client.accountState() {
        case .valid: return client
        case .missing: throw StoreError("\(options.directory) knows no account of this key; \(otherWay)")
        case .ended(let reason):
            throw StoreError("the account at \(options.directory) has ended (\(reason)); \(otherWay)")
        }
    }

    private var otherWay: String {
        let path = subject.place.map { " (\(options.store.paths(of: $0.name).key))" } ?? ""
        return "name the key of the account that ordered the certificate in account_key_src, or the certificate's own "
            + "key\(path) in private_key"
    }

    private func authorizations() throws(StoreError) -> [String] {
        guard let known = subject.place?.installed.issuance?.authorizations else {
            throw StoreError(
                "deactivate_authorizations: it is not known upon which authorizations the certificate "
                    + "\(subject.leaf.label) was issued, since it is not installed here, or was by an older version")
        }
        return known
    }
}
