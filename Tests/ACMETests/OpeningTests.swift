import ACME
import FoundationEssentials
import HTTP
import TestSupport
import Testing

@Suite struct OpeningTests {
    @Test func `four requests one after the other, for many certificates of many names`() throws {
        let session = try Session()
        for id in 0..<10 {
            session.server.on("POST /order", .order("\(id)", ["a\(id).example", "b\(id).example"], code: 201))
            session.server.on("POST /authz/\(id)/0", .authorization("a\(id).example"))
            session.server.on("POST /authz/\(id)/1", .authorization("b\(id).example"))
        }
        let results = try session.open((0..<10).map { ["a\($0).example", "b\($0).example"] })
        #expect(session.server.rounds.map(\.count) == [1, 20, 10, 20])
        #expect(
            try results.map { try $0.get().challenges.map(\.domain) }
                == (0..<10).map { ["a\($0).example", "b\($0).example"] })
    }

    @Test func `five requests one after the other where the account is new, for all nonces come with the first`() throws
    {
        let session = try Session()
        session.server.on(
            "POST /account", .json(201, "{}", [HTTPField("Location", "https://ca.example/account/9")]))
        session.server.on("POST /order", .order("1", ["a.example", "b.example"], code: 201))
        session.server.on("POST /authz/1/0", .authorization("a.example"))
        session.server.on("POST /authz/1/1", .authorization("b.example"))
        session.client.expect(requests: 2)
        _ = try session.client.openAccount(.init(contacts: [], termsAgreed: true))
        _ = try session.open([["a.example", "b.example"]])[0].get()
        #expect(session.server.rounds.map(\.count) == [1, 2, 1, 1, 2])
    }

    @Test func `a wildcard and its apex give two values for one name`() throws {
        let session = try Session()
        session.server.on("POST /order", .order("1", ["*.x.example", "x.example"], code: 201))
        session.server.on("POST /authz/1/0", .authorization("x.example", wildcard: true, url: "https://ca.example/w"))
        session.server.on("POST /authz/1/1", .authorization("x.example", url: "https://ca.example/x"))
        let order = try session.open([["x.example", "*.x.example"]])[0].get()
        #expect(order.challenges.map(\.domain) == ["x.example", "x.example"])
        #expect(order.challenges.map(\.wildcard) == [true, false])
        #expect(order.challenges.map(\.url) == ["https://ca.example/w", "https://ca.example/x"])
    }

    @Test func `a new order is told of before its authorizations are asked for`() throws {
        let session = try Session()
        session.server.on("POST /order", .order("1", code: 201))
        session.server.on("POST /authz/1/0", .authorization("a.example"))
        try session.open([["a.example"]])
        #expect(session.opened.map(\.1.url) == ["https://ca.example/order/1"])
        #expect(session.opened.map(\.1.challenges.count) == [0])
        #expect(session.coursesWhenOpened == [["GET /dir", "HEAD /nonce", "POST /order"]])
    }

    @Test func `an order that is born ready has no challenges`() throws {
        let session = try Session()
        session.server.on("POST /order", .order("1", ["a.example"], "ready", code: 201))
        let order = try session.open([["a.example"]])[0].get()
        #expect(order.status == .ready)
        #expect(order.challenges.isEmpty)
    }

    @Test func `an authorization that is valid already needs no answer`() throws {
        let session = try Session()
        session.server.on("POST /order", .order("1", ["a.example", "b.example"], code: 201))
        session.server.on("POST /authz/1/0", .authorization("a.example", "valid", challenge: "valid"))
        session.server.on("POST /authz/1/1", .authorization("b.example"))
        #expect(try session.open([["a.example", "b.example"]])[0].get().challenges.map(\.domain) == ["b.example"])
    }

    @Test func `a name without a usable challenge loses its order, and the others go on`() throws {
        let session = try Session()
        session.server.on("POST /order", .order("1", code: 201), .order("2", ["b.example"], code: 201))
        session.server.on(
            "POST /authz/1/0",
            .json(
                200,
                """
                {"status": "pending", "identifier": {"type": "dns", "value": "a.example"},
                "challenges": [{"type": "http-01", "url": "u", "token": "t"}, {"type": "dns-01", "url": "u", "token": "a b"}]}
                """))
        session.server.on("POST /authz/2/0", .authorization("b.example"))
        let results = try session.open([["a.example"], ["b.example"]])
        let error = try failure(results[0])
        #expect(error.orderIsLost)
        #expect(
            error.description
                == "cannot authorize a.example: the CA offers no dns-01 challenge for it, only: http-01, dns-01")
        #expect(try results[1].get().challenges.count == 1)
    }

    @Test func `a refusal names the name in the server's words, subproblems included`() throws {
        let session = try Session()
        let fields = [HTTPField("Content-Type", "application/problem+json")]
        let body = """
            {"type": "urn:ietf:params:acme:error:compound", "detail": "two names", "subproblems": [
            {"type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "policy forbids this name",
            "identifier": {"type": "dns", "value": "blocked.example"}},
            {"type": "urn:ietf:params:acme:error:caa", "identifier": {"type": "dns", "value": "b.example"}}]}
            """
        session.server.on("POST /order", .success(HTTPResponse(status: 403, fields: fields, body: Array(body.utf8))))
        #expect(
            try failure(try session.open([["blocked.example", "b.example"]])[0]).description
                == "cannot order a certificate for blocked.example, b.example: compound: two names "
                + "(rejectedIdentifier for blocked.example: policy forbids this name; caa for b.example)")
    }

    @Test func `an order that was left behind is taken up without a new one`() throws {
        let session = try Session()
        session.server.on("POST /order/1", .order("1"))
        session.server.on("POST /authz/1/0", .authorization("a.example"))
        let order = try session.open([["a.example"]], resume: kept())[0].get()
        #expect(order.url == "https://ca.example/order/1")
        #expect(order.challenges.count == 1)
        #expect(session.opened.isEmpty)
    }

    @Test(arguments: ["ready", "processing", "valid"]) func `an order is taken up in any later state`(
        state: String
    ) throws {
        let session = try Session()
        session.server.on("POST /order/1", .order("1", ["a.example"], state))
        #expect(try session.open([["a.example"]], resume: kept())[0].get().status.rawValue == state)
        #expect(session.server.count("POST /order") == 0)
    }

    @Test(
        arguments: [
            .problem(404, "malformed"), .problem(403, "unauthorized"), .status(404),
            .order("1", ["a.example"], "invalid"),
            .order("1", ["a.example"], "deactivated"), .json(200, "[]"),
            .order("1", more: #", "expires": "2027-01-15T08:00:30.123456789Z""#),
            .order("1", ["other.example"]),
        ] as [ScriptedTransport.Reply]) func `an order that is of no more use is made anew`(
            reply: ScriptedTransport.Reply
        ) throws
    {
        let session = try Session()
        session.server.on("POST /order/1", reply)
        session.server.on("POST /order", .order("2", code: 201))
        session.server.on("POST /authz/2/0", .authorization("a.example"))
        #expect(try session.open([["a.example"]], resume: kept())[0].get().url == "https://ca.example/order/2")
    }

    @Test func `an order that has expired by its own word is not even asked for`() throws {
        let session = try Session()
        session.server.on("POST /order", .order("2", ["a.example"], "ready", code: 201))
        let old = kept(expires: session.clock.now.addingTimeInterval(30))
        #expect(try session.open([["a.example"]], resume: old)[0].get().url == "https://ca.example/order/2")
        #expect(session.server.count("POST /order/1") == 0)
    }

    @Test func `a taken up order with a dead authorization is made anew`() throws {
        let session = try Session()
        session.server.on("POST /order/1", .order("1"))
        session.server.on("POST /authz/1/0", .authorization("a.example", "deactivated"))
        session.server.on("POST /order", .order("2", ["a.example"], "ready", code: 201))
        #expect(try session.open([["a.example"]], resume: kept())[0].get().url == "https://ca.example/order/2")
    }

    @Test func `a CA that cannot be reached makes no second order`() throws {
        let session = try Session()
        session.server.always("POST /order/1", .lost())
        #expect(
            try failure(try session.open([["a.example"]], resume: kept())[0]).description.contains("connection reset"))
        #expect(session.server.count("POST /order") == 0)
    }

    @Test(arguments: [
        ("{", "it is no JSON"), ("[1]", "it is no JSON object"),
        (#"{"status": "pending"}"#, "'identifiers' is missing"),
        (#"{"status": 5}"#, "'status' has the wrong type"), (#"{"status": "new"}"#, "'status' has an unknown value"),
        (#"{"status": null}"#, "'status' is null"),
    ]) func `what is no order is told member by member`(body: String, words: String) throws {
        let session = try Session()
        session.server.on("POST /order", .json(201, body, [HTTPField("Location", "https://ca.example/order/1")]))
        #expect(
            try failure(try session.open([["a.example"]])[0]).description
                == "cannot order a certificate for a.example: the CA's answer cannot be used: \(words)")
    }

    @Test func `an order without a Location, and one that is no JSON by its type`() throws {
        let session = try Session()
        let fields = [HTTPField("Content-Type", "text/html")]
        session.server.on("POST /order", .success(HTTPResponse(status: 200, fields: fields, body: Array("{}".utf8))))
        #expect(try failure(try session.open([["a.example"]])[0]).description.contains("text/html instead of"))
        guard case .success(var bare) = ScriptedTransport.Reply.order("1", code: 201) else { return }
        bare.fields.removeAll { $0.name == "Location" }
        session.server.on("POST /order", .success(bare))
        #expect(try failure(try session.open([["a.example"]])[0]).description.contains("lacks the Location"))
    }

    @Test func `a resource that was made a moment ago may be unknown for a moment`() throws {
        let session = try Session()
        session.server.on("POST /order", .order("1", code: 201))
        session.server.on("POST /authz/1/0", .problem(404, "malformed"), .status(404), .authorization("a.example"))
        #expect(try session.open([["a.example"]])[0].get().challenges.count == 1)
        #expect((0.5...2).contains(session.clock.uptime))
    }

    @Test func `the time of expiry is read with and without a fraction`() throws {
        for text in ["2027-02-01T00:00:00Z", "2027-02-01T00:00:00.123456789Z", "2027-02-01T01:00:00+01:00"] {
            let session = try Session()
            session.server.on(
                "POST /order", .order("1", ["a.example"], "ready", code: 201, more: #", "expires": "\#(text)""#))
            let order = try session.open([["a.example"]])[0].get()
            #expect(order.expires == Date(timeIntervalSince1970: 1_801_440_000))
        }
    }

    @Test func `an order that is given up has its pending authorizations deactivated, and only those`() throws {
        let session = try Session()
        session.server.on("POST /authz/1/0", .authorization("a.example"), .authorization("a.example", "deactivated"))
        session.server.on("POST /authz/1/1", .authorization("b.example", "valid"))
        session.client.giveUp([kept("1", ["a.example", "b.example"])])
        #expect(try session.server.messages("POST /authz/1/0").map(\.payload) == ["", #"{"status":"deactivated"}"#])
        #expect(try session.server.messages("POST /authz/1/1").map(\.payload) == [""])
    }

    @Test func `an order that a new one takes the place of is given up, but for what both share`() throws {
        let session = try Session()
        let names = ["a.example", "b.example"]
        session.server.on("POST /order/1", .problem(404, "malformed"))
        let body = #"""
            {"status": "ready", "identifiers": [{"type": "dns", "value": "a.example"}, {"type": "dns", "value": "b.example"}],
            "authorizations": ["https://ca.example/authz/1/0", "https://ca.example/authz/2/1"],
            "finalize": "https://ca.example/finalize/2"}
            """#
        session.server.on("POST /order", .json(201, body, [HTTPField("Location", "https://ca.example/order/2")]))
        session.server.on("POST /authz/1/1", .authorization("b.example"), .authorization("b.example", "deactivated"))
        _ = try session.open([names], resume: kept("1", names))[0].get()
        #expect(session.server.count("POST /authz/1/0") == 0)
        #expect(session.server.count("POST /authz/2/1") == 0)
        #expect(try session.server.messages("POST /authz/1/1").map(\.payload) == ["", #"{"status":"deactivated"}"#])
    }

    @Test func `a new order that cannot be used leaves no authorization pending`() throws {
        let session = try Session()
        let names = ["a.example", "b.example"]
        session.server.on("POST /order", .order("1", names, code: 201))
        session.server.on("POST /authz/1/0", .authorization("a.example", "invalid"))
        session.server.on(
            "POST /authz/1/1", .authorization("b.example"), .authorization("b.example"),
            .authorization("b.example", "deactivated"))
        #expect(try failure(try session.open([names])[0]).orderIsLost)
        #expect(try session.server.messages("POST /authz/1/1").last?.payload == #"{"status":"deactivated"}"#)
    }

    @Test func `giving up takes seconds at most`() throws {
        let session = try Session()
        session.server.always("POST /authz/1/0", .lost())
        session.client.giveUp([kept()])
        #expect(session.clock.uptime <= 10)
    }

    @Test func `an order for other names is an error, and nobody hears of it`() throws {
        let session = try Session()
        session.server.on("POST /order", .order("1", ["a.example", "evil.example"], code: 201))
        let error = try failure(try session.open([["a.example", "b.example"]])[0])
        #expect(
            error.description
                == "cannot order a certificate for a.example, b.example: the CA's order is for a.example, evil.example "
                + "instead")
        #expect(session.opened.isEmpty)
    }

    @Test func `an authorization for another name loses the order`() throws {
        let session = try Session()
        session.server.on("POST /order", .order("1", ["a.example"], code: 201))
        session.server.on("POST /authz/1/0", .authorization("evil.example"))
        let error = try failure(try session.open([["a.example"]])[0])
        #expect(error.description == "cannot authorize a.example: the CA's authorization is for evil.example instead")
        #expect(error.orderIsLost)
    }
}
