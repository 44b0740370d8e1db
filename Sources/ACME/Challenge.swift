internal import PKI

/// One way to prove control of a name (RFC 8555, section 8). Types that this client does not know are read and
/// ignored.
struct Challenge: Decodable {
    let type: String?
    let url: String?
    let status: String?
    let token: String?
    let error: Problem?

    private enum CodingKeys: String, CodingKey { case type, url, status, token, error }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        type = try? members.decode(String.self, forKey: .type)
        url = try? members.decode(String.self, forKey: .url)
        status = try? members.decode(String.self, forKey: .status)
        token = try? members.decode(String.self, forKey: .token)
        error = try? members.decode(Problem.self, forKey: .error)
    }

    /// The token and URL of a usable `dns-01` challenge (RFC 8555, section 8.4).
    var dns: (token: Token, url: String)? {
        guard type == "dns-01", let url, let token = token.flatMap(Token.init) else { return nil }
        return (token, url)
    }
}

/// A challenge's random value; "MUST NOT contain any characters outside the base64url alphabet".
struct Token {
    let text: String

    init?(_ text: String) {
        guard !text.isEmpty, text.utf8.allSatisfy(Self.isBase64URL) else { return nil }
        self.text = text
    }

    static func isBase64URL(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// What the TXT record holds: the digest of the key authorization (RFC 8555, sections 8.1 and 8.4).
    func recordValue(thumbprint: [UInt8]) -> String {
        let keyAuthorization = text + "." + Base64URL.encode(thumbprint)
        return Base64URL.encode(Digest.sha256(Array(keyAuthorization.utf8)))
    }
}

/// A `dns-01` challenge that must be answered before the order can become ready.
package struct DNSChallenge: Codable, Sendable, Equatable {
    /// The name, without `*.`.
    package var domain: String
    package var wildcard: Bool
    package var url: String
    package var authorization: String
    /// What the TXT record at `_acme-challenge.<domain>` has to hold.
    package var value: String

    package init(domain: String, wildcard: Bool, url: String, authorization: String, value: String) {
        self.domain = domain
        self.wildcard = wildcard
        self.url = url
        self.authorization = authorization
        self.value = value
    }
}
