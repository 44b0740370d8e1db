internal import FoundationEssentials
internal import Names
internal import PKI
internal import Platform

/// Key stores as a disk, or a hand, may have left them, and the line that opens them.
enum KeyStores {
    private static let passphrase = Result { try Passphrase(firstLineOf: Secret(Array("changeit".utf8))) }

    static func read(_ bytes: [UInt8]) {
        if let passphrase = try? Passphrase(firstLineOf: Secret(bytes)) { open(with: passphrase) }
        guard let passphrase = try? passphrase.get() else { return }
        let java = try? JavaKeyStore.sealed(Array(bytes.dropLast(20)), passphrase: passphrase)
        if let java, let entry = try? JavaKeyStore.read(java, passphrase: passphrase) { look(at: entry, passphrase) }
        if let entry = try? PKCS12Store.read(bytes, passphrase: passphrase) { look(at: entry, passphrase) }
    }

    /// A passphrase that was taken opens what is made with it.
    private static func open(with passphrase: Passphrase) {
        guard let entry = try? anyEntry.get() else { return }
        let store = try? JavaKeyStore.make(entry, passphrase: passphrase).revealed
        let again = store.flatMap { try? JavaKeyStore.read($0, passphrase: passphrase) }
        require(again?.isSame(as: entry) == true, "a passphrase opens its store")
    }

    private static func look(at entry: KeyEntry, _ passphrase: Passphrase) {
        require(entry.isSame(as: entry), "an entry is the same as itself")
        guard let made = try? JavaKeyStore.make(entry, passphrase: passphrase).revealed else { return }
        let again = try? JavaKeyStore.read(made, passphrase: passphrase)
        require(again?.isSame(as: entry) == true, "an entry reads as itself")
    }

    private static let anyEntry = Result {
        let key = try PrivateKey.generate(.ec256)
        let authority = try SelfSigningAuthority(now: Date(timeIntervalSince1970: 1_800_000_000))
        return KeyEntry(
            alias: "a", key: key, chain: try authority.issue(for: [DomainName("a.example.org")], key: key, days: 90))
    }
}
