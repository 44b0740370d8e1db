package import AnsibleModule
internal import PKI
internal import Platform
internal import Store

/// Step 5 of the flow: takes up every order under way, obtains its certificate and installs it as one set.
package enum Finalize: Module {
    package static let name = "acme_finalize"
    package static let emptyFields: [String: JSONValue] = [
        "certificates": [], "updated": [], "warnings": [], "timings": [:],
    ]

    package static func run(_ invocation: Invocation) -> ModuleResult {
        do {
            let options = try CommonOptions(invocation)
            let deadline = Deadline(seconds: Double(options.timeout), clock: SystemClock())
            let run = FinalizeRun(options: options, deadline: deadline, isPrediction: invocation.checkMode)
            return invocation.checkMode ? run.predict() : try run.perform()
        } catch {
            return .failure("\(error)")
        }
    }
}

/// One call of `acme_finalize`, phase by phase over all certificates at once.
struct FinalizeRun {
    let options: CommonOptions
    let deadline: Deadline
    /// Without orders, since the request step only predicted, too.
    let isPrediction: Bool
    private let timings: Timings

    init(options: CommonOptions, deadline: Deadline, isPrediction: Bool) {
        self.options = options
        self.deadline = deadline
        self.isPrediction = isPrediction
        timings = Timings(deadline.clock)
    }

    private var state: StateDirectory { StateDirectory(path: options.statePath) }

    func perform() throws -> ModuleResult {
        let before = inspect()
        guard before.contains(where: \.needsWork) else { return report(before) }
        let lock = try timings.measure("lock") { try state.lock(purpose: Finalize.name, deadline: deadline) }
        return lock.whileHeld {
            var certificates = inspect()
            timings.measure("issue") {
                Completion(options: options, state: state, deadline: deadline).complete(&certificates)
            }
            timings.measure("correct") {
                for index in certificates.indices { correct(&certificates[index]) }
            }
            return told(of: certificates, lock)
        }
    }

    /// The report. Until it is written the notes that nobody was told stay, and no other run reads them.
    private func told(of certificates: [FinalizedCertificate], _ lock: FileLock) -> ModuleResult {
        let updated = certificates.filter(\.isUpdated).map { (store: $0.options.store, name: $0.options.firstName) }
        var result = report(certificates)
        result.whenWritten = {
            lock.whileHeld { for (store, name) in updated { store.forgetUntold(name) } }
        }
        return result
    }

    /// What `perform` would do, without doing any of it. A certificate that is due counts as changing even without an
    /// order: the request step would have made one.
    func predict() -> ModuleResult {
        report(
            inspect().map { certificate in
                var certificate = certificate
                switch certificate.outcome {
                case .ordered, .withoutOrder: certificate.outcome = .renewed
                case .differing(let difference): certificate.outcome = .corrected(difference)
                case .kept, .corrected, .renewed, .failed: break
                }
                return certificate
            })
    }

    /// Reads for each certificate what is installed and whether an order is under way.
    private func inspect() -> [FinalizedCertificate] {
        timings.measure("inspect") { options.certificates.map(inspected) }
    }

    private func inspected(_ certificate: CertificateOptions) -> FinalizedCertificate {
        var finalized = FinalizedCertificate(certificate)
        do {
            let installation = try certificate.store.installation(of: certificate.firstName)
            if case .complete(let installed) = installation {
                finalized.before = installed
                finalized.replaces = options.replaces(installed)
                finalized.isUntold = try certificate.store.isUntold(certificate.firstName)
            }
            let forms = try certificate.forms(isPrediction: isPrediction)
            finalized.forms = forms ?? []
            let order = options.orders(of: certificate).find(certificate.firstName) { finalized.warning = $0 }
            finalized.outcome = try outcome(certificate, installation, forms, order)
            postpone(&finalized)
        } catch {
            finalized.outcome = .failed("\(error)")
        }
        return finalized
    }

    /// An order that the CA does not want to be asked about yet is left for a later call.
    private func postpone(_ certificate: inout FinalizedCertificate) {
        let memory = FailureMemory(options, now: deadline.clock.now)
        guard case .ordered = certificate.outcome, let objection = memory.objection(to: certificate.options, .finalized)
        else { return }
        certificate.outcome = .failed(objection.reason)
        certificate.retryAt = objection.next
    }

    private func outcome(
        _ certificate: CertificateOptions, _ installation: Installation, _ forms: [CertificateForm]?,
        _ order: (record: OrderRecord, key: PrivateKey)?
    ) throws(StoreError) -> FinalizedCertificate.Outcome {
        if let order, certificate.isServed(by: order.record), !installation.wasRevoked(with: order.key) {
            return .ordered(order.record, order.key)
        }
        let wanted =
            isPrediction
            ? certificate.wanted(from: options.authority, suggestion: suggestion(certificate, installation))
            : certificate.wantedAtLeast(from: options.authority)
        switch RenewalDecision(for: wanted, given: installation, now: deadline.clock.now) {
        case .obtain(let reason): return .withoutOrder(reason: reason)
        case .keep: return try difference(certificate, installation, forms).map { .differing($0) } ?? .kept
        }
    }

    /// Nil where the files of a certificate that is kept are as they should be.
    private func difference(
        _ certificate: CertificateOptions, _ installation: Installation, _ forms: [CertificateForm]?
    ) throws(StoreError) -> FinalizedCertificate.Difference? {
        let (store, name) = (certificate.store, certificate.firstName)
        if case .complete(let installed) = installation {
            let reasons =
                try forms.map { (forms) throws(StoreError) in
                    try store.differences(of: name, installed, from: forms)
                } ?? ["its passphrase_file is not there yet"]
            if !reasons.isEmpty { return .forms(reasons, of: installed) }
        }
        return try store.accessDiffers(of: name, from: certificate.settings.access) ? .access : nil
    }

    private func suggestion(_ certificate: CertificateOptions, _ installation: Installation) -> RenewalSuggestion? {
        guard case .complete(let installed) = installation else { return nil }
        return RenewalInquiry.known(of: certificate, installed.chain.leaf, options)
    }

    private func correct(_ certificate: inout FinalizedCertificate) {
        guard case .differing(let difference) = certificate.outcome else { return }
        let (options, access) = (certificate.options, certificate.options.settings.access)
        do {
            switch difference {
            case .access:
                let changed = try options.store.setAccess(of: options.firstName, to: access)
                certificate.outcome = changed ? .corrected(.access) : .kept
            case .forms(_, let installed):
                try options.store.install(
                    installed.chain, key: installed.key, for: options.firstName, access: access,
                    issuance: installed.issuance, forms: certificate.forms)
                certificate.outcome = .corrected(difference)
            }
        } catch {
            certificate.outcome = .failed(error.description)
        }
    }

    private func report(_ certificates: [FinalizedCertificate]) -> ModuleResult {
        let updated = certificates.filter(\.isUpdated).map(\.options.key)
        var fields: [String: JSONValue] = [
            "certificates": .array(certificates.map(\.json)), "updated": .strings(updated),
            "warnings": .strings(
                certificates.compactMap { certificate in
                    certificate.warning.map { "certificate \(certificate.options.key): \($0)" }
                }),
            "timings": timings.json,
        ]
        if certificates.contains(where: \.isRewritten) { fields["diff"] = FinalizedCertificate.diff(of: certificates) }
        return ModuleResult(
            changed: certificates.contains(where: \.isChanged), msg: FinalizedCertificate.summary(of: certificates),
            failed: certificates.contains { $0.failure != nil }, fields: fields)
    }
}
