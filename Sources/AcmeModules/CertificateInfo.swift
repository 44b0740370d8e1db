package import AnsibleModule
internal import FoundationEssentials
internal import HTTP
internal import Names
internal import PKI
internal import Platform
internal import Store

/// What certificates a host has, and which of them its services serve. Reads only.
package enum CertificateInfo: Module {
    package static let name = "acme_certificate_info"
    package static let emptyFields: [String: JSONValue] = [
        "certificates": [], "endpoints": [], "orders": [], "problems": [],
    ]

    package static func run(_ invocation: Invocation) -> ModuleResult {
        do {
            let options = try CertificateInfoOptions(invocation)
            return try CertificateInspection(options, clock: SystemClock()).report()
        } catch {
            return .failure("\(error)")
        }
    }
}

/// One call of `acme_certificate_info`.
struct CertificateInspection {
    private let options: CertificateInfoOptions
    private let clock: any Clock

    init(_ options: CertificateInfoOptions, clock: any Clock) {
        self.options = options
        self.clock = clock
    }

    func report() throws -> ModuleResult {
        let now = clock.now
        let (subjects, obstacle) = subjects()
        let certificates = subjects.map { InspectedCertificate($0, options, now: now) }
        try check(certificates)
        let endpoints = ask(certificates, now)
        let problems =
            [obstacle].compactMap(\.self)
            + certificates.flatMap { one in one.problems.map { "certificate \(one.subject.key): \($0)" } }
            + endpoints.compactMap { one in one.problem.map { "endpoint \(one.options.label): \($0)" } }
        return ModuleResult(
            changed: false, msg: summary(certificates.count, endpoints.count, problems),
            fields: [
                "certificates": .array(certificates.map(\.json)), "endpoints": .array(endpoints.map(\.json)),
                "orders": .array(subjects.flatMap(orders)), "problems": .strings(problems),
            ])
    }

    /// The wanted certificates in the order of their keys, then what else has a directory.
    private func subjects() -> (subjects: [InspectedSubject], obstacle: String?) {
        let wanted = (options.wanted ?? []).map { InspectedSubject(wanted: $0) }
        let store = CertificateStore(path: options.settings.certPath)
        do throws(StoreError) {
            let known = Set(wanted.map(\.paths.directory))
            let others = try store.names().filter { !known.contains(store.paths(of: $0).directory) }
            return (wanted + others.map { InspectedSubject(unwanted: $0, in: store, options.settings) }, nil)
        } catch {
            return (wanted, "\(error)")
        }
    }

    /// A certificate that is in nobody's list is a slip of the keyboard.
    private func check(_ certificates: [InspectedCertificate]) throws(OptionError) {
        let keys = certificates.map(\.subject.key)
        for (index, endpoint) in options.endpoints.enumerated() {
            guard let key = endpoint.certificate, !keys.contains(key) else { continue }
            throw OptionError(
                "endpoints.\(index).certificate",
                "is '\(key)', which is neither in certs nor installed; there are: \(keys.joined(separator: ", "))")
        }
    }

    private func ask(_ certificates: [InspectedCertificate], _ now: Date) -> [InspectedEndpoint] {
        let deadline = Deadline(seconds: Double(options.timeout), clock: clock)
        let services = options.endpoints.map { $0.service(among: certificates) }
        let answers: [Result<ServedChain, HTTPError>]
        do throws(HTTPError) {
            answers = try TLSProbe.ask(services, deadline: deadline)
        } catch {
            answers = services.map { _ in .failure(error) }
        }
        return zip(options.endpoints, answers).map { endpoint, answer in
            InspectedEndpoint(endpoint, answer, certificates, options.trust, now: now)
        }
    }

    /// What is left of orders that CAs have fulfilled: the certificate that is there and the one before it. The account is
    /// known where the host has only one there.
    private func orders(_ subject: InspectedSubject) -> [JSONValue] {
        do throws(StoreError) {
            guard try subject.store.obstacle(to: subject.firstName) == nil else { return [] }
        } catch {
            return []
        }
        return subject.store.issued(for: subject.firstName).compactMap { issuance, leaf in
            guard let directory = issuance.directory else { return nil }
            let accounts = options.state.accounts(of: issuance.authority).knownAccounts()
            return [
                "certificate": .string(subject.key), "directory": .string(directory),
                "account": .optional(accounts.count == 1 ? accounts[0] : nil),
                "domains": .strings(leaf.names.map(\.description)), "serial": .string(leaf.serial),
                "at": .string(leaf.notBefore.formatted(.iso8601)),
            ]
        }
    }

    private func summary(_ certificates: Int, _ endpoints: Int, _ problems: [String]) -> String {
        guard problems.isEmpty else { return problems.joined(separator: "; ") }
        let count = { (number: Int, noun: String) in "\(number) \(noun)\(number == 1 ? "" : "s")" }
        let parts = [count(certificates, "certificate")] + (endpoints == 0 ? [] : [count(endpoints, "endpoint")])
        return parts.joined(separator: " and ") + ": nothing is wrong"
    }
}
