package import ACME
package import PKI
internal import Platform

/// The accounts at one CA: the key in the state, each key's URL there, and what the last phase left for the next (nonces,
/// the directory).
package struct AccountStore: Sendable {
    let path: String
    let state: String

    private struct Record: Codable {
        /// The key that the account belongs to (RFC 7638), so that another key is not taken for it.
        let thumbprint: String
        let account: AccountRecord
    }

    /// Of each key its own: what one host runs may use several accounts.
    private func record(_ thumbprint: String) -> StateFile<Record> {
        StateFile(path: "\(path)/account-\(thumbprint).json")
    }

    /// Where earlier versions kept the account that was used last.
    private var onlyRecord: StateFile<Record> { StateFile(path: path + "/account.json") }
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
        let thumbprint = Base64URL.encode(key.thumbprint())
        for file in [record(thumbprint), onlyRecord] {
            if let record = try file.found(), record.thumbprint == thumbprint { return record.account }
        }
        return nil
    }

    package func save(_ account: AccountRecord, of key: PrivateKey) throws(StoreError) {
        let thumbprint = Base64URL.encode(key.thumbprint())
        try makeDirectories(path, below: state)
        try record(thumbprint).keep(Record(thumbprint: thumbprint, account: account))
    }

    /// The URLs of the accounts that are known, whatever their keys; what cannot be read is none.
    package func knownAccounts() -> [String] {
        let names = (try? Files.list(path)) ?? []
        let records = names.filter { $0.hasPrefix("account-") && $0.hasSuffix(".json") }.compactMap { name in
            try? StateFile<Record>(path: "\(path)/\(name)").found()
        }
        return records.map(\.account.url)
    }

    /// Forgets the account, not its key: the CA does not know it any more.
    package func forgetAccount(of key: PrivateKey) throws(StoreError) {
        try remove(records(of: key))
    }

    private func records(of key: PrivateKey) -> [String] {
        let thumbprint = Base64URL.encode(key.thumbprint())
        let isOnly = (try? onlyRecord.found())?.thumbprint == thumbprint
        return [record(thumbprint).path] + (isOnly ? [onlyRecord.path] : [])
    }

    private func remove(_ files: [String]) throws(StoreError) {
        for file in files { try storing { () throws(SystemError) in try Files.remove(file) } }
    }

    /// Forgets an account that has ended, with what was kept of sessions and the key, where that is this store's own. A
    /// key of an operator's is left to the operator.
    package func forgetEverything(source: String?) throws(StoreError) {
        try remove([session.path] + kept(source))
    }

    /// Whether there is anything to forget.
    package func keepsAnything(source: String?) throws(StoreError) -> Bool {
        for file in kept(source) {
            let status = try storing { () throws(SystemError) in try Files.status(file) }
            if status != nil { return true }
        }
        return false
    }

    /// The files of one account; sessions are of all that there are.
    private func kept(_ source: String?) -> [String] {
        let records = (try? key(source: source)).map(records) ?? []
        return records + [nextKeyPath(source)] + (source == nil ? [keyPath(nil)] : [])
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
