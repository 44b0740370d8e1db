internal import ACME
internal import PKI
internal import Platform
internal import Store

/// Ends every order under way: validated, finalized, downloaded, checked and installed, all certificates at once.
struct Completion {
    let options: CommonOptions
    let state: StateDirectory
    let deadline: Deadline

    /// How long certificates of our own are good for.
    private static let selfSignedDays = 90

    /// Sets the outcome of each certificate with an order under way.
    func complete(_ certificates: inout [FinalizedCertificate]) {
        let jobs = certificates.indices.compactMap { Job($0, certificates[$0]) }
        guard !jobs.isEmpty else { return }
        let chains: [Result<IssuedChain, any Error>]
        switch options.authority {
        case .selfSigned: chains = signed(jobs)
        case .directory(let url): chains = issued(jobs, by: url)
        }
        for (job, chain) in zip(jobs, chains) { install(chain, job, &certificates[job.index]) }
    }

    /// An order under way with its key.
    private struct Job {
        let index: Int
        let options: CertificateOptions
        let record: OrderRecord
        let key: PrivateKey
        let wish: OrderRequest

        init?(_ index: Int, _ certificate: FinalizedCertificate) {
            guard case .ordered(let record, let key) = certificate.outcome else { return nil }
            self.index = index
            options = certificate.options
            self.record = record
            self.key = key
            wish = OrderRequest(
                names: options.names, profile: options.settings.profile, replaces: certificate.replaces)
        }

        func completion() throws -> CompletionRequest {
            guard case .order(let order) = record.work else {
                throw StoreError("the order of certificate \(options.key) is damaged; run acme_request_tokens again")
            }
            return CompletionRequest(
                order: order, csr: try CertificateRequest.der(for: options.names, key: key),
                wantsAlternates: options.settings.preferredChain != nil)
        }
    }

    private func signed(_ jobs: [Job]) -> [Result<IssuedChain, any Error>] {
        let authority = Result { try SelfSigningAuthority(now: deadline.clock.now) }
        return jobs.map { job in
            Result {
                let chain = try authority.get().issue(for: job.options.names, key: job.key, days: Self.selfSignedDays)
                return IssuedChain(pem: chain.pem)
            }
        }
    }

    private func issued(_ jobs: [Job], by url: String) -> [Result<IssuedChain, any Error>] {
        do {
            let connection = try CAConnection(url, options, state: state, deadline: deadline)
            defer { connection.saveSession() }
            let items = jobs.map { job in Result { try item(job, connection) } }
            let ready = items.indices.filter { (try? items[$0].get()) != nil }
            var orders = TakenOrders(try ready.map { try items[$0].get() }, connection.client) { number, order in
                keep(order, jobs[ready[number]])
            }
            var completed = orders.complete()[...]
            return items.map { item in item.flatMap { _ in completed.removeFirst().mapError { $0 as any Error } } }
        } catch {
            return jobs.map { _ in .failure(error) }
        }
    }

    /// What the CA is sent; throws where that cannot be, which says nothing of the other certificates.
    private func item(_ job: Job, _ connection: CAConnection) throws -> TakenOrders.Item {
        try connection.refuse(job.key, of: job.options)
        guard connection.hasAccount else {
            throw StoreError("the account that ordered is not known here any more; run acme_request_tokens again")
        }
        return TakenOrders.Item(completion: try job.completion(), key: job.key, wish: job.wish)
    }

    /// A failure here stops nothing: what is on disk would only be wanted if this run broke off.
    private func keep(_ order: OpenOrder, _ job: Job) {
        var record = job.record
        record.work = .order(order)
        try? options.orders(of: job.options).update(record, for: job.options.firstName)
    }

    /// Checks the chain before anything on disk changes, installs it, and forgets the order. Where a run broke off before
    /// it had forgotten an order whose certificate it had installed, nothing else is left to do for it.
    private func install(
        _ result: Result<IssuedChain, any Error>, _ job: Job, _ certificate: inout FinalizedCertificate
    ) {
        let name = job.options.firstName
        let orders = options.orders(of: job.options)
        let memory = FailureMemory(options, now: deadline.clock.now)
        do {
            let issued = try result.get()
            let preferred = try preferred(issued, job)
            let chain = preferred.chain
            certificate.warning = preferred.warning
            if !certificate.isInPlace(chain) {
                try job.options.store.install(
                    chain, key: job.key, for: name, access: job.options.settings.access,
                    issuance: issuance(issued, job), forms: certificate.forms)
            }
            certificate.installed = chain.leaf
            certificate.outcome = .renewed
            memory.forget(job.options)
            try? orders.remove(name)
        } catch {
            certificate.outcome = .failed("\(error)")
            certificate.retryAt = memory.note(error, of: job.options, for: job.key)
            if isLost(error) { try? orders.remove(name) }
        }
    }

    private func preferred(_ issued: IssuedChain, _ job: Job) throws -> PreferredChain {
        try PreferredChain(of: issued, topmostIssuer: job.options.settings.preferredChain) { chain in
            try chain.validate(names: Set(job.options.names), key: job.key, now: deadline.clock.now)
        }
    }

    private func issuance(_ issued: IssuedChain, _ job: Job) -> Issuance {
        let authorizations: [String]?
        switch job.record.work {
        case .order(let order): authorizations = order.authorizations
        case .selfSigned: authorizations = nil
        }
        return Issuance(
            options.authority, profile: job.options.settings.profile, renewalInfo: issued.renewalInfo,
            authorizations: authorizations)
    }

    /// An order is of no more use where the CA says so, and where what it led to is not what was ordered.
    private func isLost(_ error: any Error) -> Bool {
        switch error {
        case let error as ACMEError: error.orderIsLost
        case is PKIError: true
        default: false
        }
    }
}
