package import Names

/// One address of a server that answers for a zone itself.
package struct AuthoritativeServer: Sendable, Hashable, CustomStringConvertible {
    /// The name whose address it is; nil where only the address is known.
    package let name: DNSName?
    package let address: ServerAddress

    package init(name: DNSName? = nil, address: ServerAddress) {
        self.name = name
        self.address = address
    }

    package var description: String { name.map { "\($0) (\(address))" } ?? address.description }
}
