import ACME
import FoundationEssentials
import HTTP
import Names
import PKI
import Platform
import TestSupport
import Testing

/// A client of a scripted server, on a clock that only pauses move.
final class Session {
    static let directoryURL = "https://ca.example/dir"
    static let kid = "https://ca.example/account/1"

    let server = ScriptedTransport()
    let clock = ManualClock()
    let key: PrivateKey
    let client: Client

    init(seconds: Double = 300, cache: SessionCache? = nil) throws {
        key = try PrivateKey.generate(.ec256)
        client = Client(
            directoryURL: Self.directoryURL, key: key, transport: server,
            deadline: Deadline(seconds: seconds, clock: clock), cache: cache)
        client.account = AccountRecord(url: Self.kid, contacts: [])
    }

    /// Opens an order for each list of names, and remembers what `opened` was told.
    @discardableResult
    func open(_ names: [[String]], resume: OpenOrder? = nil) throws -> [Result<OpenOrder, ACMEError>] {
        let wishes = try names.map { OrderRequest(names: try $0.map { try DomainName($0) }, resume: resume) }
        return client.openOrders(wishes) { index, order in
            opened.append((index, order))
            coursesWhenOpened.append(server.course)
        }
    }

    private(set) var opened: [(Int, OpenOrder)] = []
    private(set) var coursesWhenOpened: [[String]] = []

    func complete(_ orders: [OpenOrder]) -> [Result<String, ACMEError>] {
        client.completeOrders(orders.map { CompletionRequest(order: $0, csr: [1, 2, 3]) })
            .map { $0.map { String(decoding: $0.pem, as: UTF8.self) } }
    }
}

/// An order under way, as an earlier run would have kept it.
func kept(
    _ id: String = "1", _ names: [String] = ["a.example"], _ status: OrderStatus = .pending, expires: Date? = nil,
    challenges: Bool = true
) -> OpenOrder {
    let urls = names.indices.map { "https://ca.example/authz/\(id)/\($0)" }
    var order = OpenOrder(
        url: "https://ca.example/order/\(id)", names: names, status: status, expires: expires,
        finalize: "https://ca.example/finalize/\(id)", authorizations: urls)
    if challenges && status == .pending {
        order.challenges = zip(names, urls).map { name, url in
            DNSChallenge(
                domain: name, wildcard: false, url: "https://ca.example/challenge/\(id)/\(name)", authorization: url,
                value: "value")
        }
    }
    return order
}

/// The error of a result; a success is a failure of the test.
func failure<Success>(
    _ result: Result<Success, ACMEError>?, _ location: SourceLocation = #_sourceLocation
) throws -> ACMEError {
    guard case .failure(let error) = result else {
        throw Unexpected(description: "expected an error, got \(String(describing: result)) at \(location)")
    }
    return error
}

struct Unexpected: Error, CustomStringConvertible {
    let description: String
}
