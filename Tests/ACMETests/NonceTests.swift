import ACME
import FoundationEssentials
import HTTP
import TestSupport
import Testing

@Suite struct NonceTests {
    private func addOrders(_ session: Session, _ count: Int) {
        for id in 0..<count {
            session.server.on("POST /order", .order("\(id)", ["n\(id).example"], "ready", code: 201))
        }
    }

    private func names(_ count: Int) -> [[String]] { (0..<count).map { ["n\($0).example"] } }

    @Test func `no nonce is used twice`() throws {
        let session = try Session()
        addOrders(session, 150)
        try session.open(names(150))
        let nonces = try session.server.messages("POST /order").map(\.header.nonce)
        #expect(Set(nonces).count == 150)
    }

    @Test func `no more than a hundred requests are in flight`() throws {
        let session = try Session()
        addOrders(session, 250)
        let results = try session.open(names(250))
        #expect(results.allSatisfy { (try? $0.get()) != nil })
        #expect(session.server.rounds.map(\.count) == [1, 100, 100, 100, 50])
    }

    @Test func `where the CA refuses some, the others do the work in turns`() throws {
        let session = try Session()
        for _ in 0..<3 { session.server.on("HEAD /nonce", .json(200, "")) }
        session.server.always("HEAD /nonce", .status(503, [HTTPField("Replay-Nonce", "not one!")]))
        addOrders(session, 9)
        let results = try session.open(names(9))
        #expect(results.allSatisfy { (try? $0.get()) != nil })
        #expect(session.server.rounds.map(\.count) == [1, 9, 3, 3, 3])
        #expect(session.clock.uptime == 0)
    }

    @Test func `where the CA has none at all, it is asked again later`() throws {
        let session = try Session()
        session.server.on("HEAD /nonce", .problem(429, "rateLimited", retryAfter: "20"))
        addOrders(session, 1)
        _ = try session.open(names(1))[0].get()
        #expect(session.clock.uptime == 20)
    }

    @Test func `a CA whose replies hold no nonce is asked again until the time is up`() throws {
        let session = try Session(seconds: 30)
        session.server.always("HEAD /nonce", .json(200, "", [HTTPField("Replay-Nonce", "")]))
        let error = try failure(try session.open(names(1))[0])
        #expect(error.description.contains("the CA's reply to the request for a nonce holds none"))
        #expect((15...30).contains(session.clock.uptime))
        #expect(session.server.count("POST /order") == 0)
    }

    @Test func `a reply without a nonce costs a request for one`() throws {
        let session = try Session()
        session.server.on("POST /order", .status(503, [HTTPField("Replay-Nonce", "")]))
        addOrders(session, 1)
        _ = try session.open(names(1))[0].get()
        #expect(session.server.count("HEAD /nonce") == 2)
    }

    @Test func `the session of an earlier run spares directory and nonces`() throws {
        let first = try Session()
        addOrders(first, 3)
        try first.open(names(3))
        let kept = try JSONDecoder().decode(SessionCache.self, from: JSONEncoder().encode(first.client.cache))
        #expect(kept == first.client.cache)
        #expect(kept.nonces.count == 3)
        let second = try Session(cache: kept)
        addOrders(second, 2)
        try second.open(names(2))
        #expect(second.server.course == ["POST /order"])
    }

    @Test(arguments: [
        (-1.0, false, false), (0, true, true), (599, true, true), (601, true, false), (3601, false, false),
    ])
    func `a session is trusted for its time only`(age: Double, directory: Bool, nonces: Bool) throws {
        let first = try Session()
        addOrders(first, 1)
        try first.open(names(1))
        var kept = first.client.cache
        kept.saved = first.clock.now.addingTimeInterval(-age)
        kept.directoryFetched = kept.saved
        let second = try Session(cache: kept)
        addOrders(second, 1)
        try second.open(names(1))
        #expect((second.server.count("GET /dir") == 0) == directory)
        #expect((second.server.count("HEAD /nonce") == 0) == nonces)
    }

    @Test func `the session of another CA is of no use`() throws {
        let first = try Session()
        addOrders(first, 1)
        try first.open(names(1))
        var kept = first.client.cache
        kept.directoryURL = "https://other.example/dir"
        let second = try Session(cache: kept)
        addOrders(second, 1)
        try second.open(names(1))
        #expect(second.server.course == ["GET /dir", "HEAD /nonce", "POST /order"])
    }
}
