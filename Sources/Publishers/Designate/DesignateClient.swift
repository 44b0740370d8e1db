internal import AnsibleModule
internal import HTTP
internal import Names
internal import Platform

/// Requests to Designate's API with a token from Keystone, tried again where a server cannot just now. The token goes
/// to the endpoint of the catalog alone: calls are paths below it.
final class DesignateClient {
    struct Call {
        let method: HTTPRequest.Method
        /// Below the endpoint: `/zones?name=example.org.`
        let path: String
        var body: JSONValue?
    }

    /// An answer that is to be judged by the caller: any status but those that pass.
    struct Reply {
        let status: Int
        let json: JSONValue

        var isSuccess: Bool { (200..<300).contains(status) }
        /// The kind of error in Designate's words: `duplicate_recordset`.
        var kind: String? { json["type"]?.string }

        /// Status and message: "status 403: Policy does not allow ..."
        var description: String {
            let inner = json["errors"]?["errors"]?.array?.first?["message"]?.string
            let words = inner ?? json["message"]?.string ?? json["error"]?["message"]?.string ?? kind
            return "status \(status)" + (words.map { ": " + $0.prefix(300) } ?? "")
        }
    }

    typealias Outcome = Result<Reply, PublishError>

    static let jsonHeaders = [HTTPField("Accept", "application/json"), HTTPField("Content-Type", "application/json")]

    let deadline: Deadline
    private let settings: DesignateSettings
    private let transport: any Transport
    private let zone: DNSName
    private var session: KeystoneSession?
    /// Every token of this run, for `failure` to hide.
    private var tokens: [Secret<String>] = []

    init(_ settings: DesignateSettings, _ transport: any Transport, zone: DNSName, deadline: Deadline) {
        self.settings = settings
        self.transport = transport
        self.zone = zone
        self.deadline = deadline
    }

    /// Sends all at once; each has its answer or its error in the end, in the order of the calls.
    func perform(_ calls: [Call]) -> [Outcome] {
        do throws(PublishError) {
            try open()
        } catch {
            return calls.map { _ in .failure(error) }
        }
        var tries = calls.map { Try(call: $0) }
        while tries.contains(where: { $0.outcome == nil }) {
            let open = tries.indices.filter { tries[$0].outcome == nil }
            let results = transport.perform(open.map { request(tries[$0].call) }, deadline: deadline)
            for (index, result) in zip(open, results) { judge(result, &tries[index]) }
            renew(&tries)
            let pause = tries.filter { $0.outcome == nil }.map(\.pause).max() ?? 0
            if pause > 0 { deadline.pause(seconds: pause) }
        }
        return tries.map { $0.outcome ?? .failure(failure("a request was not answered")) }
    }

    func perform(_ call: Call) throws(PublishError) -> Reply {
        try (perform([call]).first ?? .failure(failure("a request was not answered"))).get()
    }

    /// A sentence without anything secret in it, whatever a server quotes.
    func failure(_ problem: String) -> PublishError {
        let secrets = ([settings.credential.secret] + tokens).map(\.revealed).sorted { $0.utf8.count > $1.utf8.count }
        let shown = secrets.reduce(problem) { $1.isEmpty ? $0 : $0.replacing($1, with: "(hidden)") }
        return PublishError("the zone \(zone) was not published: \(shown)")
    }

    /// Where Designate is, for sentences.
    var place: String { "Designate at \(HTTPRequest(.get, session?.endpoint ?? "").host)" }

    // MARK: One call

    private struct Try {
        let call: Call
        var outcome: Outcome?
        var patience = Patience(waitsWithoutTime: false)
        /// Seconds until it is tried again.
        var pause = 0.0
        /// The token was refused; a second time it is no matter of its age.
        var refusals = 0
        var needsToken = false
    }

    private func request(_ call: Call) -> HTTPRequest {
        let token = HTTPField("X-Auth-Token", session?.token.revealed ?? "")
        return HTTPRequest(
            call.method, (session?.endpoint ?? "") + call.path, headers: Self.jsonHeaders + [token],
            body: call.body.map { Array($0.rendered.utf8) })
    }

    private func judge(_ result: Result<HTTPResponse, HTTPError>, _ attempt: inout Try) {
        switch attempt.patience.judge(result, deadline) {
        case .again(let seconds): attempt.pause = seconds
        case .failed(let reason): attempt.outcome = .failure(failure("\(place) cannot be used: \(reason)"))
        case .done(let response) where response.status == 401 && attempt.refusals == 0:
            attempt.refusals = 1
            attempt.needsToken = true
            attempt.pause = 0
        case .done(let response): attempt.outcome = read(response)
        }
    }

    private func read(_ response: HTTPResponse) -> Outcome {
        let json = response.body.isEmpty ? .null : JSONValue.parse(response.body)
        if response.status == 401 {
            return .failure(
                failure(
                    "\(place) refuses a token that Keystone has just given: where the application credential has access "
                        + "rules, let them allow what docs/publishing.md lists; else ask its operators"))
        }
        let reply = Reply(status: response.status, json: json ?? .null)
        if json == nil && reply.isSuccess {
            return .failure(failure("\(place) answered with something else than JSON: is there a proxy before it?"))
        }
        return .success(reply)
    }

    // MARK: The token

    private func renew(_ tries: inout [Try]) {
        guard tries.contains(where: { $0.outcome == nil && $0.needsToken }) else { return }
        session = nil
        do throws(PublishError) {
            try open()
            for index in tries.indices { tries[index].needsToken = false }
        } catch {
            for index in tries.indices where tries[index].outcome == nil { tries[index].outcome = .failure(error) }
        }
    }

    private func open() throws(PublishError) {
        guard session == nil else { return }
        let response = try askKeystone()
        guard response.status == 201 else { throw refused(response) }
        do throws(KeystoneSession.Failure) {
            let session = try KeystoneSession(response, settings)
            tokens.append(session.token)
            self.session = session
        } catch {
            throw failure("Keystone at \(settings.host) \(error.reason)")
        }
    }

    private func askKeystone() throws(PublishError) -> HTTPResponse {
        var patience = Patience(waitsWithoutTime: false)
        while true {
            let result = transport.perform([KeystoneSession.request(settings)], deadline: deadline).first
            guard let result else { throw failure("Keystone at \(settings.host) was not asked") }
            switch patience.judge(result, deadline) {
            case .again(let seconds): deadline.pause(seconds: seconds)
            case .failed(let reason): throw failure("Keystone at \(settings.host) cannot be used: \(reason)")
            case .done(let response): return response
            }
        }
    }

    private func refused(_ response: HTTPResponse) -> PublishError {
        let reply = Reply(status: response.status, json: JSONValue.parse(response.body) ?? .null)
        let hint = reply.status == 401 ? ": check its secret, its domain and its project" : ""
        return failure(
            "Keystone at \(settings.host) gives no token to \(settings.credential.description) "
                + "(\(reply.description))\(hint)")
    }
}
