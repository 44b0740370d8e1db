internal import AnsibleModule
internal import HTTP
internal import Names
internal import PKI
internal import Platform
internal import Store

/// The options of `acme_certificate_info`. What is not given is not compared: without `acme_directory`, say, a certificate
/// may be from any CA.
struct CertificateInfoOptions {
    /// The wanted ones; nil where nobody said which these are.
    let wanted: [CertificateOptions]?
    /// For the others.
    let settings: CertificateSettings
    let authority: Authority?
    let usesRenewalInformation: Bool
    let trust: TrustStore
    let endpoints: [EndpointOptions]
    let statePath: String
    /// Seconds for all endpoints.
    let timeout: Int

    var state: StateDirectory { StateDirectory(path: statePath) }

    init(_ invocation: Invocation) throws(OptionError) {
        var options = invocation.options
        settings = try Self.settings(&options)
        let isAnyWanted = try Self.namesCertificates(&options)
        wanted = isAnyWanted ? try CertificateOptions.readAll(&options, settings, isCheckMode: true) : nil
        authority = try Self.authority(&options)
        usesRenewalInformation = try options.boolean("use_ari", default: true)
        trust = try Self.trust(&options)
        endpoints = try EndpointOptions.readAll(&options)
        statePath = try options.statePath()
        timeout = try options.integer("timeout", default: 30, in: 1...86_400)
        try options.rejectUnknown()
    }

    private static func namesCertificates(_ options: inout Options) throws(OptionError) -> Bool {
        ["certs", "name", "domains"].map { options.value($0) }.contains { $0 != nil }
    }

    private static func settings(_ options: inout Options) throws(OptionError) -> CertificateSettings {
        let names = ["cert_path", "remaining_days", "key_type", "profile"]
        let values = names.compactMap { name in options.value(name).map { (name, $0) } }
        var own = Options(Dictionary(uniqueKeysWithValues: values))
        return try CertificateSettings(&own, defaults: .standard, isCheckMode: true)
    }

    private static func authority(_ options: inout Options) throws(OptionError) -> Authority? {
        let isGiven = options.value("acme_directory") != nil
        let url = try options.directoryURL()
        if try options.boolean("self_signed", default: false) { return .selfSigned }
        return isGiven ? .directory(url) : nil
    }

    private static func trust(_ options: inout Options) throws(OptionError) -> TrustStore {
        let path = try options.path("ca_path")
        do throws(PKIError) {
            return try TrustStore(adding: path)
        } catch {
            throw options.invalid("ca_path", "must name a PEM file of certificates on this host: \(error)")
        }
    }
}

/// A service that is asked for its certificate.
struct EndpointOptions {
    let service: TLSService
    /// The name that its certificate has to be for; nil for an address.
    let serverName: DomainName?
    /// The certificate that it should serve, by its key; nil for the one that has the name.
    let certificate: String?

    var label: String {
        service.host.contains(":") ? "[\(service.host)]:\(service.port)" : "\(service.host):\(service.port)"
    }

    /// More would need more open connections than a process usually may have.
    private static let most = 500

    static func readAll(_ options: inout Options) throws(OptionError) -> [EndpointOptions] {
        let given = try options.mappings("endpoints") { ["host": .string($0)] } ?? []
        guard given.count <= most else {
            throw options.invalid("endpoints", "must be at most \(most), not \(given.count): ask in several calls")
        }
        return try given.map { (own) throws(OptionError) in
            var own = own
            let endpoint = try EndpointOptions(&own)
            try own.rejectUnknown()
            return endpoint
        }
    }

    private init(_ options: inout Options) throws(OptionError) {
        let text = try options.requiredString("host")
        let (host, appended) = Self.split(text)
        guard Self.isHost(host) else {
            throw options.invalid(
                "host", "must be a name or an address, perhaps with a port as in www.example.org:443, not '\(text)'")
        }
        let start: TLSService.StartOfTLS = try options.choice("protocol", default: .tls)
        let port = try options.integer("port", in: 1...65_535) ?? appended.flatMap { Int($0) } ?? Int(start.usualPort)
        guard let number = UInt16(exactly: port), number > 0, appended == nil || UInt16(appended ?? "") == number else {
            throw options.invalid("host", "has another port than 1 to 65535, or than port says: '\(text)'")
        }
        certificate = try options.string("certificate")
        let name = try options.string("server_name")
        guard name.map(Self.isHost) ?? true else {
            throw options.invalid("server_name", "must be a host name, not '\(name ?? "")'")
        }
        serverName = try? DomainName(name ?? host)
        service = TLSService(start, host: host, port: number, serverName: name ?? host)
    }

    /// `host:port`, `[2001:db8::1]:port`, or either without a port.
    private static func split(_ text: String) -> (host: String, port: String?) {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            return rest.isEmpty ? (host, nil) : (rest.hasPrefix(":") ? host : text, String(rest.dropFirst()))
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : (text, nil)
    }

    private static func isHost(_ text: String) -> Bool {
        (try? DNSName(text)) != nil || text.contains(":") && ServerReference.isAddress(text)
    }
}
