package import Names

/// Looks, before any order is made, whether the names where the CA will look lead into the signing domain.
package struct AliasCheck {
    /// What stands in the way of a certificate, with the record that has to be added.
    package enum Failure: Error, Equatable, CustomStringConvertible {
        case missing(name: DNSName, domain: DNSName)
        case elsewhere(name: DNSName, end: DNSName, domain: DNSName)
        case unknown(name: DNSName, domain: DNSName, reason: DNSError)

        package var description: String {
            switch self {
            case .missing(let name, let domain):
                "\(name) is no CNAME into \(domain); " + Self.remedy("add", name, domain)
            case .elsewhere(let name, let end, let domain):
                "\(name) leads to \(end), which is not inside \(domain); "
                    + Self.remedy("put there instead", name, domain)
            case .unknown(let name, let domain, let reason):
                "cannot find out whether \(name) is a CNAME into \(domain): \(reason)"
            }
        }

        private static func remedy(_ verb: String, _ name: DNSName, _ domain: DNSName) -> String {
            let record = AliasCheck.record(for: name, into: domain)
            return "\(verb), in the zone of \(AliasCheck.host(of: name)):  \(record)"
        }
    }

    private let domain: DNSName
    private let resolver: Resolver

    package init(signingDomain: DNSName, resolver: Resolver) {
        domain = signingDomain
        self.resolver = resolver
    }

    /// For each `_acme-challenge.` name, the name inside the signing domain that its TXT record goes to.
    package func targets(of names: [DNSName]) -> [DNSName: Result<DNSName, Failure>] {
        var targets: [DNSName: Result<DNSName, Failure>] = [:]
        for (name, end) in resolver.aliases(of: names) {
            targets[name] = Result { () throws(Failure) -> DNSName in try judge(name, end) }
        }
        return targets
    }

    private func judge(_ name: DNSName, _ result: Result<DNSName, DNSError>) throws(Failure) -> DNSName {
        switch result {
        case .failure(let reason): throw .unknown(name: name, domain: domain, reason: reason)
        case .success(let end) where end.isInside(domain): return end
        case .success(name): throw .missing(name: name, domain: domain)
        case .success(let end): throw .elsewhere(name: name, end: end, domain: domain)
        }
    }

    /// The record that an operator adds: to a label of the name's own below the signing domain, or to the signing
    /// domain itself where that would be longer than a name may be.
    package static func record(for name: DNSName, into domain: DNSName) -> String {
        let target = (try? DNSName("\(host(of: name)).\(domain)")) ?? domain
        return "\(name). IN CNAME \(target)."
    }

    private static func host(of name: DNSName) -> String {
        let prefix = "_acme-challenge."
        return name.description.hasPrefix(prefix) ? String(name.description.dropFirst(prefix.count)) : name.description
    }
}
