package import AnsibleModule
internal import Names

/// What a run over many hosts would order, held against the limits of a CA; asks nobody and changes nothing.
package enum Plan: Module {
    package static let name = "acme_plan"
    package static let emptyFields: [String: JSONValue] = [
        "certificates": [], "domains": [], "accounts": [], "new_accounts": [], "name_sets": [], "exceeded": [],
        "first_run": [],
    ]

    package static func run(_ invocation: Invocation) -> ModuleResult {
        do throws(OptionError) {
            let options = try PlanOptions(invocation)
            let tally = PlanTally(options.certificates, domains: RegisteredDomains())
            return PlanReport(options: options, tally: tally).result
        } catch {
            return .failure("\(error)")
        }
    }
}

/// The account that a host's orders would be made with, as far as accounts can be told apart.
struct PlannedAccount: Hashable {
    /// The CA's directory; nil where the host could not say.
    let directory: String?
    /// Its key's thumbprint, or what stands for it.
    let identity: String
    /// For people.
    let name: String
    /// Whether the CA has it, as far as hosts know.
    var exists = false

    static func == (one: PlannedAccount, other: PlannedAccount) -> Bool {
        (one.directory, one.identity) == (other.directory, other.identity)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(directory)
        hasher.combine(identity)
    }
}

/// One certificate that a host wants, and what a run would do for it.
struct PlannedCertificate {
    let host: String
    var account: PlannedAccount
    let key: String
    let names: [DomainName]
    let action: Action
    /// Why, in a sentence.
    let reason: String?

    enum Action: Equatable {
        /// It is valid.
        case none
        case order(OrderCount)
        /// No new order is needed: one of an earlier run is taken up, or this host signs itself.
        case goOn
        case fail

        var text: String {
            switch self {
            case .none: "none"
            case .order(let count): "order (\(count.rawValue))"
            case .goOn: "go on"
            case .fail: "fail"
            }
        }
    }

    var count: OrderCount? { if case .order(let count) = action { count } else { nil } }
}

/// How many certificates a CA issues.
struct PlanLimits {
    /// New certificates for a registered domain in 7 days.
    let perDomain: Int
    /// Orders of an account in 3 hours.
    let perAccount: Int
    /// Certificates with exactly the same names in 7 days.
    let perNames: Int
    /// Accounts that are made from one IP address in 3 hours.
    let perAddress: Int
}

/// How often each limit would be used. Replacements count nowhere, renewals with the same names only as such
/// (letsencrypt.org/docs/rate-limits).
struct PlanTally {
    private(set) var domains: [String: Int] = [:]
    private(set) var accounts: [PlannedAccount: Int] = [:]
    private(set) var newAccounts: Set<PlannedAccount> = []
    private(set) var nameSets: [[DomainName]: Int] = [:]
    /// By registered domain.
    private(set) var exempt: [String: Int] = [:]
    private(set) var newOrders = 0

    init() {}

    init(_ certificates: some Sequence<PlannedCertificate>, domains list: borrowing RegisteredDomains) {
        for certificate in certificates { add(certificate, list) }
    }

    mutating func add(_ certificate: PlannedCertificate, _ list: borrowing RegisteredDomains) {
        guard let count = certificate.count else { return }
        if !certificate.account.exists { newAccounts.insert(certificate.account) }
        var registered: Set<String> = []
        for name in certificate.names { registered.insert(list.domain(of: name)) }
        switch count {
        case .new:
            newOrders += 1
            for domain in registered { domains[domain, default: 0] += 1 }
            accounts[certificate.account, default: 0] += 1
            nameSets[certificate.names.sorted(), default: 0] += 1
        case .renewal:
            for domain in registered { exempt[domain, default: 0] += 1 }
            nameSets[certificate.names.sorted(), default: 0] += 1
        case .replacement:
            for domain in registered { exempt[domain, default: 0] += 1 }
        }
    }

    func exceeds(_ limits: PlanLimits) -> Bool {
        domains.values.contains { $0 > limits.perDomain } || accounts.values.contains { $0 > limits.perAccount }
            || nameSets.values.contains { $0 > limits.perNames }
            || newAccountsByCA.values.contains { $0 > limits.perAddress }
    }

    /// By the CA's directory; those of which it is not known count at each CA.
    var newAccountsByCA: [String?: Int] {
        let directories = Set(newAccounts.map(\.directory))
        let unknown = newAccounts.count { $0.directory == nil }
        var counts: [String?: Int] = [:]
        for directory in directories where directory != nil || directories.count == 1 {
            counts[directory] = newAccounts.count { $0.directory == directory } + (directory == nil ? 0 : unknown)
        }
        return counts
    }
}
