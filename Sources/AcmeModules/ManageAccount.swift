internal import ACME
package import AnsibleModule
internal import HTTP
internal import PKI
internal import Platform
internal import Store

/// The account at a CA as such: made, brought up to date, given another key, or deactivated.
package enum ManageAccount: Module {
    package static let name = "acme_account"
    package static let emptyFields: [String: JSONValue] = [
        "account_url": nil, "account_key": nil, "contacts": [], "status": nil, "thumbprint": nil,
    ]

    package static func run(_ invocation: Invocation) -> ModuleResult {
        do {
            let options = try ManageAccountOptions(invocation)
            let deadline = Deadline(seconds: Double(options.timeout), clock: SystemClock())
            let transport = try CurlTransport(caBundle: options.caPath, userAgent: Version.userAgent)
            let session = CASession(options.directory, transport: transport, deadline: deadline)
            let run = AccountRun(options: options, session: session)
            if invocation.checkMode { return try run.predict() }
            guard try run.mayMatter else { return run.nothing }
            let lock = try StateDirectory(path: options.statePath).lock(purpose: name, deadline: deadline)
            return try lock.whileHeld { try run.perform() }
        } catch {
            return .failure("\(error)")
        }
    }
}

/// One call of `acme_account`.
struct AccountRun {
    let options: ManageAccountOptions
    let session: CASession

    private var accounts: AccountStore { options.accounts }
    private var source: String? { options.account.keySource }
    private var rollover: KeyRollover { KeyRollover(accounts: accounts, source: source, session: session) }

    /// False where there is no account to end and nothing of one.
    var mayMatter: Bool {
        get throws {
            try options.state == .present || accounts.keepsAnything(source: source)
                || accounts.key(source: source) != nil
        }
    }

    var nothing: ModuleResult { ModuleResult(changed: false, msg: AccountReport.nothing) }

    /// What `perform` would do. The CA is asked about keys that there are already, and told nothing.
    func predict() throws -> ModuleResult {
        guard try mayMatter else { return nothing }
        let situation = try inspect()
        let plan = try AccountPlan(options, situation)
        if plan.steps.contains(.open) {
            let key = try situation.wanted?.key ?? situation.effective?.key ?? .generate(options.keyType)
            try session.client(key).checkRequirements(options.account.request)
        }
        var report = AccountReport(options, situation)
        for step in plan.steps { report.predict(step, situation) }
        return report.result()
    }

    func perform() throws -> ModuleResult {
        let situation = try inspect()
        let plan = try AccountPlan(options, situation)
        var report = AccountReport(options, situation)
        do {
            for step in plan.steps { try take(step, situation, &report) }
            if options.state == .present { try remember(report) }
            return report.result()
        } catch {
            return report.result(failure: "\(error)")
        }
    }

    private func inspect() throws -> AccountSituation {
        var situation = AccountSituation()
        situation.isAnythingKept = try accounts.keepsAnything(source: source)
        if let key = try accounts.key(source: source) {
            situation.current = try known(key)
            situation.remembered = try accounts.account(of: key)
        }
        situation.next = try accounts.nextKey(source: source).map(known)
        if case .use(let path) = options.key {
            guard let key = try AccountStore.readKey(path) else {
                throw StoreError("the new account key \(path) is not there: put it there first")
            }
            let isCurrent = key.publicKeyInfo == situation.current?.key.publicKeyInfo
            situation.wanted = isCurrent ? nil : try known(key)
        }
        return situation
    }

    private func known(_ key: PrivateKey) throws(ACMEError) -> KnownKey {
        KnownKey(key: key, state: try session.client(key).accountState())
    }

    private func take(_ step: AccountStep, _ situation: AccountSituation, _ report: inout AccountReport) throws {
        switch step {
        case .endKeyChange: try rollover.settle()
        case .takeKey:
            guard let wanted = situation.wanted else { return }
            try rollover.replace(with: wanted.key, of: wanted.state.record)
            report.key = wanted.key
            report.account = wanted.state.record
        case .open: try open(&report)
        case .changeContacts:
            guard let account = report.account, let key = report.key else { return }
            try session.client(key, account: account).changeContacts(to: options.account.contacts)
            report.account?.contacts = options.account.contacts
        case .resendKeyChange:
            guard let next = situation.next?.key else { return }
            try changeKey(to: next, &report)
        case .changeKey: try changeKey(to: try situation.wanted?.key ?? .generate(options.keyType), &report)
        case .deactivate:
            guard let account = report.account, let key = report.key else { return }
            try deactivate(account, key)
        case .forget: try accounts.forgetEverything(source: source)
        }
        report.note(step)
    }

    private func changeKey(to new: PrivateKey, _ report: inout AccountReport) throws {
        guard let account = report.account, let key = report.key else { return }
        try rollover.change(account, from: key, to: new)
        report.key = new
    }

    private func open(_ report: inout AccountReport) throws {
        let key = try report.key ?? accounts.makeKey(source: source, type: options.keyType)
        let client = session.client(key)
        var (account, _) = try client.openAccount(options.account.request)
        if account.hasToBeTold(options.account.contacts, after: nil) {
            try client.changeContacts(to: options.account.contacts)
            account.contacts = options.account.contacts
        }
        try accounts.save(account, of: key)
        report.key = key
        report.account = account
    }

    /// Ends the account; a reply that was lost is made up for by asking.
    private func deactivate(_ account: AccountRecord, _ key: PrivateKey) throws {
        do {
            try session.client(key, account: account).deactivateAccount()
        } catch {
            guard case .ended? = try? session.client(key).accountState() else { throw error }
        }
    }

    /// Keeps what the account is now.
    private func remember(_ report: AccountReport) throws {
        guard let key = report.key, let account = report.account else { return }
        var record = account
        if !options.account.contacts.isEmpty { record.contacts = options.account.contacts }
        if try accounts.account(of: key) != record { try accounts.save(record, of: key) }
    }
}
