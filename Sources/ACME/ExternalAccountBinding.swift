package import PKI
package import Platform

/// What ties a new account to one that the CA knows already (RFC 8555, section 7.3.4).
package struct ExternalAccountBinding: Sendable {
    /// The CA's name for the key.
    package let keyIdentifier: String
    package let key: Secret<[UInt8]>
    package let algorithm: MessageCodeAlgorithm

    package init(keyIdentifier: String, key: Secret<[UInt8]>, algorithm: MessageCodeAlgorithm) {
        self.keyIdentifier = keyIdentifier
        self.key = key
        self.algorithm = algorithm
    }
}
