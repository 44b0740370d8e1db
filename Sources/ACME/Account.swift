/// An account at a CA, to be kept beside its key.
package struct AccountRecord: Codable, Sendable, Equatable {
    /// The account's URL: the `kid` of everything it signs.
    package var url: String
    package var contacts: [String]

    package init(url: String, contacts: [String]) {
        self.url = url
        self.contacts = contacts
    }

    /// Whether an account with the contacts that the CA shows has to be told others; it keeps its own where none are
    /// wanted. A CA that keeps no contacts (Let's Encrypt since 2025) shows none: what it was told the last time counts.
    package func hasToBeTold(_ wanted: [String], after told: AccountRecord?) -> Bool {
        guard !wanted.isEmpty, Set(contacts) != Set(wanted) else { return false }
        let isForgetful = contacts.isEmpty && told?.url == url && Set(told?.contacts ?? []) == Set(wanted)
        return !isForgetful
    }
}

/// What a CA says of the account that belongs to a key.
package enum AccountState: Sendable, Equatable {
    case missing
    /// With the contacts that the CA shows, as URLs.
    case valid(AccountRecord)
    /// Deactivated or revoked: its key can never have an account there again. The reason is a clause.
    case ended(reason: String)

    package var record: AccountRecord? { if case .valid(let record) = self { record } else { nil } }
}

/// What a new account is made with (RFC 8555, section 7.3).
package struct AccountRequest: Sendable {
    /// "Clients MUST support `mailto`": an address without a scheme is one.
    package var contacts: [String]
    package var termsAgreed: Bool
    package var binding: ExternalAccountBinding?

    package init(contacts: [String], termsAgreed: Bool, binding: ExternalAccountBinding? = nil) {
        self.contacts = contacts
        self.termsAgreed = termsAgreed
        self.binding = binding
    }

    var contactURLs: [String] { contacts.map { $0.contains(":") ? $0 : "mailto:" + $0 } }
}

/// RFC 8555, section 7.3.
struct NewAccount: Encodable {
    let contact: [String]?
    let termsOfServiceAgreed: Bool?
    let externalAccountBinding: JWS?

    init(_ request: AccountRequest, binding: JWS?) {
        contact = request.contacts.isEmpty ? nil : request.contactURLs
        termsOfServiceAgreed = request.termsAgreed ? true : nil
        externalAccountBinding = binding
    }
}

/// What is read of an account object (RFC 8555, section 7.1.2). Its URL is what counts: acme2certifier shows nothing of an
/// account that is there.
struct AccountObject: Decodable {
    let status: String?
    let contact: [String]?
}

/// RFC 8555, section 7.3.2.
struct ContactUpdate: Encodable {
    let contact: [String]
}
