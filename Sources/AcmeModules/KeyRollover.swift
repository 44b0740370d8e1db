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

    /// Ends a change that broke off, by asking the CA which of the two keys it knows. Where it knows neither, both stay.
    func settle() throws {
        guard let next = try accounts.nextKey(source: source) else { return }
        if case .valid(let account) = try session.client(next).accountState() {
            try adopt(next, of: account)
        } else if let key = try accounts.key(source: source), try session.client(key).accountState().record != nil {
            try accounts.removeNextKey(source: source)
        }
    }

    /// Puts the key in the place of the account key, having told the CA.
    func change(_ account: AccountRecord, from old: PrivateKey, to new: PrivateKey) throws {
        try accounts.saveNextKey(new, source: source)
        do {
            try session.client(old, account: account).changeKey(to: new)
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

    /// The CA may have changed the key although its reply was lost, or because of another host that shares the account.
    private func recover(from error: ACMEError, _ new: PrivateKey, _ account: AccountRecord) throws {
        guard let state = try? session.client(new).accountState() else { throw error }
        switch state {
        case .valid(let found) where found.url == account.url: return
        case .valid, .ended: try accounts.removeNextKey(source: source)
        case .missing: if error.isVerdict { try accounts.removeNextKey(source: source) }
        }
        throw error
    }
}
