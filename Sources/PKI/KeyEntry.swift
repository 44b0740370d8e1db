/// What a key store of either kind holds here: one private key with the chain of its certificate.
package struct KeyEntry: Sendable {
    /// What the store calls it.
    package let alias: String
    package let key: PrivateKey
    package let chain: CertificateChain

    package init(alias: String, key: PrivateKey, chain: CertificateChain) {
        self.alias = alias
        self.key = key
        self.chain = chain
    }

    /// Whether both are for the same key and certificates, in whatever order a store keeps those above the leaf.
    package func isSame(as other: KeyEntry) -> Bool {
        alias == other.alias && key.publicKeyInfo == other.key.publicKeyInfo
            && chain.leaf.der == other.chain.leaf.der
            && Set(chain.issuers.map(\.der)) == Set(other.chain.issuers.map(\.der))
    }
}
