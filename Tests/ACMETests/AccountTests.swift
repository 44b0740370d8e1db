import ACME
import FoundationEssentials
import HTTP
import PKI
import TestSupport
import Testing

@Suite struct AccountTests {
    private static let location = [HTTPField("Location", "https://ca.example/account/9")]
    private static let terms = #"{"termsOfService": "https://ca.example/terms"}"#

    @Test func `a new account is signed by the key, and then signs by its URL`() throws {
        let session = try Session()
        session.server.on("POST /account", .json(201, #"{"status": "valid"}"#, Self.location))
        let (record, wasMade) = try session.client.openAccount(.init(contacts: ["a@example.org"], termsAgreed: true))
        #expect(wasMade)
        #expect(record == AccountRecord(url: "https://ca.example/account/9", contacts: ["mailto:a@example.org"]))
        let message = try #require(try session.server.messages("POST /account").first)
        #expect(message.payload == #"{"contact":["mailto:a@example.org"],"termsOfServiceAgreed":true}"#)
        #expect(message.header.jwk == session.key.jwk)
        #expect(message.header.kid == nil)
        session.server.on("POST /order", .order("1", ["a.example"], "ready", code: 201))
        try session.open([["a.example"]])
        let order = try #require(try session.server.messages("POST /order").first)
        #expect(order.header.kid == record.url)
        #expect(order.header.jwk == nil)
    }

    @Test func `an account without contacts and terms sends neither`() throws {
        let session = try Session()
        session.server.on("POST /account", .json(201, #"{"status": "valid"}"#, Self.location))
        _ = try session.client.openAccount(.init(contacts: [], termsAgreed: false))
        #expect(try session.server.messages("POST /account").map(\.payload) == ["{}"])
    }

    @Test func `an account that is there is found with its contacts, and told others by its URL`() throws {
        let session = try Session()
        let object = #"{"status": "valid", "contact": ["mailto:old@example.org"]}"#
        session.server.on("POST /account", .json(200, object, Self.location))
        session.server.on("POST /account/9", .json(200, object))
        let (found, wasMade) = try session.client.openAccount(.init(contacts: ["new@example.org"], termsAgreed: true))
        #expect(!wasMade)
        #expect(found.contacts == ["mailto:old@example.org"])
        try session.client.changeContacts(to: ["mailto:new@example.org"])
        let update = try #require(try session.server.messages("POST /account/9").first)
        #expect(update.payload == #"{"contact":["mailto:new@example.org"]}"#)
        #expect(update.header.kid == "https://ca.example/account/9")
    }

    @Test func `an account that is there and of which the CA shows nothing is used`() throws {
        let session = try Session()
        session.server.on("POST /account", .json(200, "{}", Self.location))
        let (record, wasMade) = try session.client.openAccount(.init(contacts: ["a@example.org"], termsAgreed: true))
        #expect(!wasMade)
        #expect(record == AccountRecord(url: "https://ca.example/account/9", contacts: []))
    }

    @Test func `terms that nobody agreed to are quoted before anything is sent`() throws {
        let session = try Session()
        session.server.on("GET /dir", .json(200, ScriptedTransport.directory(meta: Self.terms)))
        let error = #expect(throws: ACMEError.self) {
            try session.client.openAccount(.init(contacts: [], termsAgreed: false))
        }
        #expect(
            error?.description == "cannot open an account: the CA has terms of service, https://ca.example/terms: "
                + "read them and set terms_agreed to true")
        #expect(session.server.course == ["GET /dir"])
    }

    @Test func `an account that was deactivated says so`() throws {
        let session = try Session()
        session.server.on("POST /account", .json(200, #"{"status": "deactivated"}"#, Self.location))
        let error = #expect(throws: ACMEError.self) {
            try session.client.openAccount(.init(contacts: [], termsAgreed: true))
        }
        #expect(error?.reason == "the key's account is deactivated")
    }

    @Test func `an account that the CA has forgotten can be told by the caller`() throws {
        let session = try Session()
        session.server.on("POST /order", .problem(400, "accountDoesNotExist", "unknown kid"))
        let error = try failure(try session.open([["a.example"]])[0])
        #expect(error.accountIsUnknown)
        #expect(!error.orderIsLost)
        #expect(error.reason == "the CA does not know this account (any more): accountDoesNotExist: unknown kid")
    }

    @Test func `a forgotten account is found out before an old order is replaced`() throws {
        let session = try Session()
        session.server.on("POST /order/1", .problem(400, "accountDoesNotExist"))
        #expect(try failure(try session.open([["a.example"]], resume: kept())[0]).accountIsUnknown)
        #expect(session.server.count("POST /order") == 0)
    }

    @Test func `what a person has to do is told with its address`() throws {
        let session = try Session()
        let fields = [HTTPField("Content-Type", "application/problem+json")]
        let body = """
            {"type": "urn:ietf:params:acme:error:userActionRequired", "detail": "new terms",
            "instance": "https://ca.example/agree"}
            """
        session.server.on("POST /order", .success(HTTPResponse(status: 403, fields: fields, body: Array(body.utf8))))
        #expect(
            try failure(try session.open([["a.example"]])[0]).reason
                == "the CA wants a person to act first: userActionRequired: new terms; see https://ca.example/agree")
    }

    @Test func `without an account nothing is ordered`() throws {
        let session = try Session()
        session.client.account = nil
        #expect(try failure(try session.open([["a.example"]])[0]).reason == "no account has been opened at the CA")
    }

    @Test(arguments: [
        (#"{"newNonce": "https://ca.example/n", "newAccount": "https://ca.example/a"}"#, "'newOrder' is missing"),
        (#"{"newNonce": 1}"#, "'newNonce' has the wrong type"), ("<html>", "it is no JSON"),
    ]) func `what is no directory fails everything with one sentence`(body: String, words: String) throws {
        let session = try Session()
        session.server.on("GET /dir", .json(200, body))
        session.server.on("GET /dir", .json(200, body))
        let sentence = "cannot read the CA's directory https://ca.example/dir: the CA's answer cannot be used: \(words)"
        for result in try session.open([["a.example"], ["b.example"]]) {
            #expect(try failure(result).description == sentence)
        }
        #expect(try failure(session.complete([kept()])[0]).description == sentence)
    }
}
