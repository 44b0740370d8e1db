internal import DNS
internal import Names
internal import Platform
internal import Store

/// Where the TXT record of each challenge goes, and what stands in the way, found out before any order is made.
struct Preflight {
    /// The name that each challenge name is an alias of, or itself.
    private let targets: [DNSName: DNSName]
    private let problems: [DNSName: String]
    private let issuer: CAAIssuer
    private let lookup: CAALookup

    /// Asks for all challenge names of these certificates at once, and for the CAA records that the CA would look at
    /// where it is known how they name it.
    init(_ certificates: [CertificateOptions], _ options: CommonOptions, issuer: CAAIssuer, deadline: Deadline) {
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
        self.issuer = options.checksCAA ? issuer : CAAIssuer(identities: [], account: nil)
        let asked = self.issuer.isKnown ? certificates.flatMap(\.names).map(\.base) : []
        lookup = CAALookup(asked, resolver: resolver)
    }

    /// What stands in the way of a certificate, one sentence for each of its names; nil where nothing does.
    func problem(of certificate: CertificateOptions) -> String? {
        let found = Set(certificate.names.compactMap { try? problems[$0.challengeName()] }).sorted()
        let all = found + objections(to: certificate, by: issuer)
        return all.isEmpty ? nil : all.joined(separator: "; ")
    }

    /// The same for CAA records alone, now that the account is known.
    func problem(of certificate: CertificateOptions, account: String?) -> String? {
        let found = objections(to: certificate, by: issuer.with(account: account))
        return found.isEmpty ? nil : found.joined(separator: "; ")
    }

    private func objections(to certificate: CertificateOptions, by issuer: CAAIssuer) -> [String] {
        certificate.names.compactMap { name in
            guard case .success(let set?) = lookup.records(for: name.base) else { return nil }
            return issuer.objection(of: set, to: name)
        }
    }

    /// What should be known of a certificate's CAA records though it stops nothing here: that they cannot be had. The
    /// CA asks in its own way, and refuses where that fails.
    func warning(of certificate: CertificateOptions) -> String? {
        var unknown: [String: [String]] = [:]
        for name in certificate.names {
            guard issuer.isKnown, case .failure(let reason) = lookup.records(for: name.base) else { continue }
            unknown[reason.description, default: []].append(name.description)
        }
        let sentences = unknown.sorted { $0.key < $1.key }.map { reason, names in
            "cannot find out what CAA records permit for \(names.joined(separator: ", ")), and the CA refuses where it "
                + "cannot either: \(reason)"
        }
        return sentences.isEmpty ? nil : sentences.joined(separator: "; ")
    }

    func target(of challenge: DNSName) -> DNSName { targets[challenge] ?? challenge }
}
