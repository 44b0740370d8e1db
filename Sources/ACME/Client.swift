internal import FoundationEssentials
package import HTTP
package import PKI
package import Platform

/// A signed session with one CA. Everything that can happen at once does: a phase takes a handful of requests one
/// after the other for any number of certificates and names.
package final class Client {
    let directoryURL: String
    let key: PrivateKey
    let deadline: Deadline
    let rounds: Rounds
    private var directory: (content: Directory, fetched: Date)?

    /// The account that signs: set from an earlier run's record, or by `openAccount`.
    package var account: AccountRecord? {
        didSet { rounds.kid = account?.url }
    }

    /// Whether others use the account, too. A CA may have given them the same authorizations.
    package var sharesAccount = false

    /// Everything ends at `deadline`, whose clock is used for all times.
    package init(
        directoryURL: String, key: PrivateKey, transport: any Transport, deadline: Deadline, cache: SessionCache?
    ) {
        self.directoryURL = directoryURL
        self.key = key
        self.deadline = deadline
        let now = deadline.clock.now
        let nonces = Nonces(cache?.nonces(of: directoryURL, now: now) ?? [])
        rounds = Rounds(transport: transport, key: key, clock: deadline.clock, nonces: nonces)
        directory = cache?.directory(of: directoryURL, now: now)
        rounds.newNonce = directory?.content.newNonce
    }

    /// What the next run may use again.
    package var cache: SessionCache {
        SessionCache(
            directoryURL: directoryURL, directory: directory?.content, directoryFetched: directory?.fetched,
            nonces: rounds.nonces.unused, saved: deadline.clock.now)
    }

    /// Tells how many requests will be in flight at once, so that all nonces come with the first that is needed.
    package func expect(requests: Int) { rounds.width = requests }

    /// Makes the key's account, or finds the one that it has, with the contacts that the CA shows (RFC 8555, section
    /// 7.3).
    package func openAccount(_ wanted: AccountRequest) throws(ACMEError) -> (AccountRecord, wasMade: Bool) {
        let reply = try perform(try newAccount(wanted))
        let object = try reply.decode(AccountObject.self)
        if let status = object.status, status != "valid" {
            throw ACMEError(reply.purpose, "the key's account is \(status)")
        }
        let wasMade = reply.status == 201
        let contacts = wasMade ? wanted.contactURLs : object.contact ?? []
        let record = AccountRecord(url: try reply.location(), contacts: contacts)
        account = record
        return (record, wasMade)
    }

    /// Throws where the CA would not make an account from this; nothing is signed for it.
    package func checkRequirements(_ wanted: AccountRequest) throws(ACMEError) {
        try knownDirectory().checkAccount(wanted)
    }

    private func newAccount(_ wanted: AccountRequest) throws(ACMEError) -> Call {
        try checkRequirements(wanted)
        let purpose = "open an account at \(directoryURL)"
        let url = try knownDirectory().newAccount
        let own = try JSON.encode(key.jwk, for: purpose)
        let binding = try wanted.binding.map { (binding) throws(ACMEError) in
            try JWS(own, url: url, binding: binding, for: purpose)
        }
        var call = try Call.post(NewAccount(wanted, binding: binding), to: url, purpose)
        call.identity = .key
        return call
    }

    /// Phase one: an order for each wish, with the challenges to prepare. `opened` hears of each new order, with the
    /// index of its wish, before anything else is asked, so that the caller can keep it.
    package func openOrders(
        _ wanted: [OrderRequest], opened: (Int, OpenOrder) -> Void
    ) -> [Result<OpenOrder, ACMEError>] {
        let directory: Directory
        do throws(ACMEError) {
            directory = try knownDirectory()
        } catch {
            return wanted.map { _ in .failure(error) }
        }
        let thumbprint = key.thumbprint()
        let now = deadline.clock.now
        var flows = wanted.map { OpeningFlow($0, directory, thumbprint: thumbprint) }
        rounds.width = wanted.map(\.names.count).reduce(0, +)
        let first = flows.indices.map { flows[$0].start(now: now) }
        let results = rounds.run(first, until: deadline) { index, results in
            flows[index].receive(results, now: deadline.clock.now) { opened(index, $0) }
        }
        giveUp(flows.flatMap(\.lost), sparing: results.compactMap { try? $0.get() })
        return blamingAccount(results)
    }

    /// Phase two: for each order the certificate with its chain. The challenges' records must be visible.
    package func completeOrders(_ orders: [CompletionRequest]) -> [Result<IssuedChain, ACMEError>] {
        let renewalInfo: String?
        do throws(ACMEError) {
            renewalInfo = try knownDirectory().renewalInfo
        } catch {
            return orders.map { _ in .failure(error) }
        }
        var flows = orders.map(CompletionFlow.init)
        rounds.width = orders.map { max(1, $0.order.challenges.count) }.reduce(0, +)
        let first = flows.indices.map { flows[$0].start() }
        let results = blamingAccount(
            rounds.run(first, until: deadline) { index, results in
                flows[index].receive(results, now: deadline.clock.now)
            })
        let lost = zip(orders, results).compactMap { request, result in
            if case .failure(let error) = result, error.orderIsLost { request.order } else { nil }
        }
        giveUp(lost)
        return results.map { result in
            result.map { chain in
                var chain = chain
                chain.renewalInfo = renewalInfo
                return chain
            }
        }
    }

    /// Deactivates what is still pending of orders that are given up (RFC 8555, section 7.5.2), so that they do not
    /// count against the account; a CA may have given some of them to the orders that are kept as well. Takes some
    /// seconds at most; what fails is left to expire. Orders that a phase finds lost are given up by the phase itself.
    /// On an account that is shared all are left to expire: nobody here knows which of them another host needs.
    package func giveUp(_ orders: [OpenOrder], sparing kept: [OpenOrder] = []) {
        guard !sharesAccount else { return }
        let needed = Set(kept.flatMap(\.authorizations))
        let urls = Set(orders.flatMap(\.authorizations)).subtracting(needed).sorted()
        guard !urls.isEmpty, (try? knownDirectory()) != nil else { return }
        let limit = Deadline(seconds: min(10, deadline.remaining), clock: deadline.clock)
        rounds.width = urls.count
        let first = urls.map { Step<Void>.send([.fetch($0, "look at an authorization")]) }
        _ = rounds.run(first, until: limit) { index, results in Deactivation.next(urls[index], results) }
    }

    /// The names by which CAA records mean this CA; asks for the directory where it is not known yet.
    package func caaIdentities() throws(ACMEError) -> [String] { try knownDirectory().meta?.caaIdentities ?? [] }

    func knownDirectory() throws(ACMEError) -> Directory {
        if let directory { return directory.content }
        let purpose = "read the CA's directory \(directoryURL)"
        let reply = try perform(Call(purpose: purpose, url: directoryURL, payload: .none))
        let content = try reply.decode(Directory.self)
        directory = (content, deadline.clock.now)
        rounds.newNonce = content.newNonce
        return content
    }

    func perform(_ call: Call) throws(ACMEError) -> Reply {
        let results = rounds.run([Step<Reply>.send([call])], until: deadline) { _, results in
            do throws(ACMEError) {
                return .done(.success(try results.only()))
            } catch {
                return .done(.failure(error))
            }
        }
        guard let result = results.first else { throw ACMEError(call.purpose, "nothing was sent") }
        return try result.get()
    }
}
