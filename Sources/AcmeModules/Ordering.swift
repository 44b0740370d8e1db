internal import ACME
internal import FoundationEssentials
internal import Names
internal import PKI
internal import Platform
internal import Store

/// Obtains an order for every certificate that is due, all of them phase by phase, and keeps each on disk at once.
struct Ordering {
    let options: CommonOptions
    let state: StateDirectory
    let preflight: Preflight
    let deadline: Deadline

    /// What came of it for all certificates together.
    struct Outcome {
        /// Whether an account or an order was made.
        var isChanged = false
        /// What an operator should know of the account.
        var warning: String?
    }

    /// Sets the outcome of each request that is due. Without a connection this host signs.
    func order(_ requests: inout [RequestedCertificate], at connection: Result<CAConnection?, any Error>) -> Outcome {
        guard requests.contains(where: \.isDue) else { return Outcome() }
        var outcome = Outcome()
        do {
            guard let connection = try connection.get() else {
                return Outcome(isChanged: makeUpTokens(for: &requests))
            }
            let names = requests.filter(\.isDue).map(\.certificate.names.count)
            connection.client.expect(requests: names.reduce(0, +))
            let (wasMade, warning) = try connection.openAccount(options.account)
            outcome = Outcome(isChanged: wasMade, warning: warning)
            if openOrders(&requests, connection, mayReopenAccount: true) { outcome.isChanged = true }
        } catch {
            for index in requests.indices where requests[index].isDue { fail(&requests[index], without: error) }
        }
        return outcome
    }

    /// A certificate that needed an account, or a CA that answers.
    private func fail(_ request: inout RequestedCertificate, without error: any Error) {
        request.outcome = .failed("\(error)")
        request.retryAt = noteLimit(error, request.certificate)
    }

    /// A limit of the CA that kept an account from being opened, or a moment before which the CA cannot be asked, holds
    /// for all certificates; what else is wrong with an account says nothing about them.
    private func noteLimit(_ error: any Error, _ certificate: CertificateOptions) -> Date? {
        guard let error = error as? ACMEError, error.isLimit || error.retryAfter != nil else { return nil }
        return FailureMemory(options, now: deadline.clock.now).note(error, of: certificate)
    }

    // MARK: At a CA

    /// A job is the order of one request: the one from an earlier run, or a new one, with its key.
    private struct Job {
        let index: Int
        let key: PrivateKey
        let resume: OpenOrder?
        var saved: Result<Void, StoreError>?
    }

    private func openOrders(
        _ requests: inout [RequestedCertificate], _ connection: CAConnection, mayReopenAccount: Bool
    ) -> Bool {
        var jobs = prepare(&requests, connection.client)
        let certificates = jobs.map { requests[$0.index].certificate }
        let wanted = jobs.map { order(for: requests[$0.index], resume: $0.resume) }
        let results = connection.client.openOrders(wanted) { number, order in
            jobs[number].saved = save(order, jobs[number].key, certificates[number])
        }
        for (job, result) in zip(jobs, results) {
            requests[job.index].outcome = settle(job, result, &requests[job.index])
        }
        let made = jobs.contains { $0.saved != nil }
        let forgotten = zip(jobs, results).filter { Self.isForgotten($0.1) }.map(\.0.index)
        guard mayReopenAccount, !forgotten.isEmpty else { return made }
        do {
            try reopenAccount(connection)
        } catch {
            for index in forgotten { fail(&requests[index], without: error) }
            return made
        }
        for index in forgotten { requests[index].outcome = .due }
        _ = openOrders(&requests, connection, mayReopenAccount: false)
        return true
    }

    private static func isForgotten(_ result: Result<OpenOrder, ACMEError>) -> Bool {
        if case .failure(let error) = result { error.accountIsUnknown } else { false }
    }

    private func order(for request: RequestedCertificate, resume: OpenOrder?) -> OrderRequest {
        OrderRequest(
            names: request.certificate.names, profile: request.certificate.settings.profile,
            replaces: options.replaces(request.installed), resume: resume)
    }

    /// A CA that has lost our account (a test CA that was started anew, say) gets a new one, once.
    private func reopenAccount(_ connection: CAConnection) throws {
        try connection.forgetAccount()
        _ = try connection.openAccount(options.account)
    }

    /// Finds or makes the key of each order. Orders for other names or another kind of key are given up first: a CA
    /// may share their authorizations with the new ones.
    private func prepare(_ requests: inout [RequestedCertificate], _ client: Client) -> [Job] {
        var jobs: [Job] = []
        var givenUp: [OpenOrder] = []
        for index in requests.indices where requests[index].isDue {
            let certificate = requests[index].certificate
            if let problem = preflight.problem(of: certificate, account: client.account?.url) {
                requests[index].outcome = .failed(problem)
                continue
            }
            do {
                let found = options.orders(of: certificate)
                    .find(certificate.firstName) { requests[index].warn($0) }
                if let found, certificate.isServed(by: found.record), !requests[index].wasRevoked(with: found.key),
                    case .order(let order) = found.record.work
                {
                    jobs.append(Job(index: index, key: found.key, resume: order))
                    continue
                }
                if let found, case .order(let order) = found.record.work { givenUp.append(order) }
                jobs.append(Job(index: index, key: try key(for: &requests[index]), resume: nil))
            } catch {
                requests[index].outcome = .failed("\(error)")
            }
        }
        if !givenUp.isEmpty { client.giveUp(givenUp) }
        return jobs
    }

    /// A new one, or where that is wished the one that is installed; never that of a certificate that was revoked, nor
    /// one that the CA does not take.
    private func key(for request: inout RequestedCertificate) throws -> PrivateKey {
        let settings = request.certificate.settings
        if settings.reuseKey, let installed = request.installed, installed.revocation == nil,
            installed.key.type == settings.keyType
        {
            let memory = FailureMemory(options, now: deadline.clock.now)
            guard memory.hasRefused(installed.key, for: request.certificate) else { return installed.key }
            request.warn("the CA did not take the installed key: a new one is made in spite of reuse_key")
        }
        return try .generate(settings.keyType)
    }

    private func save(
        _ order: OpenOrder, _ key: PrivateKey, _ certificate: CertificateOptions
    ) -> Result<Void, StoreError> {
        Result { () throws(StoreError) in
            try options.orders(of: certificate)
                .save(record(order, certificate), key: key, for: certificate.firstName)
        }
    }

    private func record(_ order: OpenOrder, _ certificate: CertificateOptions) -> OrderRecord {
        OrderRecord(
            names: certificate.names, keyType: certificate.settings.keyType, profile: certificate.settings.profile,
            work: .order(order))
    }

    /// Keeps the order with its challenges, or what went wrong.
    private func settle(
        _ job: Job, _ result: Result<OpenOrder, ACMEError>, _ request: inout RequestedCertificate
    ) -> RequestedCertificate.Outcome {
        let certificate = request.certificate
        let orders = options.orders(of: certificate)
        do {
            try job.saved?.get()
            let order = try result.get()
            let record = record(order, certificate)
            request.isReplacement = order.replaces != nil
            try orders.update(record, for: certificate.firstName)
            FailureMemory(options, now: deadline.clock.now).lift(certificate)
            return .ordered(record, wasMade: job.saved != nil)
        } catch let error as ACMEError {
            if error.orderIsLost { try? orders.remove(certificate.firstName) }
            request.retryAt = FailureMemory(options, now: deadline.clock.now).note(error, of: certificate)
            return .failed(error.description)
        } catch {
            return .failed("\(error)")
        }
    }

    // MARK: Self-signed

    private func makeUpTokens(for requests: inout [RequestedCertificate]) -> Bool {
        var changed = false
        for index in requests.indices where requests[index].isDue {
            let certificate = requests[index].certificate
            let orders = options.orders(of: certificate)
            do {
                let found = orders.usable(for: certificate, now: deadline.clock.now)
                let record = found?.record ?? .madeUp(for: certificate)
                if found == nil {
                    let key = try key(for: &requests[index])
                    try orders.save(record, key: key, for: certificate.firstName)
                    changed = true
                }
                requests[index].outcome = .ordered(record, wasMade: found == nil)
            } catch {
                requests[index].outcome = .failed("\(error)")
            }
        }
        return changed
    }
}

extension OrderStore {
    /// The order under way for the certificate with this first name; one that cannot be read is as good as none, which
    /// is worth a warning.
    func find(_ name: DomainName, warn: (String) -> Void) -> (record: OrderRecord, key: PrivateKey)? {
        do {
            return try find(name)
        } catch {
            warn("the order under way is passed over: \(error)")
            return nil
        }
    }

    /// The order under way that serves exactly this certificate; one that cannot be read, or that the CA has dropped
    /// by now, is as good as none.
    func usable(for certificate: CertificateOptions, now: Date) -> (record: OrderRecord, key: PrivateKey)? {
        guard let found = try? find(certificate.firstName),
            certificate.isServed(by: found.record)
        else { return nil }
        if case .order(let order) = found.record.work, let expires = order.expires, expires <= now { return nil }
        return found
    }
}

extension OrderRecord {
    /// An order at no CA, with random tokens of the usual form: 32 bytes in base64url (RFC 8555, section 8.4).
    static func madeUp(for certificate: CertificateOptions) -> OrderRecord {
        madeUp(for: certificate) { _ in
            Base64URL.encode((0..<32).map { _ in UInt8.random(in: .min ... .max) })
        }
    }

    /// What check mode shows for an order that it does not make: values of the usual length that say so.
    static func placeholder(for certificate: CertificateOptions) -> OrderRecord {
        madeUp(for: certificate) { number in
            let text = "check-mode-placeholder-\(number)-"
            return text + String(repeating: "x", count: max(0, 43 - text.utf8.count))
        }
    }

    private static func madeUp(for certificate: CertificateOptions, value: (Int) -> String) -> OrderRecord {
        let tokens = certificate.names.enumerated().map { number, name in
            MadeUpToken(domain: name.base.description, value: value(number + 1))
        }
        return OrderRecord(
            names: certificate.names, keyType: certificate.settings.keyType, profile: certificate.settings.profile,
            work: .selfSigned(tokens))
    }
}
