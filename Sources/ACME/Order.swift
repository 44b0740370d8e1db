package import FoundationEssentials
package import Names

/// The states of an order (RFC 8555, section 7.1.6).
package enum OrderStatus: String, Codable, Sendable {
    case pending, ready, processing, valid, invalid

    /// Some servers show what ended the authorizations (Pebble: "deactivated") as the state of the order, which for
    /// RFC 8555 is then invalid.
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        let ended = ["deactivated", "expired", "revoked"].contains(text)
        guard let status = ended ? .invalid : OrderStatus(rawValue: text) else {
            let words = "'\(text)' is no state of an order"
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: words))
        }
        self = status
    }
}

/// An order as the server shows it (RFC 8555, section 7.1.3).
struct Order: Decodable {
    /// What an order in this state needs next.
    enum Step: Equatable {
        case wait
        case finalize
        case download(url: String)
        case explain
    }

    let status: OrderStatus
    let expires: String?
    let identifiers: [Identifier]
    let authorizations: [String]
    let finalize: String
    let certificate: String?
    let error: Problem?
    /// The kind of certificate; nil where the CA does not say (draft-ietf-acme-profiles).
    let profile: String?

    private enum CodingKeys: String, CodingKey {
        case status, expires, identifiers, authorizations, finalize, certificate, error, profile
    }

    func next(_ purpose: String) throws(ACMEError) -> Step {
        switch status {
        case .pending, .processing: return .wait
        case .ready: return .finalize
        case .valid:
            guard let certificate else { throw ACMEError(purpose, "the CA's valid order names no certificate") }
            return .download(url: certificate)
        case .invalid: return .explain
        }
    }

    /// When the CA forgets the order (RFC 3339); nil where it does not say, or not so that it can be read.
    var expiry: Date? {
        expires.flatMap(RFC3339.parse)
    }
}

/// A wish for a certificate.
package struct OrderRequest: Sendable {
    package var names: [DomainName]
    /// The kind of certificate, of those that the CA offers; nil for its default (draft-ietf-acme-profiles).
    package var profile: String?
    /// The identifier of the certificate that this one replaces (RFC 9773, section 5); only told where the CA has
    /// renewal information.
    package var replaces: String?
    /// The order that an earlier run left behind; taken up where it is still usable.
    package var resume: OpenOrder?

    package init(
        names: [DomainName], profile: String? = nil, replaces: String? = nil, resume: OpenOrder? = nil
    ) {
        self.names = names
        self.profile = profile
        self.replaces = replaces
        self.resume = resume
    }

    /// What a new order for it is about, to follow "cannot".
    var purpose: String { "order a certificate for \(OpenOrder.title(names.map(\.description)))" }
}

/// An order under way, to be kept between two runs.
package struct OpenOrder: Codable, Sendable, Equatable {
    package var url: String
    package var names: [String]
    package var status: OrderStatus
    package var expires: Date?
    package var finalize: String
    package var authorizations: [String]
    package var certificate: String?
    /// The identifier of the certificate that the CA was told it replaces, when it was made; nil where it was not.
    package var replaces: String?
    /// Only those that must be answered; empty for an order that is `ready` or further.
    package var challenges: [DNSChallenge]

    package init(
        url: String, names: [String], status: OrderStatus, expires: Date?, finalize: String,
        authorizations: [String], certificate: String? = nil, challenges: [DNSChallenge] = []
    ) {
        self.url = url
        self.names = names
        self.status = status
        self.expires = expires
        self.finalize = finalize
        self.authorizations = authorizations
        self.certificate = certificate
        self.challenges = challenges
    }

    init(_ order: Order, at url: String) {
        self.init(
            url: url, names: order.identifiers.map(\.value), status: order.status, expires: order.expiry,
            finalize: order.finalize, authorizations: order.authorizations, certificate: order.certificate)
    }

    /// The names in a sentence: all of a few, the first of many.
    package var title: String { Self.title(names) }

    static func title(_ names: [String]) -> String {
        let shown = names.prefix(3).joined(separator: ", ")
        return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
    }
}

/// An order whose challenges' records are visible, and the request for its certificate.
package struct CompletionRequest: Sendable {
    package var order: OpenOrder
    /// PKCS #10, DER.
    package var csr: [UInt8]
    /// Whether other chains that the CA offers are wanted beside its own choice.
    package var wantsAlternates: Bool

    package init(order: OpenOrder, csr: [UInt8], wantsAlternates: Bool = false) {
        self.order = order
        self.csr = csr
        self.wantsAlternates = wantsAlternates
    }
}

/// What a completed order gave, each chain in PEM.
package struct IssuedChain: Sendable, Equatable {
    /// The CA's own choice.
    package var pem: [UInt8]
    /// The other chains of the same certificate (RFC 8555, section 7.4.2), where they were wanted.
    package var alternates: [[UInt8]]
    /// The CA took this client's request for it. Where it did not, the order had been ended before: by an earlier run, or
    /// by another host with the same account.
    package var isRequestedHere = false
    /// Where the CA has renewal information (RFC 9773); nil where it has none.
    package var renewalInfo: String?

    package init(pem: [UInt8], alternates: [[UInt8]] = []) {
        self.pem = pem
        self.alternates = alternates
    }
}
