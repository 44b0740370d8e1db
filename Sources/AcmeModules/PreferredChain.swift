internal import ACME
internal import FoundationEssentials
internal import Names
internal import PKI

/// Which of the chains that a CA offers for one certificate is installed.
struct PreferredChain {
    let chain: CertificateChain
    /// Why it is not the one that was wished for; nil where it is, or nothing was wished.
    let warning: String?

    /// The first chain whose topmost certificate was issued by the one with this common name, or else the CA's own
    /// choice. A chain that does not hold is passed over, save the CA's own.
    init(
        of issued: IssuedChain, topmostIssuer name: String?, validating check: (CertificateChain) throws -> Void
    ) throws {
        let own = Result {
            let chain = try CertificateChain(pem: issued.pem)
            try check(chain)
            return chain
        }
        guard let name else {
            chain = try own.get()
            warning = nil
            return
        }
        let others = issued.alternates.compactMap { pem -> CertificateChain? in
            guard let chain = try? CertificateChain(pem: pem), (try? check(chain)) != nil else { return nil }
            return chain
        }
        let all = ((try? own.get()).map { [$0] } ?? []) + others
        if let match = all.first(where: { Self.topmostIssuer(of: $0) == name }) {
            chain = match
            warning = nil
            return
        }
        chain = try own.get()
        let offered = all.compactMap(Self.topmostIssuer).joined(separator: ", ")
        warning = "no chain of the CA leads to '\(name)', so that its own choice is installed; it offers: \(offered)"
    }

    private static func topmostIssuer(of chain: CertificateChain) -> String? {
        chain.certificates.last?.issuerCommonName
    }
}
