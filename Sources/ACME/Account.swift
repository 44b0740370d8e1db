/// An account at a CA, to be kept beside its key.
package struct AccountRecord: Codable, Sendable, Equatable {
    /// The account's URL: the `kid` of everything it signs.
    package var url: String
    package var contacts: [String]

    package init(url: String, contacts: [String]) {
        self.url = url
        self.contacts = contacts
    }
}

/// RFC 8555, section 7.3.
struct NewAccount: Encodable {
    let contact: [String]?
    let termsOfServiceAgreed: Bool?

    init(contacts: [String], termsAgreed: Bool) {
        contact = contacts.isEmpty ? nil : contacts.map(Self.url)
        termsOfServiceAgreed = termsAgreed ? true : nil
    }

    /// "Clients MUST support `mailto`": an address without a scheme is one.
    static func url(_ contact: String) -> String { contact.contains(":") ? contact : "mailto:" + contact }
}

/// What is read of an account object (RFC 8555, section 7.1.2).
struct AccountObject: Decodable {
    let status: String
    let contact: [String]?
}

/// RFC 8555, section 7.3.2.
struct ContactUpdate: Encodable {
    let contact: [String]
}
