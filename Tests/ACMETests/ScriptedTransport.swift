import ACME
import FoundationEssentials
import HTTP
import PKI
import Platform
import TestSupport
import Testing

/// A server that is a script: replies for each method and path, and a record of what was sent. A request that the
/// script does not have fails, naming itself.
final class ScriptedTransport: Transport {
    typealias Reply = Result<HTTPResponse, HTTPError>

    private var replies: [String: [Reply]] = [:]
    private var standing: [String: Reply] = [:]
    private var nonces = 0
    /// What was sent together, round by round.
    private(set) var rounds: [[HTTPRequest]] = []

    /// A CA with a directory, nonces and no terms.
    init() {
        always("GET /dir", .json(200, Self.directory()))
        always("HEAD /nonce", .json(200, ""))
    }

    static func directory(meta: String = "{}") -> String {
        """
        {"newNonce": "https://ca.example/nonce", "newAccount": "https://ca.example/account",
        "newOrder": "https://ca.example/order", "keyChange": "https://ca.example/key-change",
        "revokeCert": "https://ca.example/revoke", "meta": \(meta), "unknown": [1]}
        """
    }

    /// Replies to the next requests of this kind, one each.
    func on(_ request: String, _ next: Reply...) {
        replies[request, default: []] += next
    }

    /// The reply to all requests of this kind that have no other.
    func always(_ request: String, _ reply: Reply) {
        standing[request] = reply
    }

    func perform(_ requests: [HTTPRequest], deadline: Deadline) -> [Reply] {
        rounds.append(requests)
        return requests.map { request in
            let name = Self.name(request)
            guard let reply = replies[name]?.isEmpty == false ? replies[name]?.removeFirst() : standing[name] else {
                return .failure(HTTPError(host: "", reason: "the script has no reply to \(name)", retry: .never))
            }
            return reply.map { withNonce($0, for: name) }
        }
    }

    private func withNonce(_ response: HTTPResponse, for name: String) -> HTTPResponse {
        guard name != "GET /dir", response.header("Replay-Nonce") == nil else { return response }
        nonces += 1
        var response = response
        response.fields.append(HTTPField("Replay-Nonce", "nonce-\(nonces)"))
        return response
    }

    static func name(_ request: HTTPRequest) -> String {
        "\(request.method.rawValue) \(request.url.replacing("https://ca.example", with: ""))"
    }

    /// The requests of each round by name, without repetitions.
    var course: [String] { rounds.map { Set($0.map(Self.name)).sorted().joined(separator: " + ") } }

    func count(_ name: String) -> Int { rounds.joined().filter { Self.name($0) == name }.count }

    /// The messages that were sent to a path, taken apart.
    func messages(_ name: String) throws -> [SentMessage] {
        try rounds.joined().filter { Self.name($0) == name }.map { try SentMessage($0) }
    }
}

/// A signed request, taken apart.
struct SentMessage {
    struct Header: Decodable {
        let alg: String
        /// nil in a message within another one.
        let nonce: String?
        let url: String
        let kid: String?
        let jwk: [String: String]?
    }

    private struct Envelope: Decodable {
        let protected: String
        let payload: String
        let signature: String
    }

    let request: HTTPRequest
    let header: Header
    let payload: String
    let signature: [UInt8]
    /// What the signature is over.
    let input: [UInt8]

    init(_ request: HTTPRequest) throws {
        try self.init(request, request.body ?? [])
    }

    /// The message within this one.
    var inner: SentMessage { get throws { try SentMessage(request, Array(payload.utf8)) } }

    private init(_ request: HTTPRequest, _ bytes: [UInt8]) throws {
        self.request = request
        let envelope = try JSONDecoder().decode(Envelope.self, from: Data(bytes))
        let bytes = try #require(Base64URL.decode(envelope.protected))
        header = try JSONDecoder().decode(Header.self, from: Data(bytes))
        payload = String(decoding: try #require(Base64URL.decode(envelope.payload)), as: UTF8.self)
        signature = try #require(Base64URL.decode(envelope.signature))
        input = Array("\(envelope.protected).\(envelope.payload)".utf8)
    }
}

extension ScriptedTransport.Reply {
    static func json(_ status: Int, _ body: String, _ fields: [HTTPField] = []) -> Self {
        let type = HTTPField("Content-Type", "application/json; charset=utf-8")
        return .success(HTTPResponse(status: status, fields: [type] + fields, body: Array(body.utf8)))
    }

    static func problem(_ status: Int, _ kind: String, _ detail: String = "why", retryAfter: String? = nil) -> Self {
        var fields = [HTTPField("Content-Type", "application/problem+json")]
        if let retryAfter { fields.append(HTTPField("Retry-After", retryAfter)) }
        let body = #"{"type": "urn:ietf:params:acme:error:\#(kind)", "detail": "\#(detail)"}"#
        return .success(HTTPResponse(status: status, fields: fields, body: Array(body.utf8)))
    }

    static func status(_ status: Int, _ fields: [HTTPField] = []) -> Self {
        .success(HTTPResponse(status: status, fields: fields))
    }

    static func lost(_ retry: HTTPError.Retry = .freely) -> Self {
        .failure(HTTPError(host: "ca.example", reason: "connection reset", retry: retry))
    }

    /// Order `id` for `names`, with an authorization each: `/authz/<id>/<index>`.
    static func order(
        _ id: String, _ names: [String] = ["a.example"], _ state: String = "pending", code: Int = 200,
        more: String = "", fields: [HTTPField] = []
    ) -> Self {
        let identifiers = names.map { #"{"type": "dns", "value": "\#($0)"}"# }.joined(separator: ",")
        let authorizations = names.indices.map { #""https://ca.example/authz/\#(id)/\#($0)""# }.joined(separator: ",")
        let body = """
            {"status": "\(state)", "identifiers": [\(identifiers)], "authorizations": [\(authorizations)],
            "finalize": "https://ca.example/finalize/\(id)"\(more)}
            """
        return .json(code, body, [HTTPField("Location", "https://ca.example/order/\(id)")] + fields)
    }

    static func authorization(
        _ name: String, _ state: String = "pending", wildcard: Bool = false, challenge: String = "pending",
        url: String = "https://ca.example/challenge", error: String = "null"
    ) -> Self {
        .json(
            200,
            """
            {"status": "\(state)", "identifier": {"type": "dns", "value": "\(name)"}, "wildcard": \(wildcard),
            "challenges": [
            {"type": "http-01", "url": "https://ca.example/http", "status": "pending", "token": "other"},
            {"type": "future-07", "secret": {"deep": true}}, {"type": "dns-01", "url": "https://ca.example/tokenless"},
            {"type": "dns-01", "url": "\(url)", "status": "\(challenge)", "token": "token_1-A", "error": \(error)}]}
            """)
    }

    static func chain(_ text: String = "-----BEGIN CERTIFICATE-----\n") -> Self {
        let type = HTTPField("Content-Type", "application/pem-certificate-chain")
        return .success(HTTPResponse(status: 200, fields: [type], body: Array(text.utf8)))
    }
}
