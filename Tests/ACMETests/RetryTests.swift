import ACME
import FoundationEssentials
import HTTP
import TestSupport
import Testing

/// What is tried again, when, and what is not; each by way of a new order.
@Suite struct RetryTests {
    private static let made = ScriptedTransport.Reply.order("1", ["a.example"], "ready", code: 201)

    /// Sends one newOrder to a server with these replies.
    private func order(_ replies: [ScriptedTransport.Reply], seconds: Double = 300) throws -> (Session, ACMEError?) {
        let session = try Session(seconds: seconds)
        for reply in replies { session.server.on("POST /order", reply) }
        let result = try session.open([["a.example"]])[0]
        if case .failure(let error) = result { return (session, error) }
        return (session, nil)
    }

    @Test func `a refused nonce is tried again at once with the nonce of the refusal`() throws {
        guard case .success(var refusal) = ScriptedTransport.Reply.problem(400, "badNonce") else { return }
        refusal.fields.append(HTTPField("Replay-Nonce", "from-the-refusal"))
        let (session, error) = try order([.success(refusal), Self.made])
        #expect(error == nil)
        #expect(try session.server.messages("POST /order").map(\.header.nonce) == ["nonce-1", "from-the-refusal"])
        #expect(session.server.count("HEAD /nonce") == 1)
        #expect(session.clock.uptime == 0)
    }

    @Test func `thirty refused nonces are no reason to give up`() throws {
        let (_, error) = try order(Array(repeating: .problem(400, "badNonce"), count: 30) + [Self.made])
        #expect(error == nil)
    }

    @Test func `a server that refuses every nonce does not keep us for ever`() throws {
        let session = try Session()
        session.server.always("POST /order", .problem(400, "badNonce"))
        let error = try failure(try session.open([["a.example"]])[0])
        #expect(error.problem?.kind == .badNonce)
        #expect(session.server.count("POST /order") == 101)
    }

    @Test func `only the type tells a refused nonce`() throws {
        let (session, error) = try order([
            .problem(400, "malformed", "badNonce, or JWS has an invalid anti-replay nonce")
        ])
        #expect(error?.problem?.kind == .malformed)
        #expect(session.server.count("POST /order") == 1)
    }

    @Test(arguments: ["90", "Fri, 15 Jan 2027 08:01:30 GMT"]) func `Retry-After is obeyed, as seconds and as a date`(
        text: String
    ) throws {
        for status in [429, 503] {
            let (session, error) = try order([.problem(status, "rateLimited", retryAfter: text), Self.made])
            #expect(error == nil)
            #expect(abs(session.clock.uptime - 90) < 0.001)
        }
    }

    @Test func `a limit that outlasts the run fails at once and says when to come back`() throws {
        let (session, error) = try order([.problem(429, "rateLimited", "too many orders", retryAfter: "7200")])
        #expect(session.clock.uptime == 0)
        #expect(error?.retryAfter == session.clock.now.addingTimeInterval(7200))
        #expect(
            error?.description
                == "cannot order a certificate for a.example: rateLimited: too many orders; the CA asks to wait until "
                + "2027-01-15T10:00:00Z, which is past this run's time limit")
    }

    @Test(arguments: ["9223372036854775807", "Fri, 31 Dec 9999 23:59:59 GMT"])
    func `a moment that nobody will live to see is a moment`(text: String) throws {
        let (session, error) = try order([.problem(429, "rateLimited", retryAfter: text)])
        #expect(session.clock.uptime == 0)
        #expect(error?.retryAfter != nil)
    }

    @Test func `a paused account is not tried again`() throws {
        let (session, error) = try order([.problem(429, "rateLimited", "paused, see https://ca.example/unpause")])
        #expect(error?.description.contains("https://ca.example/unpause") == true)
        #expect(session.server.count("POST /order") == 1)
    }

    @Test(arguments: [408, 429, 500, 502, 503, 504]) func `a server in trouble is tried again after growing pauses`(
        status: Int
    ) throws {
        let (session, error) = try order(Array(repeating: .status(status), count: 5) + [Self.made])
        #expect(error == nil)
        // 0.5, 1, 2, 4 and 8 seconds, each give or take a quarter.
        #expect((11.6...19.4).contains(session.clock.uptime))
    }

    @Test func `a server in trouble that says "at once" is asked after growing pauses all the same`() throws {
        let busy = ScriptedTransport.Reply.status(503, [HTTPField("Retry-After", "0")])
        let (session, error) = try order(Array(repeating: busy, count: 5) + [Self.made])
        #expect(error == nil)
        #expect((11.6...19.4).contains(session.clock.uptime))
    }

    @Test func `an internal error that stays is told`() throws {
        let (session, error) = try order(Array(repeating: .problem(500, "serverInternal", "oops"), count: 20))
        #expect(error?.description == "cannot order a certificate for a.example: serverInternal: oops")
        #expect(session.server.count("POST /order") == 9)
    }

    @Test func `an outage that stays ends with the time limit, in the last words`() throws {
        let session = try Session(seconds: 60)
        session.server.always("POST /order", .status(503, [HTTPField("Content-Type", "text/html")]))
        let error = try failure(try session.open([["a.example"]])[0])
        #expect(
            error.description
                == "cannot order a certificate for a.example: the CA answered with status 503 (text/html) "
                + "and no explanation; no time is left for another try")
        #expect((40...60).contains(session.clock.uptime))
    }

    @Test func `an order whose reply was lost is made again`() throws {
        let (session, error) = try order([.lost(), .lost(), Self.made])
        #expect(error == nil)
        let nonces = try session.server.messages("POST /order").map(\.header.nonce)
        #expect(Set(nonces).count == 3)
    }

    @Test func `a certificate of the server that is not trusted is told at once`() throws {
        let (session, error) = try order([.lost(.never)])
        #expect(
            error?.description
                == "cannot order a certificate for a.example: no answer from ca.example: connection reset")
        #expect(session.server.count("POST /order") == 1)
    }

    @Test func `a name that does not resolve is tried for some seconds only`() throws {
        let (session, error) = try order(Array(repeating: .lost(.briefly), count: 20))
        #expect(error != nil)
        #expect(session.server.count("POST /order") == 5)
        #expect(session.clock.uptime < 12)
    }

    @Test func `one certificate that has to wait does not hold up another`() throws {
        let session = try Session()
        session.server.on(
            "POST /order", .problem(429, "rateLimited", retryAfter: "120"), .order("2", ["b.example"], code: 201),
            Self.made)
        session.server.on("POST /authz/2/0", .authorization("b.example"))
        let results = try session.open([["a.example"], ["b.example"]])
        #expect(try results.map { try $0.get().status } == [.ready, .pending])
        #expect(session.server.course == ["GET /dir", "HEAD /nonce", "POST /order", "POST /authz/2/0", "POST /order"])
    }

    @Test func `a redirect is not followed, and is told`() throws {
        let (_, error) = try order([.status(302, [HTTPField("Location", "https://elsewhere.example/")])])
        #expect(error?.description.contains("status 302") == true)
    }

    @Test func `a problem document with members of the wrong type still tells the rest`() throws {
        let fields = [HTTPField("Content-Type", "application/problem+json")]
        let body = #"{"type": 5, "detail": "words", "status": "x", "subproblems": {"a": 1}, "identifier": 3}"#
        let (_, error) = try order([.success(HTTPResponse(status: 400, fields: fields, body: Array(body.utf8)))])
        #expect(error?.description == "cannot order a certificate for a.example: error 400: words")
    }
}
