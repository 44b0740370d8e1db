internal import ACME
package import AnsibleModule
internal import DNS
internal import PKI
internal import Platform
internal import Store

/// Step 2 and 3 of the flow: orders what is due and returns the TXT records that the CA wants to see.
package enum RequestTokens: Module {
    package static let name = "acme_request_tokens"
    package static let emptyFields: [String: JSONValue] = [
        "txt_required": [], "certificates": [], "account": nil, "warnings": [], "timings": [:],
    ]

    package static func run(_ invocation: Invocation) -> ModuleResult {
        do {
            let options = try CommonOptions(invocation)
            let deadline = Deadline(seconds: Double(options.timeout), clock: SystemClock())
            let run = RequestRun(options: options, deadline: deadline)
            return invocation.checkMode ? run.predict() : try run.perform()
        } catch {
            return .failure("\(error)")
        }
    }
}

/// One call of `acme_request_tokens`, phase by phase over all certificates at once.
struct RequestRun {
    let options: CommonOptions
    let deadline: Deadline
    private let timings: Timings

    init(options: CommonOptions, deadline: Deadline) {
        self.options = options
        self.deadline = deadline
        timings = Timings(deadline.clock)
    }

    private var state: StateDirectory { StateDirectory(path: options.statePath) }

    func perform() throws -> ModuleResult {
        var requests = inspect()
        guard requests.contains(where: \.isDue) else { return report(requests, changed: false) }
        let lock = try timings.measure("lock") { try state.lock(purpose: RequestTokens.name, deadline: deadline) }
        return lock.whileHeld {
            requests = inspect(after: requests)
            guard requests.contains(where: \.isDue) else { return report(requests, changed: false) }
            let meeting = timings.measure("directory") { Result { try meetCA() } }
            let issuer = (try? meeting.get())?.issuer ?? CAAIssuer(identities: [], account: nil)
            let preflight = refuseBlocked(&requests, by: issuer)
            let ordering = Ordering(options: options, state: state, preflight: preflight, deadline: deadline)
            let outcome = timings.measure("order") { ordering.order(&requests, at: meeting.map(\.connection)) }
            (try? meeting.get())?.connection?.saveSession()
            return report(requests, changed: outcome.isChanged, preflight, warning: outcome.warning)
        }
    }

    /// The CA, asked for its directory, which says how CAA records name it; no connection where this host signs.
    private func meetCA() throws -> (connection: CAConnection?, issuer: CAAIssuer) {
        guard case .directory(let url) = options.authority else {
            return (nil, CAAIssuer(identities: [], account: nil))
        }
        let connection = try CAConnection(url, options, state: state, deadline: deadline)
        return (connection, try connection.issuer())
    }

    /// What `perform` would do, without doing any of it: no CA is asked, renewals go by what it suggested the last time,
    /// and CAA records, profiles and the terms of an account are judged by what an earlier run has kept of its directory.
    func predict() -> ModuleResult {
        var requests = inspect(isPrediction: true)
        guard requests.contains(where: \.isDue) else { return report(requests, changed: false) }
        let preflight = refuseBlocked(&requests, by: rememberedIssuer)
        let changed = PredictedOrdering(options, state: state, now: deadline.clock.now).order(&requests)
        return report(requests, changed: changed, preflight)
    }

    /// Reads what is installed and decides for each certificate. An order that an earlier run began is ended even
    /// where the certificate would do: the finalize step takes up every order, and this one's tokens must be visible.
    /// Where it was done a moment ago already, the CA is not asked again, and what was to be known then still is.
    private func inspect(isPrediction: Bool = false, after earlier: [RequestedCertificate] = [])
        -> [RequestedCertificate]
    {
        timings.measure("inspect") { inspected(isPrediction, earlier) }
    }

    private func inspected(_ isPrediction: Bool, _ earlier: [RequestedCertificate]) -> [RequestedCertificate] {
        var requests = options.certificates.map { RequestedCertificate(certificate: $0) }
        var installations: [Installation?] = []
        for index in requests.indices { installations.append(look(at: &requests[index])) }
        RenewalInquiry(options, deadline: deadline, asksCA: !isPrediction && earlier.isEmpty).ask(about: &requests)
        for (index, request) in earlier.enumerated() { requests[index].warn(request.warning) }
        for (index, installation) in installations.enumerated() {
            if let installation { decide(&requests[index], installation) }
            refuseForms(&requests[index], isPrediction: isPrediction)
        }
        return requests
    }

    private func look(at request: inout RequestedCertificate) -> Installation? {
        do {
            let installation = try request.certificate.store.installation(of: request.certificate.firstName)
            request.note(installation)
            return installation
        } catch {
            request.outcome = .failed("\(error)")
            return nil
        }
    }

    private func decide(_ request: inout RequestedCertificate, _ installation: Installation) {
        let certificate = request.certificate
        let now = deadline.clock.now
        let wanted = certificate.wanted(from: options.authority, suggestion: request.suggestion)
        switch RenewalDecision(for: wanted, given: installation, now: now) {
        case .keep(let reason):
            guard options.orders(of: certificate).usable(for: certificate, now: now) != nil else {
                request.outcome = .kept(reason)
                return
            }
            request.reason = "an order of an earlier run is under way"
        case .obtain(let reason): request.reason = reason
        }
        guard let objection = FailureMemory(options, now: now).objection(to: certificate, .ordered) else { return }
        request.outcome = .failed(objection.reason)
        request.retryAt = objection.next
    }

    /// Nothing is ordered whose files could not be written in the end.
    private func refuseForms(_ request: inout RequestedCertificate, isPrediction: Bool) {
        guard request.isDue else { return }
        do {
            _ = try request.certificate.forms(isPrediction: isPrediction)
        } catch {
            request.outcome = .failed(error.description)
        }
    }

    private var rememberedIssuer: CAAIssuer {
        guard case .directory(let url) = options.authority else { return CAAIssuer(identities: [], account: nil) }
        return CAConnection.rememberedIssuer(url, options, state: state)
    }

    private func refuseBlocked(_ requests: inout [RequestedCertificate], by issuer: CAAIssuer) -> Preflight {
        refuseAccountKeys(&requests)
        let due = requests.filter(\.isDue).map(\.certificate)
        let preflight = timings.measure("dns") { Preflight(due, options, issuer: issuer, deadline: deadline) }
        for index in requests.indices where requests[index].isDue {
            requests[index].warn(preflight.warning(of: requests[index].certificate))
            if let problem = preflight.problem(of: requests[index].certificate) {
                requests[index].outcome = .failed(problem)
            }
        }
        return preflight
    }

    /// No key of a certificate, installed or under way, may be the account's. An account key that cannot be read is
    /// told of where it is used.
    private func refuseAccountKeys(_ requests: inout [RequestedCertificate]) {
        let accounts = state.accounts(of: options.authority)
        let source = options.account.keySource
        guard options.authority != .selfSigned, let account = try? accounts.key(source: source) else { return }
        for index in requests.indices where requests[index].isDue {
            let certificate = requests[index].certificate
            let ordered = try? options.orders(of: certificate).find(certificate.firstName)?.key
            let keys = [requests[index].installed?.key, ordered].compactMap(\.self)
            let path = accounts.keyPath(source)
            if let problem = keys.lazy.compactMap({ certificate.problem($0, isAccountKey: account, at: path) }).first {
                requests[index].outcome = .failed(problem)
            }
        }
    }

    /// As it is known here: no key before one is made, no URL before the CA has told it.
    private var account: JSONValue {
        guard case .directory(let url) = options.authority else { return .null }
        let (key, account) = CAConnection.rememberedAccount(url, options, state: state)
        return [
            "directory": .string(url), "thumbprint": .optional(key.map { Base64URL.encode($0.thumbprint()) }),
            "url": .optional(account?.url),
        ]
    }

    private func report(
        _ requests: [RequestedCertificate], changed: Bool, _ preflight: Preflight? = nil, warning: String? = nil
    ) -> ModuleResult {
        let tokens = requests.flatMap { request in
            request.challenges.map { $0.txtRecord(of: request.certificate, preflight) }
        }
        let failures = requests.compactMap(\.failure)
        let warnings = requests.compactMap { request in
            request.warning.map { "certificate \(request.certificate.key): \($0)" }
        }
        return ModuleResult(
            changed: changed, msg: RequestedCertificate.summary(of: requests, tokens: tokens.count),
            failed: !failures.isEmpty,
            fields: [
                "txt_required": .array(tokens),
                "certificates": .array(requests.map { $0.json(options) }), "account": account,
                "warnings": .strings([warning].compactMap(\.self) + warnings), "timings": timings.json,
            ])
    }
}
