package import ACME
package import Names
package import PKI
internal import Platform

/// An order under way for one certificate, with everything that the next phase or run needs to take it up.
package struct OrderRecord: Codable, Sendable {
    package let names: [String]
    package let keyType: KeyType
    package let profile: String?
    package var work: Work

    package enum Work: Codable, Sendable {
        /// An order at a CA.
        case order(OpenOrder)
        /// Made-up tokens, to be published as real ones would be (S21).
        case selfSigned([MadeUpToken])
    }

    package struct MadeUpToken: Codable, Sendable {
        package let domain: String
        package let value: String

        package init(domain: String, value: String) {
            self.domain = domain
            self.value = value
        }
    }

    package init(names: [DomainName], keyType: KeyType, profile: String? = nil, work: Work) {
        self.names = names.map(\.description)
        self.keyType = keyType
        self.profile = profile
        self.work = work
    }

    /// Whether this order is for exactly these names and this kind of key and certificate.
    package func serves(_ names: [DomainName], _ keyType: KeyType, profile: String? = nil) -> Bool {
        Set(self.names) == Set(names.map(\.description)) && self.keyType == keyType && self.profile == profile
    }
}

/// The orders under way at one authority, each with its private key: the key belongs to the order. A CA may hand
/// out the same pending order twice for the same names, and only the key that began it may end it.
package struct OrderStore: Sendable {
    let path: String
    let state: String

    /// The order under way for the certificate whose first name this is; nil where there is none.
    package func find(_ name: DomainName) throws(StoreError) -> (record: OrderRecord, key: PrivateKey)? {
        guard let record = try file(name).found() else { return nil }
        guard let key = try keyFile(name).read() else { return nil }
        return (record, key)
    }

    /// Keeps a new order with its key; the key is there before the order is.
    package func save(_ record: OrderRecord, key: PrivateKey, for name: DomainName) throws(StoreError) {
        try makeDirectories(directory(name), below: state)
        try keyFile(name).write(key)
        try file(name).keep(record)
    }

    /// Keeps what has changed of an order under way.
    package func update(_ record: OrderRecord, for name: DomainName) throws(StoreError) {
        try file(name).keep(record)
    }

    /// Forgets an order: it has ended, or it cannot be used any more. The order goes with its key, in one step; of what a
    /// run leaves behind that is killed over it, the next one to take the lock makes an end.
    package func remove(_ name: DomainName) throws(StoreError) {
        let directory = directory(name)
        try storing { () throws(SystemError) in
            guard try Files.status(directory) != nil else { return }
            let gone = AtomicFile.temporaryName(for: directory)
            try Files.rename(directory, to: gone)
            try Files.remove(gone)
        }
    }

    private func directory(_ name: DomainName) -> String { path + "/" + name.fileName }
    private func file(_ name: DomainName) -> StateFile<OrderRecord> {
        StateFile(path: directory(name) + "/order.json")
    }
    private func keyFile(_ name: DomainName) -> KeyFile { KeyFile(path: directory(name) + "/private.key") }
}
