import ACME
import HTTP
import Names
import PKI
import Platform
import TestSupport
import Testing

/// A real server, an account at it, and the steps that a run of the two modules takes.
final class Lab {
    let server: PebbleServer
    let key: PrivateKey
    let account: AccountRecord
    private var keys: [String: PrivateKey] = [:]

    init(_ options: PebbleServer.Options = .init()) throws {
        server = try PebbleServer(options)
        key = try PrivateKey.generate(.ec256)
        let transport = try CurlTransport(caBundle: server.caBundle, userAgent: "acme-modules/test")
        let client = Client(
            directoryURL: server.directoryURL, key: key, transport: transport,
            deadline: Deadline(seconds: 60, clock: SystemClock()), cache: nil)
        let (record, wasMade) = try client.openAccount(.init(contacts: ["a@example.org"], termsAgreed: true))
        #expect(wasMade)
        account = record
    }

    /// A fresh session, as another process would have.
    func client(cache: SessionCache? = nil) throws -> (client: Client, transport: CountingTransport) {
        let transport = CountingTransport(
            try CurlTransport(caBundle: server.caBundle, userAgent: "acme-modules/test"))
        let client = Client(
            directoryURL: server.directoryURL, key: key, transport: transport,
            deadline: Deadline(seconds: 120, clock: SystemClock()), cache: cache)
        client.account = account
        return (client, transport)
    }

    func wish(_ names: [String], _ resume: OpenOrder? = nil) throws -> OrderRequest {
        OrderRequest(names: try names.map { try DomainName($0) }, resume: resume)
    }

    func open(_ names: [[String]], resume: [OpenOrder] = []) throws -> [OpenOrder] {
        let wishes = try names.enumerated().map { index, names in
            try wish(names, resume.indices.contains(index) ? resume[index] : nil)
        }
        return try client().client.openOrders(wishes) { _, _ in }.map { try $0.get() }
    }

    func publish(_ orders: [OpenOrder]) throws {
        let challenges = orders.flatMap(\.challenges)
        if challenges.isEmpty { return }
        try server.addTXT(challenges.map { ("_acme-challenge." + $0.domain, $0.value) })
    }

    func request(_ order: OpenOrder) throws -> CompletionRequest {
        let key = try PrivateKey.generate(.ec256)
        keys[order.url] = key
        let names = try order.names.map { try DomainName($0) }
        return CompletionRequest(order: order, csr: try CertificateRequest.der(for: names, key: key))
    }

    /// Completes the orders and checks that each chain begins with a certificate for exactly the names and the key.
    func complete(_ orders: [OpenOrder]) throws {
        let results = try client().client.completeOrders(try orders.map { try request($0) })
        for (order, result) in zip(orders, results) {
            let chain = try CertificateChain(pem: try result.get().pem)
            #expect(Set(chain.leaf.names.map(\.description)) == Set(order.names))
            #expect(chain.leaf.publicKeyInfo == keys[order.url]?.publicKeyInfo)
        }
        #expect(results.count == orders.count)
    }

    func issue(_ names: [[String]]) throws {
        let orders = try open(names)
        try publish(orders)
        try complete(orders)
    }
}

/// Counts how often the client waited for answers.
final class CountingTransport: Transport {
    private let inner: CurlTransport
    private(set) var rounds = 0
    private(set) var sent: [HTTPRequest] = []

    init(_ inner: CurlTransport) {
        self.inner = inner
    }

    func perform(_ requests: [HTTPRequest], deadline: Deadline) -> [Result<HTTPResponse, HTTPError>] {
        rounds += 1
        sent += requests
        return inner.perform(requests, deadline: deadline)
    }
}
