internal import ACME
internal import PKI
internal import Store

/// Gives an account another key (RFC 8555, section 7.3.5) so that a run that breaks off anywhere locks nobody out: the
/// new key is on disk, beside the old one, before the CA hears of it, and takes the old one's place once the CA has it.
struct KeyRollover {
    let accounts: AccountStore
    /// The file of the account key; nil for the one in the state.
    let source: String?
    let session: CASession

    /// Ends a change that broke off where the CA has carried it out. Where it has not, the new key stays: the CA may
    /// still be about to, and `acme_account` sends the change again, with the same key.
    func settle() throws {
        guard let next = try accounts.nextKey(source: source) else { return }
        switch try session.client(next).accountState() {
        case .valid(let account): try adopt(next, of: account)
        case .ended: try accounts.removeNextKey(source: source)
        case .missing: break
        }
    }

    /// Puts the key in the place of the account key, having told the CA.
    func change(_ account: AccountRecord, from old: PrivateKey, to new: PrivateKey) throws {
        let client = session.client(old, account: account)
        try client.keyChange()
        try accounts.saveNextKey(new, source: source)
        do {
            try client.changeKey(to: new)
        } catch {
            try recover(from: error, new, account)
        }
        try adopt(new, of: account)
    }

    /// Puts a key that the CA knows already, or that it is about to be told of, in the place of the account key.
    func replace(with new: PrivateKey, of account: AccountRecord?) throws {
        try accounts.saveNextKey(new, source: source)
        try accounts.adoptNextKey(source: source)
        if let account { try accounts.save(account, of: new) }
    }

    private func adopt(_ next: PrivateKey, of account: AccountRecord) throws {
        try accounts.adoptNextKey(source: source)
        try accounts.save(account, of: next)
    }

    /// The CA may have changed the key although its reply was lost, or because of another host that shares the account;
    /// or it may still be about to, as one that is slow to answer. A refusal proves nothing, for the request may have
    /// been on its way twice, unless it is one of the key.
    private func recover(from error: ACMEError, _ new: PrivateKey, _ account: AccountRecord) throws {
        let state = try? session.client(new).accountState()
        if case .valid(let found)? = state, found.url == account.url { return }
        switch state {
        case .valid, .ended: try accounts.removeNextKey(source: source)
        case .missing where error.refusesKey: try accounts.removeNextKey(source: source)
        case .missing, nil:
            var error = error
            error.reason +=
                "; the new key stays in \(accounts.nextKeyPath(source)), and acme_account sends the change "
                + "again the next time; remove that file only where the CA has refused the change for good"
            throw error
        }
        throw error
    }
}
