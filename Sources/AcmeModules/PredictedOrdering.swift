internal import ACME
internal import FoundationEssentials
internal import PKI
internal import Store

/// What `Ordering` would do, told from what earlier runs have left of the CA: it is not asked.
struct PredictedOrdering {
    private let options: CommonOptions
    private let now: Date
    /// Nil where it is not known, and where this host signs.
    private let directory: Directory?
    private let hasAccount: Bool

    init(_ options: CommonOptions, state: StateDirectory, now: Date) {
        self.options = options
        self.now = now
        guard case .directory(let url) = options.authority else {
            (directory, hasAccount) = (nil, false)
            return
        }
        directory = CAConnection.rememberedDirectory(url, state: state)
        hasAccount = CAConnection.rememberedAccount(url, options, state: state).account != nil
    }

    /// Sets the outcome of each request that is due; tells whether an order would be made.
    func order(_ requests: inout [RequestedCertificate]) -> Bool {
        var changed = false
        for index in requests.indices where requests[index].isDue {
            do throws(ACMEError) {
                changed = try order(&requests[index]) || changed
            } catch {
                requests[index].outcome = .failed(error.description)
            }
        }
        return changed
    }

    private func order(_ request: inout RequestedCertificate) throws(ACMEError) -> Bool {
        let certificate = request.certificate
        if !hasAccount { try directory?.checkAccount(options.account.request) }
        if let found = options.orders(of: certificate).usable(for: certificate, now: now),
            !request.wasRevoked(with: found.key)
        {
            request.outcome = .ordered(found.record, wasMade: false)
            return false
        }
        try directory?.checkProfile(of: OrderRequest(names: certificate.names, profile: certificate.settings.profile))
        request.isReplacement = isReplacement(request)
        request.outcome = .ordered(.placeholder(for: certificate), wasMade: true)
        return true
    }

    /// A CA takes it that a certificate is replaced from the account that obtained it, for a name of it at least
    /// (RFC 9773, section 5).
    private func isReplacement(_ request: RequestedCertificate) -> Bool {
        guard hasAccount, request.renewalInfo != nil, let installed = request.installed else { return false }
        return !Set(installed.chain.leaf.names).isDisjoint(with: request.certificate.names)
    }
}
