internal import AnsibleModule
internal import HTTP
internal import Platform

/// What Keystone gives for a credential: a token and where the DNS service is (identity API v3, `POST /v3/auth/tokens`).
struct KeystoneSession: Sendable {
    let token: Secret<String>
    /// The endpoint of the catalog's service `dns`, with `/v2`, without `/` at its end.
    let endpoint: String

    /// Why a session cannot be had, to go on after "Keystone at ...".
    struct Failure: Error {
        let reason: String
    }

    static func request(_ settings: DesignateSettings) -> HTTPRequest {
        HTTPRequest(
            .post, settings.authURL + "/auth/tokens", headers: DesignateClient.jsonHeaders,
            body: Array(settings.credential.authentication.rendered.utf8))
    }

    /// Reads the answer with status 201.
    init(_ response: HTTPResponse, _ settings: DesignateSettings) throws(Failure) {
        guard let token = response.header("X-Subject-Token"), !token.isEmpty,
            let catalog = JSONValue.parse(response.body)?["token"]?["catalog"]?.array
        else {
            throw Failure(
                reason: "answered without a token and a catalog; is auth_url that of Keystone, and is the "
                    + "credential for a project?")
        }
        self.token = Secret(token)
        endpoint = try Self.endpoint(in: catalog, settings)
    }

    private static func endpoint(in catalog: [JSONValue], _ settings: DesignateSettings) throws(Failure) -> String {
        let all = catalog.filter { $0["type"]?.string == "dns" }.flatMap { $0["endpoints"]?.array ?? [] }
        guard !all.isEmpty else {
            throw Failure(reason: "lists no service of type dns in its catalog: does this cloud run Designate?")
        }
        let ofInterface = all.filter { $0["interface"]?.string == settings.interface.rawValue }
        let regions = Set(ofInterface.compactMap(region)).sorted().joined(separator: ", ")
        let found = ofInterface.filter { settings.region == nil || region($0) == settings.region }
        guard let url = found.first?["url"]?.string else {
            let wanted = settings.region.map { " in the region \($0)" } ?? ""
            throw Failure(
                reason: "lists no \(settings.interface.rawValue) endpoint of the DNS service\(wanted); "
                    + "regions that have one: \(regions.isEmpty ? "none" : regions)")
        }
        guard Set(found.compactMap { $0["url"]?.string }).count == 1 else {
            throw Failure(reason: "lists the DNS service in several regions (\(regions)): set region_name")
        }
        return try versioned(url)
    }

    private static func region(_ endpoint: JSONValue) -> String? {
        endpoint["region_id"]?.string ?? endpoint["region"]?.string
    }

    private static func versioned(_ url: String) throws(Failure) -> String {
        guard let base = SecureURL.base(url) else {
            throw Failure(
                reason: "says that the DNS service is at \(url), where a token would go unencrypted: an https:// "
                    + "endpoint is needed")
        }
        return base.hasSuffix("/v2") ? base : base + "/v2"
    }
}

extension KeystoneCredential {
    /// The body of a request for a token.
    fileprivate var authentication: JSONValue {
        switch self {
        case .password(let user, let domain, let password, let project):
            let user: JSONValue = [
                "name": .string(user), "domain": domain.json, "password": .string(password.revealed),
            ]
            return [
                "auth": [
                    "identity": ["methods": ["password"], "password": ["user": user]],
                    "scope": ["project": project.json],
                ]
            ]
        case .application(let id, let secret):
            return Self.application(["id": .string(id), "secret": .string(secret.revealed)])
        case .namedApplication(let name, let user, let domain, let secret):
            return Self.application([
                "name": .string(name), "secret": .string(secret.revealed),
                "user": ["name": .string(user), "domain": domain.json],
            ])
        }
    }

    private static func application(_ credential: JSONValue) -> JSONValue {
        ["auth": ["identity": ["methods": ["application_credential"], "application_credential": credential]]]
    }
}
