package import ACME
package import PKI
internal import Platform

/// The account at one CA: its key, its URL there, and what the last phase left for the next (nonces, the directory).
package struct AccountStore: Sendable {
    let path: String
    let state: String

    private struct Record: Codable {
        /// The key that the account belongs to (RFC 7638), so that another key is not taken for it.
        let thumbprint: String
        let account: AccountRecord
    }

    private var record: StateFile<Record> { StateFile(path: path + "/account.json") }
    private var session: StateFile<SessionCache> { StateFile(path: path + "/session.json") }

    /// The account key, from `source` or from the state; nil where it has not been made yet.
    package func key(source: String?) throws(StoreError) -> PrivateKey? {
        try KeyFile(path: keyPath(source)).read()
    }

    /// A key in a file outside of the store; nil where there is none.
    package static func readKey(_ path: String) throws(StoreError) -> PrivateKey? { try KeyFile(path: path).read() }

    /// The account key, made where it is missing.
    package func makeKey(source: String?, type: KeyType = .ec256) throws(StoreError) -> PrivateKey {
        if let key = try key(source: source) { return key }
        try makeDirectories(path, below: state)
        return try KeyFile(path: keyPath(source)).make(type)
    }

    /// The file of the account key.
    package func keyPath(_ source: String?) -> String { source ?? path + "/account.key" }

    /// What is known of the account that this key belongs to.
    package func account(of key: PrivateKey) throws(StoreError) -> AccountRecord? {
        guard let record = try record.found(), record.thumbprint == Base64URL.encode(key.thumbprint()) else {
            return nil
        }
        return record.account
    }

    package func save(_ account: AccountRecord, of key: PrivateKey) throws(StoreError) {
        try makeDirectories(path, below: state)
        try record.keep(Record(thumbprint: Base64URL.encode(key.thumbprint()), account: account))
    }

    /// Forgets the account, not its key: the CA does not know it any more.
    package func forgetAccount() throws(StoreError) {
        try storing { () throws(SystemError) in try Files.remove(record.path) }
    }

    /// Forgets an account that has ended, with what was kept of its sessions and the key, where that is this store's
    /// own. A key of an operator's is left to the operator.
    package func forgetEverything(source: String?) throws(StoreError) {
        for file in kept(source) {
            try storing { () throws(SystemError) in try Files.remove(file) }
        }
    }

    /// Whether there is anything to forget.
    package func keepsAnything(source: String?) throws(StoreError) -> Bool {
        for file in kept(source) {
            let status = try storing { () throws(SystemError) in try Files.status(file) }
            if status != nil { return true }
        }
        return false
    }

    private func kept(_ source: String?) -> [String] {
        [session.path, record.path, nextKeyPath(source)] + (source == nil ? [keyPath(nil)] : [])
    }

    /// What the phase before left. It only saves requests: one that cannot be read is as good as none.
    package func savedSession() -> SessionCache? {
        try? session.found()
    }

    package func save(_ cache: SessionCache) throws(StoreError) {
        try makeDirectories(path, below: state)
        try session.keep(cache)
    }
}
