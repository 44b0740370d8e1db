internal import HTTP
internal import Platform

/// Nonces that the CA handed out and that nobody has used yet (RFC 8555, section 6.5).
final class Nonces {
    /// The most that are held, which is also the most requests in flight.
    static let limit = 100

    private(set) var unused: [String]
    /// The CA refused some: no more are asked for while any is left.
    private var isRationed = false

    init(_ unused: [String]) {
        self.unused = Array(unused.filter(Self.isValid).suffix(Self.limit))
    }

    /// Keeps the nonce of a reply; "the client MUST ignore" one with other characters (RFC 8555, section 6.5.1).
    func take(from response: HTTPResponse) {
        guard let nonce = response.header("Replay-Nonce"), Self.isValid(nonce) else { return }
        unused.append(nonce)
        if unused.count > Self.limit { unused.removeFirst() }
    }

    /// The newest, so that a request that follows a refused one carries the nonce of the refusal.
    func next() -> String? { unused.popLast() }

    /// Fetches what is missing to `count`, all at once. Fewer are no error as long as there is one; where there is
    /// none, returns what the CA answered instead.
    func fill(
        to count: Int, from url: String, through transport: any Transport, deadline: Deadline
    ) -> Result<HTTPResponse, HTTPError>? {
        let missing = (isRationed ? 1 : min(count, Self.limit)) - unused.count
        guard missing > 0 else { return nil }
        let requests = Array(repeating: HTTPRequest(.head, url), count: missing)
        var refusal: Result<HTTPResponse, HTTPError>?
        for result in transport.perform(requests, deadline: deadline) {
            let before = unused.count
            guard case .success(let response) = result, (200..<300).contains(response.status) else {
                refusal = result
                continue
            }
            take(from: response)
            if unused.count == before { refusal = .failure(Self.missing) }
        }
        if refusal != nil { isRationed = true }
        return unused.isEmpty ? refusal : nil
    }

    private static let missing = HTTPError(
        host: "", reason: "the CA's reply to the request for a nonce holds none", retry: .freely)

    private static func isValid(_ nonce: String) -> Bool {
        !nonce.isEmpty && nonce.utf8.count <= 1024 && nonce.utf8.allSatisfy(Token.isBase64URL)
    }
}
