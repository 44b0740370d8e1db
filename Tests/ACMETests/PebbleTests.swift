import ACME
import HTTP
import Names
import PKI
import Platform
import TestSupport
import Testing

/// The whole way against a real server that refuses nonces and reuses authorizations.
@Suite struct PebbleTests {
    @Test(arguments: [(0, 0), (30, 0), (30, 50), (30, 100)])
    func `one name, and a wildcard with its apex`(nonceReject: Int, authzReuse: Int) throws {
        let lab = try Lab(.init(nonceReject: nonceReject, authzReuse: authzReuse))
        try lab.issue([["www.one.example"], ["apex.example", "*.apex.example"]])
    }

    @Test(arguments: [0, 50, 100]) func `fifty certificates at once`(authzReuse: Int) throws {
        let lab = try Lab(.init(nonceReject: 30, authzReuse: authzReuse))
        try lab.issue((0..<50).map { ["host\($0).fleet.example", "balanced\($0).example"] })
    }

    @Test func `a hundred names on one certificate`() throws {
        let lab = try Lab(.init(nonceReject: 30))
        try lab.issue([(0..<100).map { "n\($0).hundred.example" }])
    }

    @Test func `forty names on twenty certificates take few requests one after the other`() throws {
        let lab = try Lab()
        let opening = try lab.client()
        let orders = try opening.client.openOrders((0..<20).map { try lab.wish(["a\($0).example", "b\($0).example"]) })
        {
            _, _ in
        }.map { try $0.get() }
        #expect(opening.transport.rounds == 4)
        try lab.publish(orders)
        let finishing = try lab.client(cache: opening.client.cache)
        let chains = finishing.client.completeOrders(try orders.map { try lab.request($0) })
        for chain in chains { _ = try chain.get() }
        // Three and some polls, for Pebble takes a moment to validate and to issue; one by one it would be 120 at least.
        #expect(finishing.transport.rounds < 30)
        #expect(finishing.transport.sent.allSatisfy { $0.method == .post })
    }

    @Test func `an order that was left behind is taken up, wherever it is`() throws {
        let lab = try Lab()
        let first = try lab.open([["left.example", "*.left.example"]])
        let again = try lab.client().client.openOrders([try lab.wish(["*.left.example", "left.example"], first[0])]) {
            _, _ in Issue.record("a second order was made")
        }.map { try $0.get() }
        #expect(again[0].url == first[0].url)
        #expect(Set(again[0].challenges.map(\.value)) == Set(first[0].challenges.map(\.value)))
        try lab.publish(again)
        let request = try lab.request(again[0])
        let chain = try lab.client().client.completeOrders([request])[0].get()
        #expect(chain.isRequestedHere)
        let later = try lab.open([["left.example", "*.left.example"]], resume: again)
        #expect(later[0].status == .valid)
        let found = try lab.client().client.completeOrders([.init(order: later[0], csr: request.csr)])[0].get()
        #expect(found.pem == chain.pem)
        #expect(!found.isRequestedHere)
        // What was kept says that nothing has been answered yet, but the server is further than that.
        #expect(try lab.client().client.completeOrders([request])[0].get().pem == chain.pem)
    }

    @Test func `an order is born ready where authorizations are reused`() throws {
        let lab = try Lab(.init(authzReuse: 100))
        try lab.issue([["again.example"]])
        let orders = try lab.open([["again.example"]])
        #expect(orders[0].status == .ready)
        #expect(orders[0].challenges.isEmpty)
        try lab.complete(orders)
    }

    @Test func `a name that the CA blocks does not stop the others`() throws {
        let lab = try Lab()
        let results = try lab.client().client.openOrders(
            [try lab.wish(["www.blocked.example"]), try lab.wish(["www.fine.example"])]) { _, _ in }
        #expect(throws: ACMEError.self) { try results[0].get() }
        if case .failure(let error) = results[0] {
            #expect(error.problem?.type == "urn:ietf:params:acme:error:rejectedIdentifier")
            #expect(error.description.contains("www.blocked.example"))
        }
        let fine = try results[1].get()
        try lab.publish([fine])
        try lab.complete([fine])
    }

    @Test func `a record that is not there is explained, and only its order is lost`() throws {
        let lab = try Lab()
        let orders = try lab.open([["missing.example"], ["there.example"]])
        try lab.publish([orders[1]])
        let results = try lab.client().client.completeOrders(try orders.map { try lab.request($0) })
        _ = try results[1].get()
        guard case .failure(let error) = results[0] else {
            Issue.record("a certificate without a record")
            return
        }
        #expect(error.orderIsLost)
        #expect(error.description.hasPrefix("cannot get a certificate for missing.example: missing.example: "))
        let fresh = try lab.open([["missing.example"]], resume: [orders[0]])
        #expect(fresh[0].url != orders[0].url)
    }

    @Test func `what is given up is deactivated`() throws {
        let lab = try Lab()
        let orders = try lab.open([["dropped.example", "*.dropped.example"]])
        try lab.client().client.giveUp(orders)
        let again = try lab.open([["dropped.example", "*.dropped.example"]], resume: orders)
        #expect(again[0].url != orders[0].url)
    }

    @Test func `an account is made once and found afterwards`() throws {
        let lab = try Lab()
        let (found, wasMade) = try lab.client().client.openAccount(
            .init(contacts: ["a@example.org"], termsAgreed: true))
        #expect(found == lab.account)
        #expect(!wasMade)
    }

    @Test func `a server that does not know the account says so`() throws {
        let lab = try Lab()
        let other = try Lab()
        let client = try lab.client().client
        client.account = AccountRecord(url: lab.account.url + "-unknown", contacts: [])
        let result = client.openOrders([try lab.wish(["x.example"])]) { _, _ in }[0]
        guard case .failure(let error) = result else {
            Issue.record("an order of an unknown account")
            return
        }
        #expect(error.accountIsUnknown)
        #expect(other.account.url != lab.account.url)
    }
}
