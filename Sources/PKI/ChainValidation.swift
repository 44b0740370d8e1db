package import FoundationEssentials
package import Names

extension CertificateChain {
    /// How far a host's clock may be behind the CA's before a new certificate looks wrong: one day, in seconds.
    private static let clockSkew: Double = 86_400

    /// Checks what must hold before the chain is put to use: the leaf is for this key and exactly these names, each
    /// certificate is issued by the next, and the leaf has not expired and does not begin in the far future.
    package func validate(names: Set<DomainName>, key: PrivateKey, now: Date) throws(PKIError) {
        guard leaf.isFor(key) else {
            throw PKIError(
                "the certificate for \(leaf.label) belongs to another private key than the one it was made for")
        }
        try checkNames(names)
        try checkLinks()
        try checkDates(now)
    }

    private func checkNames(_ ordered: Set<DomainName>) throws(PKIError) {
        let present = Set(leaf.names)
        let missing = ordered.subtracting(present).sorted().map(\.description)
        let surplus = present.subtracting(ordered).sorted().map(\.description) + leaf.otherNames
        if !missing.isEmpty {
            throw PKIError("the certificate for \(leaf.label) lacks names that were ordered: \(list(missing))")
        }
        if !surplus.isEmpty {
            throw PKIError("the certificate for \(leaf.label) has names that were not ordered: \(list(surplus))")
        }
    }

    private func checkLinks() throws(PKIError) {
        if let brokenLink { throw PKIError("the chain of \(leaf.label) is broken: \(brokenLink)") }
    }

    /// The first certificate that the next one has not issued, as a clause; nil where each leads to the next.
    package var brokenLink: String? {
        for (certificate, issuer) in zip(certificates, issuers) where !certificate.isIssued(by: issuer) {
            return "the certificate '\(certificate.label)' (issuer \(certificate.issuer)) is not issued by "
                + "'\(issuer.label)', which follows it"
        }
        return nil
    }

    private func checkDates(_ now: Date) throws(PKIError) {
        guard leaf.notAfter > now else {
            throw PKIError("the certificate for \(leaf.label) expired at \(leaf.notAfter.formatted(.iso8601))")
        }
        guard leaf.notBefore <= now.addingTimeInterval(Self.clockSkew) else {
            throw PKIError(
                "the certificate for \(leaf.label) begins only at \(leaf.notBefore.formatted(.iso8601)): "
                    + "is this host's clock right?")
        }
    }

    private func list(_ names: [String]) -> String { names.joined(separator: ", ") }
}
