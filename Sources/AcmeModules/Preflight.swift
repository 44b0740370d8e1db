internal import DNS
internal import Names
internal import Platform
internal import Store

/// Where the TXT record of each challenge goes, and what stands in the way, found out before any order is made.
struct Preflight {
    /// The name that each challenge name is an alias of, or itself.
    private let targets: [DNSName: DNSName]
    private let problems: [DNSName: String]

    /// Asks for all challenge names of these certificates at once.
    init(_ certificates: [CertificateOptions], _ options: CommonOptions, deadline: Deadline) {
        let names = Set(certificates.flatMap(\.names).compactMap { try? $0.challengeName() }).sorted()
        let resolver = Resolver(servers: options.aliases.resolvers, deadline: deadline)
        var targets: [DNSName: DNSName] = [:]
        var problems: [DNSName: String] = [:]
        if let domain = options.aliases.signingDomain {
            let isEnforced = options.aliases.isChecked && options.authority != .selfSigned
            for (name, target) in AliasCheck(signingDomain: domain, resolver: resolver).targets(of: names) {
                switch target {
                case .success(let end): targets[name] = end
                case .failure(let failure) where isEnforced: problems[name] = failure.description
                case .failure: targets[name] = domain
                }
            }
        } else {
            for (name, target) in resolver.aliases(of: names) { targets[name] = try? target.get() }
        }
        self.targets = targets
        self.problems = problems
    }

    /// What stands in the way of a certificate, one sentence for each of its names; nil where nothing does.
    func problem(of certificate: CertificateOptions) -> String? {
        let found = Set(certificate.names.compactMap { try? problems[$0.challengeName()] }).sorted()
        return found.isEmpty ? nil : found.joined(separator: "; ")
    }

    func target(of challenge: DNSName) -> DNSName { targets[challenge] ?? challenge }
}
