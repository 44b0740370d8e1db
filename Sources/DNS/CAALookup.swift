package import Names

/// The CAA records that a CA will look at, looked up before any order is made (RFC 8659, section 3). All names and all
/// names above them are asked at once, the ends of aliases in a round of their own.
package struct CAALookup {
    /// More aliases than that, one after the other in answers of their own, nobody follows.
    private static let mostRounds = 8

    private var found: [DNSName: Result<CAARecordSet, DNSError>] = [:]

    package init(_ names: some Sequence<DNSName>, resolver: Resolver) {
        var open: [DNSName: DNSName] = [:]
        for name in names {
            var current: DNSName? = name
            while let label = current, open.updateValue(label, forKey: label) == nil { current = label.parent }
        }
        for _ in 0..<Self.mostRounds where !open.isEmpty {
            let answers = resolver.authorizations(of: Set(open.values))
            for (name, current) in open {
                let result = answers[current] ?? .failure(.noServers)
                if case .success(let set) = result, set.records.isEmpty, set.owner != current {
                    open[name] = set.owner
                } else {
                    found[name] = result
                    open[name] = nil
                }
            }
        }
        for name in open.keys { found[name] = .failure(.endlessAliases(name)) }
    }

    /// The record set that counts for a name: its own, or the one of the nearest name above it that has one; nil where
    /// there is none at all.
    package func records(for name: DNSName) -> Result<CAARecordSet?, DNSError> {
        var current: DNSName? = name
        while let label = current {
            switch found[label] {
            case .failure(let error): return .failure(error)
            case .success(let set) where !set.records.isEmpty: return .success(set)
            case .success, nil: current = label.parent
            }
        }
        return .success(nil)
    }
}
