internal import ACME
internal import PKI

/// Hosts that share an account and ask for the same names may be handed one order: Let's Encrypt answers a new order
/// with the pending one that it has. The key belongs to the order: one host's request ends it, and the others find a
/// certificate for a key that is not theirs.
///
/// They order anew at once. The names are authorized by now, so that a CA that keeps authorizations wants no further
/// TXT records. Of those that collide again one gets its certificate each time, so that the rounds end.
struct TakenOrders {
    /// The most rounds in a run. Each costs the account an order.
    private static let limit = 10

    /// An order to be completed, and what it takes to make another one.
    struct Item {
        var completion: CompletionRequest
        let key: PrivateKey
        let wish: OrderRequest
    }

    private let client: Client
    /// Puts a new order in the place of the item's old one, for the next run to take up.
    private let keep: (Int, OpenOrder) -> Void
    private var items: [Item]
    private var results: [Result<IssuedChain, ACMEError>] = []

    init(_ items: [Item], _ client: Client, keep: @escaping (Int, OpenOrder) -> Void) {
        self.items = items
        self.client = client
        self.keep = keep
    }

    /// Completes every order, or one that takes its place.
    mutating func complete() -> [Result<IssuedChain, ACMEError>] {
        guard !items.isEmpty else { return [] }
        results = client.completeOrders(items.map(\.completion))
        for _ in 1..<Self.limit {
            let taken = items.indices.filter(isTaken)
            if taken.isEmpty { return results }
            orderAnew(taken)
        }
        for index in items.indices where isTaken(index) {
            results[index] = .failure(loss(index, "\(Self.limit) times"))
        }
        return results
    }

    /// The order was ended, and not by our request. A certificate for another key that our own request led to is the
    /// CA's mistake, which another order would not mend.
    private func isTaken(_ index: Int) -> Bool {
        guard case .success(let issued) = results[index], !issued.isRequestedHere,
            let leaf = try? CertificateChain(pem: issued.pem).leaf
        else { return false }
        return !leaf.isFor(items[index].key)
    }

    private mutating func orderAnew(_ taken: [Int]) {
        let opened = client.openOrders(taken.map { items[$0].wish }) { number, order in keep(taken[number], order) }
        var ready: [Int] = []
        for (index, result) in zip(taken, opened) {
            do throws(ACMEError) {
                items[index].completion.order = try usable(try result.get(), index)
                ready.append(index)
            } catch {
                results[index] = .failure(error)
            }
        }
        let completed = client.completeOrders(ready.map { items[$0].completion })
        for (index, result) in zip(ready, completed) { results[index] = result }
    }

    /// The new order, where it can be completed now.
    private func usable(_ order: OpenOrder, _ index: Int) throws(ACMEError) -> OpenOrder {
        guard order.url != items[index].completion.order.url else {
            throw loss(index, "and the CA hands that order out again")
        }
        guard order.challenges.isEmpty else {
            keep(index, order)
            var error = loss(index, "and a new order wants new TXT records")
            error.orderIsLost = false
            throw error
        }
        return order
    }

    private func loss(_ index: Int, _ more: String) -> ACMEError {
        var error = ACMEError(
            "get a certificate for \(items[index].completion.order.title)",
            "another host with this account and these names has ended the order with its own key, \(more); "
                + "run acme_request_tokens again")
        error.orderIsLost = true
        return error
    }
}
