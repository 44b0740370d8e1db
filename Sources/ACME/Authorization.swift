/// The CA's view of an account's right to a name (RFC 8555, section 7.1.4).
struct Authorization: Decodable {
    enum Status: String, Decodable { case pending, valid, invalid, deactivated, expired, revoked }

    let identifier: Identifier
    let status: Status
    let challenges: [Challenge]
    let wildcard: Bool?

    /// The name without `*.`, which newer servers leave away themselves.
    var domain: String {
        identifier.value.hasPrefix("*.") ? String(identifier.value.dropFirst(2)) : identifier.value
    }

    var isWildcard: Bool { wildcard == true || identifier.value.hasPrefix("*.") }

    /// The name as it was ordered.
    var name: String { isWildcard ? "*." + domain : domain }

    /// The error that made it invalid.
    var failure: Problem? { challenges.compactMap(\.error).first }

    /// Whether the CA still waits for an answer that it has not had.
    var waitsForAnswer: Bool {
        status == .pending && challenges.contains { $0.dns != nil && $0.status == "pending" }
    }

    /// What has to be answered; nil where nothing has to be. Throws where the name cannot be proved this way.
    func challenge(at url: String, thumbprint: [UInt8]) throws(ACMEError) -> DNSChallenge? {
        switch status {
        case .valid:
            return nil
        case .invalid, .deactivated, .expired, .revoked:
            var error = ACMEError("authorize \(name)", "its authorization is \(status.rawValue)")
            if let failure { error.reason += ": \(failure)" }
            throw error.endingOrder(failure)
        case .pending:
            guard let dns = challenges.lazy.compactMap(\.dns).first else {
                let offered = challenges.compactMap(\.type).joined(separator: ", ")
                throw ACMEError("authorize \(name)", "the CA offers no dns-01 challenge for it, only: \(offered)")
                    .endingOrder(nil)
            }
            return DNSChallenge(
                domain: domain, wildcard: isWildcard, url: dns.url, authorization: url,
                value: dns.token.recordValue(thumbprint: thumbprint))
        }
    }
}
