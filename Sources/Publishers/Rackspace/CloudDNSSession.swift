internal import AnsibleModule
internal import HTTP
internal import Platform

/// Requests to Cloud DNS under one token: it is fetched with the first, once more where the service no longer takes it,
/// and sent nowhere but to the endpoint that the identity service named.
final class CloudDNSSession {
    private struct Token {
        let text: Secret<String>
        /// `https://host/v1.0/<tenant>`, without a slash at its end.
        let endpoint: String
    }

    private let account: CloudDNS.Account
    private let transport: any Transport
    private let deadline: Deadline
    private var token: Token?
    private var isRenewed = false

    init(account: CloudDNS.Account, transport: any Transport, deadline: Deadline) {
        self.account = account
        self.transport = transport
        self.deadline = deadline
    }

    /// The JSON that the service answers a request with. `path` follows the endpoint; `purpose` completes "could not".
    func send(
        _ method: HTTPRequest.Method, _ path: String, body: JSONValue? = nil, _ purpose: String
    ) throws(CloudDNSError) -> JSONValue {
        let token = try currentToken()
        var headers = [
            HTTPField("X-Auth-Token", token.text.revealed), HTTPField("Accept", "application/json"),
        ]
        if body != nil { headers.append(HTTPField("Content-Type", "application/json")) }
        let request = HTTPRequest(
            method, token.endpoint + path, headers: headers, body: body.map { Array($0.rendered.utf8) })
        let response = try exchange(request, purpose)
        guard response.status == 401, !isRenewed else { return try content(of: response, request, purpose) }
        isRenewed = true
        self.token = nil
        return try send(method, path, body: body, purpose)
    }

    // MARK: The token

    private func currentToken() throws(CloudDNSError) -> Token {
        if let token { return token }
        let token = try authenticate()
        self.token = token
        return token
    }

    private func authenticate() throws(CloudDNSError) -> Token {
        let purpose = "log in as \(account.username)"
        let key: JSONValue = ["username": .string(account.username), "apiKey": .string(account.apiKey.revealed)]
        let body: JSONValue = ["auth": ["RAX-KSKEY:apiKeyCredentials": key]]
        let json = HTTPField("Content-Type", "application/json")
        let request = HTTPRequest(
            .post, account.identityURL + "/v2.0/tokens", headers: [json, HTTPField("Accept", "application/json")],
            body: Array(body.rendered.utf8))
        let response = try exchange(request, purpose)
        if response.status == 401 {
            let said = hidingSecrets(CloudDNSFault(response).text)
            throw CloudDNSError(purpose, "\(request.host) refused it (\(said)): check username and api_key")
        }
        let access = try content(of: response, request, purpose)["access"]
        guard let id = access?["token"]?["id"]?.string, !id.isEmpty,
            id.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { throw CloudDNSError(unreadable: purpose) }
        return Token(text: Secret(id), endpoint: try endpoint(in: access?["serviceCatalog"], purpose))
    }

    private func endpoint(in catalog: JSONValue?, _ purpose: String) throws(CloudDNSError) -> String {
        let service = catalog?.array?.first { $0["type"] == "rax:dns" || $0["name"] == "cloudDNS" }
        guard let url = service?["endpoints"]?.array?.first?["publicURL"]?.string else {
            throw CloudDNSError(
                purpose,
                "the service catalog of the account has no Cloud DNS (cloudDNS, rax:dns): enable it, or use "
                    + "another account")
        }
        guard let base = SecureURL.base(url) else {
            throw CloudDNSError(
                purpose,
                "the service catalog names \(url) as Cloud DNS, and the token is sent to https:// URLs only: "
                    + "check identity_url")
        }
        return base
    }

    // MARK: One request

    /// Sends a request until it is answered with something that waiting does not mend.
    private func exchange(_ request: HTTPRequest, _ purpose: String) throws(CloudDNSError) -> HTTPResponse {
        var patience = Patience(waitsWithoutTime: true)
        while true {
            guard let result = transport.perform([request], deadline: deadline).first else {
                throw CloudDNSError(purpose, "no answer from \(request.host)")
            }
            switch patience.judge(result, deadline, said: { CloudDNSFault($0).text }) {
            case .done(let response): return response
            case .again(let seconds): deadline.pause(seconds: seconds)
            case .failed(let reason): throw CloudDNSError(purpose, hidingSecrets("\(request.host): \(reason)"))
            }
        }
    }

    private func content(
        of response: HTTPResponse, _ request: HTTPRequest, _ purpose: String
    ) throws(CloudDNSError) -> JSONValue {
        guard (200...299).contains(response.status) else {
            let said = hidingSecrets(CloudDNSFault(response).text)
            throw CloudDNSError(purpose, refusedWith: "\(request.host) answered \(said)")
        }
        guard let content = JSONValue.parse(response.body), content.object != nil else {
            throw CloudDNSError(unreadable: purpose)
        }
        return content
    }

    /// A service's words may repeat what it was sent.
    func hidingSecrets(_ text: String) -> String {
        [token?.text.revealed, account.apiKey.revealed].compactMap(\.self)
            .reduce(text) { $0.replacing($1, with: "(hidden)") }
    }
}
