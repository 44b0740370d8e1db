internal import ACME
internal import FoundationEssentials
internal import HTTP
internal import Names
internal import PKI
internal import Platform
internal import Synchronization

/// A CA that gives one resource's answer in foreign words, and all others as they should be.
enum ScriptedAuthority {
    /// The first line names the resource; then follow the status, the header fields, an empty line and the body.
    static func talk(_ bytes: [UInt8]) {
        var lines = bytes.split(separator: 0x0a, maxSplits: 1, omittingEmptySubsequences: false)[...]
        guard let first = lines.popFirst(), let rest = lines.popFirst() else { return }
        let transport = Script(of: String(decoding: first, as: UTF8.self), Array(rest))
        withClient(transport, nil) { client in
            let opened = try? client.openAccount(AccountRequest(contacts: ["a@example.org"], termsAgreed: true))
            guard opened != nil else { return }
            _ = try? client.caaIdentities()
            open(client)
            client.account = AccountRecord(url: "https://ca.example/account/1", contacts: [])
            _ = try? client.accountState()
        }
    }

    private static func open(_ client: Client) {
        guard let name = try? DomainName("a.example.org") else { return }
        for result in client.openOrders([OrderRequest(names: [name])], opened: { _, _ in }) {
            switch result {
            case .failure(let error): _ = "\(error)"
            case .success(let order):
                require(order.names == ["a.example.org"], "an order is for the names that were wanted")
                require(order.challenges.allSatisfy { $0.domain == "a.example.org" }, "no other name is authorized")
                complete(order, client)
            }
        }
    }

    private static func complete(_ order: OpenOrder, _ client: Client) {
        let request = CompletionRequest(order: order, csr: [1], wantsAlternates: true)
        for case .success(let chain) in client.completeOrders([request]) {
            for pem in [chain.pem] + chain.alternates { _ = try? CertificateChain(pem: pem) }
        }
    }

    /// An order of an earlier run, as its state file has it.
    static func resume(_ order: OpenOrder) {
        withClient(Script(), nil) { client in
            client.account = AccountRecord(url: "https://ca.example/account/1", contacts: [])
            let names = order.names.compactMap { try? DomainName($0) }
            _ = client.openOrders([OrderRequest(names: names, resume: order)], opened: { _, _ in })
            complete(order, client)
        }
    }

    /// What an earlier run kept of its talk with the CA.
    static func resume(_ cache: SessionCache) {
        withClient(Script(), cache) { client in
            _ = try? client.openAccount(AccountRequest(contacts: [], termsAgreed: true))
            _ = client.cache
        }
    }

    /// Renewal information: status, header fields, an empty line, body.
    static func suggest(_ bytes: [UInt8]) {
        let clock = LeapingClock()
        let results = RenewalInformation.fetch(
            [(base: "https://ca.example/renewal", identifier: "a.b")], transport: Script(of: "renewal", bytes),
            deadline: Deadline(seconds: 60, clock: clock))
        for result in results {
            switch result {
            case .success(let information):
                require(information.start < information.end, "a window is a span of time")
                require(information.checkAgain > clock.now, "the CA is not asked again at once")
            case .failure(let error): require(error.retryAfter != nil, "a failure says when to ask again")
            }
        }
    }

    private static func withClient(_ transport: Script, _ cache: SessionCache?, _ body: (Client) -> Void) {
        guard let key = try? accountKey.get() else { return }
        let deadline = Deadline(seconds: 30, clock: LeapingClock())
        body(
            Client(
                directoryURL: "https://ca.example/directory", key: key, transport: transport, deadline: deadline,
                cache: cache))
    }

    private static let accountKey = Result { try PrivateKey.generate(.ec256) }
}

/// The answers of a small CA, where no others are given.
private struct Script: Transport {
    private let resource: String
    private let foreign: HTTPResponse?

    init() {
        resource = ""
        foreign = nil
    }

    init(of resource: String, _ bytes: [UInt8]) {
        self.resource = resource
        foreign = Self.response(bytes)
    }

    private static func response(_ bytes: [UInt8]) -> HTTPResponse {
        var rest = bytes[...]
        func line() -> String {
            let line = rest.prefix { $0 != 0x0a }
            rest = rest.dropFirst(line.count + 1)
            return String(decoding: line, as: UTF8.self)
        }
        var response = HTTPResponse(status: Int(line()) ?? 200)
        while case let text = line(), !text.isEmpty {
            let parts = text.split(separator: ":", maxSplits: 1).map { String($0).trimmed }
            if parts.count == 2 { response.fields.append(HTTPField(parts[0], parts[1])) }
        }
        response.body = Array(rest)
        return response
    }

    func perform(_ requests: [HTTPRequest], deadline: Deadline) -> [Result<HTTPResponse, HTTPError>] {
        // Each round takes a moment, so that a talk ends.
        deadline.pause(seconds: 0.5)
        return requests.map { request in
            let name = String(request.url.dropFirst("https://ca.example/".count).prefix { $0 != "/" })
            guard var response = name == resource ? foreign : Self.own[name] else {
                return .failure(HTTPError(host: "ca.example", reason: "there is nothing", retry: .never))
            }
            response.fields.append(HTTPField("Replay-Nonce", "bm9uY2U"))
            return .success(response)
        }
    }

    private static let own: [String: HTTPResponse] = [
        "directory": json(
            200,
            """
            {"newNonce": "https://ca.example/nonce", "newAccount": "https://ca.example/account",
            "newOrder": "https://ca.example/newOrder", "renewalInfo": "https://ca.example/renewal"}
            """),
        "nonce": json(200, ""),
        "account": json(201, #"{"status": "valid"}"#, location: "account/1"),
        "newOrder": json(201, order("pending"), location: "order/1"),
        "order": json(200, order("valid", #", "certificate": "https://ca.example/certificate/1""#)),
        "authorization": json(200, authorization),
        "challenge": json(200, "{}"),
        "finalize": json(200, order("processing")),
    ]

    private static func order(_ status: String, _ more: String = "") -> String {
        """
        {"status": "\(status)", "identifiers": [{"type": "dns", "value": "a.example.org"}],
        "authorizations": ["https://ca.example/authorization/1"], "finalize": "https://ca.example/finalize/1"\(more)}
        """
    }

    private static let authorization = """
        {"status": "pending", "identifier": {"type": "dns", "value": "a.example.org"}, "challenges": [
        {"type": "dns-01", "url": "https://ca.example/challenge/1", "status": "pending", "token": "token"}]}
        """

    private static func json(_ status: Int, _ body: String, location: String? = nil) -> HTTPResponse {
        var fields = [HTTPField("Content-Type", "application/json")]
        if let location { fields.append(HTTPField("Location", "https://ca.example/" + location)) }
        return HTTPResponse(status: status, fields: fields, body: Array(body.utf8))
    }
}

extension String {
    fileprivate var trimmed: String { String(drop { $0 == " " }) }
}

/// Nobody waits: a pause is over at once, and its time has passed.
private final class LeapingClock: Clock {
    private let elapsed = Mutex(0.0)

    var uptime: Double { elapsed.withLock { $0 } }
    var now: Date { Date(timeIntervalSince1970: 1_800_000_000 + uptime) }

    func pause(seconds: Double) {
        elapsed.withLock { $0 += max(0, seconds) }
    }
}
