internal import AnsibleModule
internal import HTTP

/// Why Cloud DNS did not do something: one sentence without secrets.
struct CloudDNSError: Error, Equatable, CustomStringConvertible {
    let description: String
    /// Whether the service answered and said no, so that what is there can be looked at.
    let isRefusal: Bool

    init(_ description: String) {
        self.description = description
        isRefusal = false
    }

    /// `purpose` completes "Cloud DNS could not".
    init(_ purpose: String, _ reason: String) {
        self.init("Cloud DNS could not \(purpose): \(reason)")
    }

    init(_ purpose: String, refusedWith reason: String) {
        description = "Cloud DNS could not \(purpose): \(reason)"
        isRefusal = true
    }

    /// The service answered something else than it documents; nothing of that is quoted.
    init(unreadable purpose: String) {
        self.init(purpose, refusedWith: "its answer is not the JSON that it documents: try again, or ask Rackspace")
    }

    init(unfinished job: String, _ purpose: String) {
        self.init(
            purpose, "its job \(job) has not ended within this run's time limit: run again, or raise timeout")
    }
}

/// What Cloud DNS says of something that went wrong: `{code, message, details, validationErrors: {messages: []}}`,
/// possibly inside a member that names its kind, as the identity service wraps it.
struct CloudDNSFault: Equatable {
    /// "409 Conflict. The record is there already (ttl: too small)".
    let text: String

    init(_ value: JSONValue?, status: Int? = nil) {
        let fault = Self.unwrapped(value)
        let code = fault?["code"]?.integer.map(String.init) ?? fault?["code"]?.string ?? status.map(String.init)
        let words = ["message", "details"].compactMap { fault?[$0]?.string }.filter { !$0.isEmpty }
        let validation = fault?["validationErrors"]?["messages"]?.array?.compactMap(\.string) ?? []
        let faults = fault?["failedItems"]?["faults"]?.array?.map { CloudDNSFault($0).text } ?? []
        let more = validation + Set(faults).sorted()
        var parts = [code, Self.sentence(words)].compactMap(\.self)
        if !more.isEmpty { parts.append("(\(more.joined(separator: "; ")))") }
        text = parts.isEmpty ? "a fault without words" : Self.printable(parts.joined(separator: " "))
    }

    init(_ response: HTTPResponse) {
        self.init(JSONValue.parse(response.body), status: response.status)
    }

    private static func unwrapped(_ value: JSONValue?) -> JSONValue? {
        guard let members = value?.object else { return nil }
        let isBare = members["code"] != nil || members["message"] != nil
        guard !isBare, members.count == 1, let inner = members.values.first, inner.object != nil else { return value }
        return inner
    }

    private static func sentence(_ words: [String]) -> String? {
        words.isEmpty ? nil : words.map { $0.hasSuffix(".") ? String($0.dropLast()) : $0 }.joined(separator: ": ")
    }

    /// One line of at most a thousand characters.
    private static func printable(_ text: String) -> String {
        let line = String(text.map { $0.isNewline ? " " : $0 })
        return line.count > 1000 ? line.prefix(1000) + "..." : line
    }
}

/// Work that the service does after it has answered: `{jobId, callbackUrl, status, error}`.
struct CloudDNSJob {
    enum State: Equatable {
        case initialized
        case running
        case completed
        case failed(CloudDNSFault)
    }

    /// nil where the answer has none, as that of a job that has ended may.
    let id: String?
    let state: State

    init(_ answer: JSONValue, _ purpose: String) throws(CloudDNSError) {
        id = Self.id(in: answer)
        switch answer["status"]?.string {
        case "INITIALIZED": state = .initialized
        case "RUNNING": state = .running
        case "COMPLETED": state = .completed
        case "ERROR": state = .failed(CloudDNSFault(answer["error"]))
        default: throw CloudDNSError(unreadable: purpose)
        }
    }

    /// The last part of the callback's path where no member names it. Nothing else of that URL is used.
    private static func id(in answer: JSONValue) -> String? {
        let path = answer["callbackUrl"]?.string?.split { $0 == "?" || $0 == "#" }.first
        let id = answer["jobId"]?.string ?? path?.split(separator: "/").last.map(String.init)
        return id.flatMap { CloudDNSMessage.isIdentifier($0) ? $0 : nil }
    }
}

enum CloudDNSMessage {
    /// The `id` of a domain or record: a number, `TXT-123` or a UUID.
    static func identifier(of entry: JSONValue, _ purpose: String) throws(CloudDNSError) -> String {
        let id = entry["id"]?.string ?? entry["id"]?.integer.map(String.init)
        guard let id, isIdentifier(id) else { throw CloudDNSError(unreadable: purpose) }
        return id
    }

    /// Whether a text can stand in a path or a query as it is, and leads nowhere else.
    static func isIdentifier(_ text: String) -> Bool {
        text.wholeMatch(of: /[A-Za-z0-9_-]{1,100}/) != nil
    }
}
