package import AnsibleModule
internal import Platform
internal import Store

/// Step 2 and 3 of the flow: orders what is due and returns the TXT records that the CA wants to see.
package enum RequestTokens: Module {
    package static let name = "acme_request_tokens"
    package static let emptyFields: [String: JSONValue] = [
        "txt_required": [], "certificates": [], "warnings": [],
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

    private var state: StateDirectory { StateDirectory(path: options.statePath) }

    func perform() throws -> ModuleResult {
        var requests = inspect()
        guard requests.contains(where: \.isDue) else { return report(requests, changed: false) }
        let lock = try state.lock(purpose: RequestTokens.name, deadline: deadline)
        return lock.whileHeld {
            requests = inspect()
            let preflight = refuseBlocked(&requests)
            let ordering = Ordering(options: options, state: state, deadline: deadline)
            let changed = ordering.order(&requests)
            return report(requests, changed: changed, preflight)
        }
    }

    /// What `perform` would do, without doing any of it: the network is asked for aliases only.
    func predict() -> ModuleResult {
        var requests = inspect(isPrediction: true)
        guard requests.contains(where: \.isDue) else { return report(requests, changed: false) }
        let preflight = refuseBlocked(&requests)
        var changed = false
        for index in requests.indices where requests[index].isDue {
            let certificate = requests[index].certificate
            if let record = options.orders(of: certificate).usable(for: certificate, now: deadline.clock.now)?.record {
                requests[index].outcome = .ordered(record, wasMade: false)
            } else {
                requests[index].outcome = .ordered(.placeholder(for: certificate), wasMade: true)
                changed = true
            }
        }
        return report(requests, changed: changed, preflight)
    }

    /// Reads what is installed and decides for each certificate. An order that an earlier run began is ended even
    /// where the certificate would do: the finalize step takes up every order, and this one's tokens must be visible.
    private func inspect(isPrediction: Bool = false) -> [RequestedCertificate] {
        var requests = options.certificates.map { RequestedCertificate(certificate: $0) }
        var installations: [Installation?] = []
        for index in requests.indices { installations.append(look(at: &requests[index])) }
        RenewalInquiry(options, deadline: deadline, isPrediction: isPrediction).ask(about: &requests)
        for (index, installation) in installations.enumerated() {
            if let installation { decide(&requests[index], installation) }
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
        case .keep where options.orders(of: certificate).usable(for: certificate, now: now) != nil:
            request.reason = "an order of an earlier run is under way"
        case .keep(let reason): request.outcome = .kept(reason)
        case .obtain(let reason):
            request.reason = reason
            guard let objection = FailureMemory(options, now: now).objection(to: certificate) else { return }
            request.outcome = .failed(objection.reason)
            request.retryAt = objection.next
        }
    }

    private func refuseBlocked(_ requests: inout [RequestedCertificate]) -> Preflight {
        let due = requests.filter(\.isDue).map(\.certificate)
        let preflight = Preflight(due, options, deadline: deadline)
        for index in requests.indices where requests[index].isDue {
            if let problem = preflight.problem(of: requests[index].certificate) {
                requests[index].outcome = .failed(problem)
            }
        }
        return preflight
    }

    private func report(
        _ requests: [RequestedCertificate], changed: Bool, _ preflight: Preflight? = nil
    ) -> ModuleResult {
        let tokens = requests.flatMap { request in
            request.challenges.map { $0.txtRecord(of: request.certificate, preflight) }
        }
        let failures = requests.compactMap(\.failure)
        return ModuleResult(
            changed: changed, msg: RequestedCertificate.summary(of: requests, tokens: tokens.count),
            failed: !failures.isEmpty,
            fields: [
                "txt_required": .array(tokens),
                "certificates": .array(requests.map { $0.json(from: options.authority) }),
                "warnings": .strings(
                    requests.compactMap { request in
                        request.warning.map { "certificate \(request.certificate.key): \($0)" }
                    }),
            ])
    }
}
