internal import AnsibleModule
internal import HTTP
internal import Platform

/// How Keystone is reached and who asks there: the provider's options, and a cloud of `clouds.yaml` for those that
/// are not given (members as in openstacksdk's configuration).
struct DesignateSettings: Sendable {
    enum Interface: String, CaseIterable, Sendable {
        case `public`
        case `internal`
        case admin
    }

    /// Without `/` at its end, with `/v3`.
    let authURL: String
    let credential: KeystoneCredential
    /// Needed where the catalog has the service in several regions.
    let region: String?
    let interface: Interface
    let caPath: String?
    /// Seconds for which resolvers may keep a record set.
    let ttl: Int

    init(_ options: inout Options) throws(OptionError) {
        var layers = try Layers(options)
        authURL = try Self.authURL(&layers)
        credential = try KeystoneCredential(&layers)
        region = try layers.member("region_name")
        interface = try layers.interface()
        caPath = try layers.caPath()
        ttl = try layers.given.integer("ttl", default: 60, in: 1...2_147_483_647)
        options = layers.given
    }

    private static func authURL(_ layers: inout Layers) throws(OptionError) -> String {
        let text = try layers.required("auth_url")
        let url = try layers.given.secureURL("auth_url", text)
        guard !url.hasSuffix("/v2.0") else {
            throw layers.given.invalid("auth_url", "names version 2.0 of Keystone's API; version 3 is needed")
        }
        return url.hasSuffix("/v3") ? url : url + "/v3"
    }

    /// Host and port of Keystone.
    var host: String { HTTPRequest(.post, authURL).host }
}

/// Who asks, as Keystone's v3 API takes it (identity API v3, "Authentication and token management").
enum KeystoneCredential: Sendable {
    /// A domain or project by id, or by name (a project's with the domain that it lies in).
    struct Reference: Sendable {
        let json: JSONValue
    }

    case password(user: String, domain: Reference, password: Secret<String>, project: Reference)
    case application(id: String, secret: Secret<String>)
    case namedApplication(name: String, user: String, domain: Reference, secret: Secret<String>)

    init(_ layers: inout Layers) throws(OptionError) {
        let user = try layers.text("username")
        let password = try layers.secret("password")
        let domain = try Self.domain("user_domain", &layers)
        let project = try Self.project(&layers)
        let id = try layers.text("application_credential_id")
        let name = try layers.text("application_credential_name")
        let secret = try layers.secret("application_credential_secret")
        if id == nil && name == nil {
            guard let user else { throw layers.given.missing("username") }
            guard let password else { throw layers.given.missing("password") }
            guard let project else { throw layers.given.missing("project_name") }
            self = .password(user: user, domain: domain, password: password, project: project)
            return
        }
        guard let secret else { throw layers.given.missing("application_credential_secret") }
        if let id {
            self = .application(id: id, secret: secret)
        } else {
            guard let user else { throw layers.given.missing("username") }
            self = .namedApplication(name: name ?? "", user: user, domain: domain, secret: secret)
        }
    }

    private static func domain(_ kind: String, _ layers: inout Layers) throws(OptionError) -> Reference {
        let name = try layers.text(kind + "_name")
        if let id = try layers.text(kind + "_id") { return Reference(json: ["id": .string(id)]) }
        return Reference(json: ["name": .string(name ?? "Default")])
    }

    private static func project(_ layers: inout Layers) throws(OptionError) -> Reference? {
        let domain = try domain("project_domain", &layers)
        let name = try layers.text("project_name")
        if let id = try layers.text("project_id") { return Reference(json: ["id": .string(id)]) }
        return name.map { Reference(json: ["name": .string($0), "domain": domain.json]) }
    }

    /// What no error may hold.
    var secret: Secret<String> {
        switch self {
        case .password(_, _, let secret, _), .application(_, let secret), .namedApplication(_, _, _, let secret): secret
        }
    }

    /// For a sentence: whom Keystone knows or not.
    var description: String {
        switch self {
        case .password(let user, _, _, _): "the user \(user)"
        case .application(let id, _): "the application credential \(id)"
        case .namedApplication(let name, let user, _, _): "the application credential \(name) of the user \(user)"
        }
    }
}

/// The options as given, over a cloud of `clouds.yaml` and its member `auth`.
struct Layers {
    var given: Options
    private var cloud: Options?
    private var auth: Options?

    init(_ options: Options) throws(OptionError) {
        given = options
        let name = try given.string("cloud")
        guard var file = try given.credentials("clouds_file") else {
            if name != nil { throw given.invalid("cloud", "needs clouds_file, the file that describes it") }
            return
        }
        guard let name else { throw given.missing("cloud") }
        guard var clouds = try file.mapping("clouds") else { throw file.missing("clouds") }
        guard var cloud = try clouds.mapping(name) else {
            let known = clouds.names.joined(separator: ", ")
            throw given.invalid("cloud", "is \(name), which clouds_file does not describe; it has: \(known)")
        }
        auth = try cloud.mapping("auth")
        self.cloud = cloud
    }

    /// A member of `auth`.
    mutating func text(_ name: String) throws(OptionError) -> String? {
        let text = try given.string(name)
        let other = try auth?.string(name)
        return [text, other].compactMap { $0 }.first { !$0.isEmpty }
    }

    mutating func required(_ name: String) throws(OptionError) -> String {
        guard let text = try text(name) else { throw given.missing(name) }
        return text
    }

    mutating func secret(_ name: String) throws(OptionError) -> Secret<String>? {
        let secret = try given.secret(name)
        let other = try auth?.secret(name)
        return [secret, other].compactMap { $0 }.first { !$0.revealed.isEmpty }
    }

    /// A member that stands beside `auth`.
    mutating func member(_ name: String) throws(OptionError) -> String? {
        let text = try given.string(name)
        let other = try cloud?.string(name)
        return text ?? other
    }

    mutating func interface() throws(OptionError) -> DesignateSettings.Interface {
        let own = try given.choice("interface", of: DesignateSettings.Interface.self)
        let other = try cloud?.choice("interface", of: DesignateSettings.Interface.self)
        return own ?? other ?? .public
    }

    mutating func caPath() throws(OptionError) -> String? {
        let own = try given.path("ca_path")
        let other = try cloud?.path("cacert")
        return own ?? other
    }
}
