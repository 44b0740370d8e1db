internal import AnsibleModule
internal import FoundationEssentials
internal import HTTP
internal import Names
internal import PKI

extension EndpointOptions {
    /// The service with the name to ask for: one that is known by its address alone is asked for the first name of the
    /// certificate that it should serve.
    func service(among certificates: [InspectedCertificate]) -> TLSService {
        guard serverName == nil, service.serverName == service.host, let certificate,
            let names = certificates.first(where: { $0.subject.key == certificate })?.leaf?.names,
            let name = names.first(where: { !$0.isWildcard })
        else { return service }
        return TLSService(service.start, host: service.host, port: service.port, serverName: name.description)
    }
}

/// What a service serves, held against what is installed.
struct InspectedEndpoint {
    let options: EndpointOptions
    /// A sentence without its full stop; nil where all is well.
    let problem: String?
    private let state: State
    private let address: String?
    private let served: Certificate?
    private let certificate: String?

    enum State: String {
        /// The certificate that is installed.
        case current
        /// Another one for the name than is installed.
        case stale
        case expired
        /// One for other names.
        case mismatched
        /// No client that trusts what this host trusts would go on.
        case untrusted
        case unreachable
        /// A good one, and none is installed here to hold it against.
        case unknown
    }

    init(
        _ options: EndpointOptions, _ answer: Result<ServedChain, HTTPError>, _ certificates: [InspectedCertificate],
        _ trust: TrustStore, now: Date
    ) {
        self.options = options
        let candidates = options.candidates(certificates)
        do {
            let shown = try answer.get()
            let chain = try CertificateChain(pem: shown.pem)
            let served = chain.leaf
            let expected = candidates.first { $0.served?.der == served.der } ?? candidates.first
            address = shown.address
            self.served = served
            certificate = expected?.subject.key
            (state, problem) = Self.judge(chain, expected, options, trust, now)
        } catch let error as HTTPError {
            (state, problem) = (.unreachable, "its certificate cannot be seen: \(error.reason)")
            (address, served, certificate) = (nil, nil, candidates.first?.subject.key)
        } catch {
            (state, problem) = (.mismatched, "what it serves is no certificate: \(error)")
            (address, served, certificate) = ((try? answer.get())?.address, nil, candidates.first?.subject.key)
        }
    }

    private static func judge(
        _ chain: CertificateChain, _ expected: InspectedCertificate?, _ options: EndpointOptions, _ trust: TrustStore,
        _ now: Date
    ) -> (State, String?) {
        let served = chain.leaf
        let installed = expected?.served
        let isInstalled = installed?.der == served.der
        if served.notAfter <= now {
            return (
                .expired, "its certificate expired on \(served.notAfter.formatted(.iso8601))\(remedy(served, expected))"
            )
        }
        if let stranger = mismatch(served, installed, options.serverName) { return (.mismatched, stranger) }
        if let expected, installed != nil, !isInstalled {
            let dates = "from \(served.notBefore.formatted(.iso8601))"
            return (.stale, "it serves another certificate \(dates)\(remedy(served, expected))")
        }
        if let objection = trust.objection(to: chain, at: now) {
            return (.untrusted, "its certificate would not be trusted: \(objection)")
        }
        return (isInstalled ? .current : .unknown, nil)
    }

    /// What to do where what is installed is not what is served.
    private static func remedy(_ served: Certificate, _ expected: InspectedCertificate?) -> String {
        guard let expected, let installed = expected.served, installed.der != served.der else { return "" }
        return ", and \(expected.subject.key), from \(installed.notBefore.formatted(.iso8601)), is installed: "
            + "reload the service"
    }

    private static func mismatch(_ served: Certificate, _ installed: Certificate?, _ name: DomainName?) -> String? {
        let names = served.names.isEmpty ? served.label : served.names.map(\.description).joined(separator: ", ")
        if let name {
            return served.covers(name) ? nil : "its certificate is not for \(name), but for \(names)"
        }
        guard let installed, Set(installed.names).isDisjoint(with: served.names) else { return nil }
        return "its certificate is not for \(installed.label), but for \(names)"
    }

    var json: JSONValue {
        [
            "endpoint": .string(options.label), "protocol": .string(options.service.start.rawValue),
            "server_name": .optional(options.serverName?.description), "address": .optional(address),
            "certificate": .optional(certificate), "state": .string(state.rawValue),
            "fingerprint_sha256": .optional(served?.fingerprintSHA256), "serial": .optional(served?.serial),
            "issuer": .optional(served?.issuer), "not_before": .optional(served?.notBefore.formatted(.iso8601)),
            "not_after": .optional(served?.notAfter.formatted(.iso8601)),
            "domains": .strings((served?.names ?? []).map(\.description)), "error": .optional(problem),
        ]
    }
}

extension EndpointOptions {
    /// The certificates that it may serve, those that are wanted first.
    fileprivate func candidates(_ certificates: [InspectedCertificate]) -> [InspectedCertificate] {
        if let certificate { return certificates.filter { $0.subject.key == certificate } }
        guard let serverName else { return [] }
        return certificates.filter { $0.covers(serverName) }
    }
}
