internal import FoundationEssentials
internal import HTTP

/// A request to the CA before it is signed.
struct Call {
    enum Payload {
        /// A plain GET, which nobody signs.
        case none
        /// POST-as-GET (RFC 8555, section 6.3).
        case empty
        case json([UInt8])
    }

    /// Whose signature: the account's URL, or the bare key (RFC 8555, section 6.2).
    enum Identity { case account, key }

    /// What the request is to achieve, to follow "cannot".
    var purpose: String
    var url: String
    var payload: Payload
    var identity = Identity.account
    var accept: String?
    /// The resource was made a moment ago, so that not every server of the CA may know it yet.
    var isFresh = false
    /// Of all that is due at a moment, only the calls of the lowest turn are sent.
    var turn = 0

    static func fetch(_ url: String, _ purpose: String, isFresh: Bool = false) -> Call {
        Call(purpose: purpose, url: url, payload: .empty, isFresh: isFresh)
    }

    /// A signed POST of a message as JSON.
    static func post(_ message: some Encodable, to url: String, _ purpose: String) throws(ACMEError) -> Call {
        Call(purpose: purpose, url: url, payload: .json(try JSON.encode(message, for: purpose)))
    }
}

/// The CA's answer to a call.
struct Reply {
    let response: HTTPResponse
    /// Of the request.
    let url: String
    let purpose: String

    var status: Int { response.status }
    var isSuccess: Bool { (200..<300).contains(status) }

    /// The problem document of an error (RFC 7807), where it is one.
    var problem: Problem? {
        guard !isSuccess, response.mediaType?.hasSuffix("json") == true else { return nil }
        guard var problem = try? JSON.decoder.decode(Problem.self, from: Data(response.body)) else { return nil }
        if problem.type == nil && problem.detail == nil && problem.title == nil { return nil }
        problem.status = problem.status ?? status
        return problem
    }

    /// Reads the answer as a JSON object of the CA.
    func decode<Message: Decodable>(_ type: Message.Type) throws(ACMEError) -> Message {
        let media = response.mediaType ?? "no content type"
        guard media.hasSuffix("json") else {
            throw ACMEError(purpose, "the CA answered with \(media) instead of application/json")
        }
        return try JSON.decode(type, from: response.body, for: purpose)
    }

    /// The URL of the resource that the request made (RFC 8555, sections 7.3 and 7.4).
    func location() throws(ACMEError) -> String {
        guard let url = response.header("Location").flatMap(resolved) else {
            throw ACMEError(purpose, "the CA's answer lacks the Location of what it made")
        }
        return url
    }

    /// The resources that are linked with this relation (RFC 8555, section 7.4.2).
    func links(_ relation: String) -> [String] { response.links(relation).compactMap(resolved) }

    /// A URL, given in full (then it is used as it is: an account is known by every letter of its URL) or relative to
    /// that of the request; nil where it leads away from HTTPS.
    private func resolved(_ reference: String) -> String? {
        if reference.hasPrefix("https://") { return reference }
        return URLReference.resolve(reference, against: url).flatMap { $0.hasPrefix("https://") ? $0 : nil }
    }

    /// Seconds that the CA asks to wait (RFC 9110, section 10.2.3), given as such or as a date; nil for neither.
    func retryAfter(now: Date) -> Double? {
        guard let text = response.header("Retry-After") else { return nil }
        if let seconds = Int(text) { return seconds < 0 ? nil : Double(seconds) }
        guard let date = HTTPDate.parse(text) else { return nil }
        return max(0, date.timeIntervalSince(now))
    }
}
