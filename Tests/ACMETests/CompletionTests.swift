import ACME
import FoundationEssentials
import HTTP
import TestSupport
import Testing

@Suite struct CompletionTests {
    private static let certificate = #", "certificate": "https://ca.example/cert/1""#
    private static let valid = ScriptedTransport.Reply.order("1", ["a.example"], "valid", more: certificate)

    @Test func `answer, poll, finalize, poll, download`() throws {
        let session = try Session()
        session.server.on("POST /challenge/1/a.example", .json(200, "{}"))
        session.server.on("POST /order/1", .order("1", ["a.example"], "ready"), Self.valid)
        session.server.on("POST /finalize/1", .order("1", ["a.example"], "processing"))
        session.server.on("POST /cert/1", .chain())
        #expect(try session.complete([kept()])[0].get() == "-----BEGIN CERTIFICATE-----\n")
        #expect(
            session.server.course == [
                "GET /dir", "HEAD /nonce", "POST /challenge/1/a.example", "POST /order/1", "POST /finalize/1",
                "POST /order/1", "POST /cert/1",
            ])
        #expect(try session.server.messages("POST /challenge/1/a.example").map(\.payload) == ["{}"])
        #expect(try session.server.messages("POST /finalize/1").map(\.payload) == [#"{"csr":"AQID"}"#])
        #expect(try session.server.messages("POST /order/1").map(\.payload) == ["", ""])
        let download = try #require(try session.server.messages("POST /cert/1").first)
        #expect(download.request.headers.contains(HTTPField("Accept", "application/pem-certificate-chain")))
    }

    @Test func `with the session of the phase before, five requests one after the other for fifty certificates`() throws
    {
        let first = try Session()
        for id in 0..<50 {
            first.server.on("POST /order", .order("\(id)", ["n\(id).example"], code: 201))
            first.server.on("POST /authz/\(id)/0", .authorization("n\(id).example"))
        }
        let names = (0..<50).map { "n\($0).example" }
        let opened = try first.open(names.map { [$0] })
        #expect(opened.allSatisfy { (try? $0.get()) != nil })
        let session = try Session(cache: first.client.cache)
        for id in 0..<50 {
            let name = names[id]
            session.server.on("POST /challenge/\(id)/\(name)", .json(200, "{}"))
            session.server.on("POST /order/\(id)", .order("\(id)", [name], "ready"))
            let more = #", "certificate": "https://ca.example/cert/\#(id)""#
            session.server.on("POST /finalize/\(id)", .order("\(id)", [name], "valid", more: more))
            session.server.on("POST /cert/\(id)", .chain())
        }
        let results = session.complete((0..<50).map { kept("\($0)", [names[$0]]) })
        #expect(results.allSatisfy { (try? $0.get()) != nil })
        #expect(session.server.rounds.map(\.count) == [50, 50, 50, 50])
    }

    @Test func `a ready order is finalized at once, a valid one downloaded`() throws {
        let session = try Session()
        session.server.on("POST /finalize/1", Self.valid)
        session.server.on("POST /order/2", .order("2", ["b.example"], "valid", more: Self.certificate))
        session.server.always("POST /cert/1", .chain())
        let results = session.complete([kept("1", ["a.example"], .ready), kept("2", ["b.example"], .valid)])
        #expect(try results.map { try $0.get() }.count == 2)
    }

    @Test func `an answer that is no longer needed does not fail`() throws {
        let session = try Session()
        session.server.on("POST /challenge/1/a.example", .problem(400, "malformed", "already valid"))
        session.server.on("POST /order/1", .order("1"), .order("1", ["a.example"], "ready"))
        session.server.on("POST /authz/1/0", .authorization("a.example", "valid", challenge: "valid"))
        session.server.on("POST /finalize/1", Self.valid)
        session.server.on("POST /cert/1", .chain())
        _ = try session.complete([kept()])[0].get()
    }

    @Test func `an answer that the CA did not take is the error`() throws {
        let session = try Session()
        session.server.on("POST /challenge/1/a.example", .problem(400, "malformed", "bad answer"))
        session.server.on("POST /order/1", .order("1"))
        session.server.on("POST /authz/1/0", .authorization("a.example"))
        let error = try failure(session.complete([kept()])[0])
        #expect(error.description == "cannot answer the challenge for a.example: malformed: bad answer")
        #expect(error.orderIsLost)
    }

    @Test func `pauses between polls grow from five milliseconds to three seconds`() throws {
        let session = try Session()
        session.server.on("POST /challenge/1/a.example", .json(200, "{}"))
        for _ in 0..<12 { session.server.on("POST /order/1", .order("1")) }
        session.server.on("POST /order/1", .order("1", ["a.example"], "invalid"))
        session.server.on("POST /authz/1/0", .authorization("a.example", "invalid"))
        _ = session.complete([kept()])
        #expect(abs(session.clock.uptime - (0.005 * 1023 + 3 + 3)) < 0.001)
    }

    @Test(arguments: ["7", "Fri, 15 Jan 2027 08:00:07 GMT"]) func `Retry-After sets the pace of polls`(
        text: String
    ) throws {
        let session = try Session()
        let wait = [HTTPField("Retry-After", text)]
        session.server.on("POST /finalize/1", .order("1", ["a.example"], "processing", fields: wait))
        session.server.on("POST /order/1", Self.valid)
        session.server.on("POST /cert/1", .chain())
        _ = try session.complete([kept("1", ["a.example"], .ready)])[0].get()
        #expect(abs(session.clock.uptime - 7) < 0.001)
    }

    @Test(arguments: ["0", "Fri, 15 Jan 2027 07:59:00 GMT"])
    func `a CA that says "at once" for ever is asked more and more slowly, and one that is quick is not waited for`(
        text: String
    ) throws {
        let session = try Session()
        let reply = ScriptedTransport.Reply.order(
            "1", ["a.example"], "processing", fields: [HTTPField("Retry-After", text)])
        session.server.on("POST /finalize/1", reply)
        for _ in 0..<11 { session.server.on("POST /order/1", reply) }
        session.server.on("POST /order/1", Self.valid)
        session.server.on("POST /cert/1", .chain())
        _ = try session.complete([kept("1", ["a.example"], .ready)])[0].get()
        #expect(abs(session.clock.uptime - (0.005 * 1023 + 3 + 3)) < 0.001)
    }

    @Test func `a CA that asks for a second is asked every second, however often`() throws {
        let session = try Session()
        let wait = [HTTPField("Retry-After", "1")]
        session.server.on("POST /finalize/1", .order("1", ["a.example"], "processing", fields: wait))
        for _ in 0..<9 {
            session.server.on("POST /order/1", .order("1", ["a.example"], "processing", fields: wait))
        }
        session.server.on("POST /order/1", Self.valid)
        session.server.on("POST /cert/1", .chain())
        _ = try session.complete([kept("1", ["a.example"], .ready)])[0].get()
        #expect(abs(session.clock.uptime - 10) < 0.001)
    }

    @Test func `a wait beyond the time limit fails at once and says when to come back`() throws {
        let session = try Session(seconds: 60)
        let wait = [HTTPField("Retry-After", "3600")]
        session.server.on("POST /finalize/1", .order("1", ["a.example"], "processing", fields: wait))
        let error = try failure(session.complete([kept("1", ["a.example"], .ready)])[0])
        #expect(session.clock.uptime == 0)
        #expect(error.retryAfter == session.clock.now.addingTimeInterval(3600))
        #expect(error.description.contains("until 2027-01-15T09:00:00Z"))
        #expect(!error.orderIsLost)
    }

    @Test func `an order that stays pending ends with the time limit and is not lost`() throws {
        let session = try Session(seconds: 60)
        session.server.on("POST /challenge/1/a.example", .json(200, "{}"))
        session.server.always("POST /order/1", .order("1"))
        let error = try failure(session.complete([kept()])[0])
        #expect(error.description == "cannot get a.example validated: the time limit is reached")
        #expect(!error.orderIsLost)
        #expect((57...60).contains(session.clock.uptime))
    }

    @Test func `an order that waits for challenges which are not known here is given up soon`() throws {
        let session = try Session(seconds: 60)
        session.server.always("POST /order/1", .order("1"))
        let error = try failure(session.complete([kept(challenges: false)])[0])
        #expect(
            error.description
                == "cannot get a.example validated: its challenges are not known here; run acme_request_tokens again")
        #expect(!error.orderIsLost)
        #expect(session.clock.uptime < 10)
    }

    @Test func `an order that is not ready is polled and finalized again`() throws {
        let session = try Session()
        session.server.on("POST /finalize/1", .problem(403, "orderNotReady"), Self.valid)
        session.server.on("POST /order/1", .order("1"), .order("1", ["a.example"], "ready"))
        session.server.on("POST /cert/1", .chain())
        _ = try session.complete([kept("1", ["a.example"], .ready)])[0].get()
    }

    @Test func `an order that never gets ready ends`() throws {
        let session = try Session()
        session.server.always("POST /finalize/1", .problem(403, "orderNotReady"))
        session.server.always("POST /order/1", .order("1", ["a.example"], "ready"))
        let error = try failure(session.complete([kept("1", ["a.example"], .ready)])[0])
        #expect(error.problem?.type == "urn:ietf:params:acme:error:orderNotReady")
    }

    @Test func `a certificate request that the CA refuses loses the order`() throws {
        let session = try Session()
        session.server.on("POST /finalize/1", .problem(400, "badCSR", "weak key"))
        let error = try failure(session.complete([kept("1", ["a.example"], .ready)])[0])
        #expect(error.orderIsLost)
        #expect(error.description == "cannot finalize the order for a.example: badCSR: weak key")
    }

    @Test func `an invalid order is explained name by name, and the others are not hurt`() throws {
        let session = try Session()
        let names = ["a.example", "b.example"]
        for name in names { session.server.on("POST /challenge/1/\(name)", .json(200, "{}")) }
        session.server.on("POST /order/1", .order("1", names, "invalid"))
        session.server.on("POST /authz/1/0", .authorization("a.example", "valid"))
        let error = #"{"type": "urn:ietf:params:acme:error:dns", "detail": "NXDOMAIN"}"#
        session.server.on("POST /authz/1/1", .authorization("b.example", "invalid", challenge: "invalid", error: error))
        session.server.on("POST /finalize/2", .order("2", ["c.example"], "valid", more: Self.certificate))
        session.server.on("POST /cert/1", .chain())
        let results = session.complete([kept("1", names), kept("2", ["c.example"], .ready)])
        let lost = try failure(results[0])
        #expect(lost.description == "cannot get a certificate for a.example, b.example: b.example: dns: NXDOMAIN")
        #expect(lost.orderIsLost)
        #expect(try results[1].get().hasPrefix("-----BEGIN"))
    }

    @Test func `an invalid order leaves no authorization pending`() throws {
        let session = try Session()
        let names = ["a.example", "b.example"]
        session.server.on("POST /order/1", .order("1", names, "invalid"))
        session.server.on("POST /authz/1/0", .authorization("a.example", "invalid"))
        session.server.on(
            "POST /authz/1/1", .authorization("b.example"), .authorization("b.example"),
            .authorization("b.example", "deactivated"))
        #expect(try failure(session.complete([kept("1", names, .processing)])[0]).orderIsLost)
        #expect(try session.server.messages("POST /authz/1/1").last?.payload == #"{"status":"deactivated"}"#)
        #expect(try session.server.messages("POST /authz/1/0").allSatisfy { $0.payload == "" })
    }

    @Test func `an invalid order with good authorizations is explained by its own error`() throws {
        let session = try Session()
        let more = #", "error": {"type": "urn:ietf:params:acme:error:caa", "detail": "forbidden"}"#
        session.server.on("POST /finalize/1", .order("1", ["a.example"], "invalid", more: more))
        session.server.on("POST /authz/1/0", .authorization("a.example", "valid"))
        let error = try failure(session.complete([kept("1", ["a.example"], .ready)])[0])
        #expect(error.description == "cannot get a certificate for a.example: caa: forbidden")
        #expect(error.orderIsLost)
    }

    @Test func `an order that a failing finalization made invalid is explained by that failure`() throws {
        let session = try Session()
        session.server.on(
            "POST /finalize/1", .problem(500, "serverInternal", "enrollment failed"), .problem(403, "orderNotReady"))
        session.server.on("POST /order/1", .order("1", ["a.example"], "invalid"))
        session.server.on("POST /authz/1/0", .authorization("a.example", "valid"))
        let error = try failure(session.complete([kept("1", ["a.example"], .ready)])[0])
        #expect(
            error.description
                == "cannot get a certificate for a.example: the order became invalid: serverInternal: enrollment failed"
        )
        #expect(error.orderIsLost)
    }

    @Test func `a finalization whose reply was lost is found to be done`() throws {
        let session = try Session()
        session.server.on("POST /finalize/1", .lost(), .problem(403, "orderNotReady"))
        session.server.on("POST /order/1", Self.valid)
        session.server.on("POST /cert/1", .chain())
        _ = try session.complete([kept("1", ["a.example"], .ready)])[0].get()
    }

    @Test func `a certificate that is not there yet is asked for again`() throws {
        let session = try Session()
        session.server.on("POST /finalize/1", Self.valid)
        session.server.on("POST /cert/1", .status(404), .chain())
        _ = try session.complete([kept("1", ["a.example"], .ready)])[0].get()
    }

    @Test(
        arguments: [
            (.json(200, "{}"), "the CA answered with application/json instead of application/pem-certificate-chain"),
            (.chain("nothing"), "the CA's answer holds no certificate"),
        ] as [(ScriptedTransport.Reply, String)]) func `what is no certificate is refused`(
            reply: ScriptedTransport.Reply, words: String
        ) throws
    {
        let session = try Session()
        session.server.on("POST /finalize/1", Self.valid)
        session.server.on("POST /cert/1", reply)
        let error = try failure(session.complete([kept("1", ["a.example"], .ready)])[0])
        #expect(error.description == "cannot download the certificate for a.example: \(words)")
    }

    @Test func `a valid order without a certificate's URL is an error`() throws {
        let session = try Session()
        session.server.on("POST /finalize/1", .order("1", ["a.example"], "valid"))
        let error = try failure(session.complete([kept("1", ["a.example"], .ready)])[0])
        #expect(error.description.hasSuffix("the CA's valid order names no certificate"))
    }

    @Test func `an order that becomes invalid without a reason counts as a refusal`() throws {
        let session = try Session()
        session.server.on("POST /order/1", .order("1", ["a.example"], "invalid"))
        let error = try failure(session.complete([kept("1", ["a.example"], .processing)])[0])
        #expect(error.reason == "the order became invalid" && error.orderIsLost && error.isVerdict)
    }

    @Test func `an order that stays ready however often it is finalized is lost before the time limit`() throws {
        let session = try Session()
        session.server.always("POST /finalize/1", .order("1", ["a.example"], "ready"))
        let error = try failure(session.complete([kept("1", ["a.example"], .ready)])[0])
        #expect(error.reason == "after 20 finalizations the CA still says that the order is ready for one")
        #expect(error.orderIsLost && error.isVerdict && session.server.count("POST /finalize/1") == 20)
    }

    @Test func `an order that the CA has forgotten is lost`() throws {
        let session = try Session()
        session.server.always("POST /order/1", .problem(404, "malformed", "no such order"))
        #expect(try failure(session.complete([kept("1", ["a.example"], .processing)])[0]).orderIsLost)
    }
}
