import ACME
import FoundationEssentials
import HTTP
import Names
import PKI
import Platform
import TestSupport
import Testing

/// What can happen to an account after it was made.
@Suite struct AccountChangeTests {
    private static let location = [HTTPField("Location", Session.kid)]

    /// A CA whose directory lacks a member.
    private func session(without member: String) throws -> Session {
        let session = try Session()
        let directory = ScriptedTransport.directory().replacing("\"\(member)\"", with: "\"other\"")
        session.server.on("GET /dir", .json(200, directory))
        return session
    }

    @Test func `whether a key has an account is asked with the key, and makes none`() throws {
        let session = try Session()
        let object = #"{"status": "valid", "contact": ["mailto:a@example.org"]}"#
        session.server.on("POST /account", .json(200, object, Self.location))
        let record = AccountRecord(url: Session.kid, contacts: ["mailto:a@example.org"])
        #expect(try session.client.accountState() == .valid(record))
        let message = try #require(try session.server.messages("POST /account").first)
        #expect(message.payload == #"{"onlyReturnExisting":true}"#)
        #expect(message.header.jwk == session.key.jwk)
        #expect(message.header.kid == nil)
    }

    @Test func `an account that is missing or has ended is an answer, not an error`() throws {
        let session = try Session()
        session.server.on(
            "POST /account", .problem(400, "accountDoesNotExist"),
            .json(200, #"{"status": "deactivated"}"#, Self.location),
            .problem(403, "unauthorized", "An account with the provided public key exists but is deactivated"))
        #expect(try session.client.accountState() == .missing)
        #expect(try session.client.accountState() == .ended(reason: "it is deactivated"))
        guard case .ended(let reason) = try session.client.accountState() else { throw Unexpected(description: "") }
        #expect(reason.contains("exists but is deactivated"))
    }

    @Test func `only the CA's word that the account has ended is taken for its end`() throws {
        let session = try Session()
        session.server.on(
            "POST /account", .problem(403, "unauthorized", "requests from this address are not accepted"),
            .json(200, #"{"status": "suspended"}"#, Self.location))
        let refused = #expect(throws: ACMEError.self) { try session.client.accountState() }
        #expect(refused?.reason == "unauthorized: requests from this address are not accepted")
        let unknown = #expect(throws: ACMEError.self) { try session.client.accountState() }
        #expect(unknown?.reason == "'suspended' is no state of an account")
    }

    @Test func `an order is not lost where the account is what the CA refuses, and is where that is good`() throws {
        let replies: [(ScriptedTransport.Reply, isFault: Bool)] = [
            (.problem(400, "accountDoesNotExist"), true), (.problem(403, "unauthorized", "it is deactivated"), true),
            (.json(200, "{}", [HTTPField("Location", Session.kid)]), false), (.problem(403, "unauthorized"), false),
        ]
        for (reply, isFault) in replies {
            let session = try Session()
            session.server.always("POST /order/1", .problem(400, "malformed", "JWS verification error"))
            session.server.on("POST /account", reply)
            let orders = [kept("1", ["a.example"], .processing), kept("1", ["a.example"], .processing)]
            for result in session.complete(orders) {
                let error = try failure(result)
                #expect(error.orderIsLost == !isFault)
                #expect(error.isVerdict == !isFault)
                #expect(error.reason.hasPrefix("malformed: JWS verification error"))
            }
            #expect(session.server.count("POST /account") == 1)
        }
    }

    @Test func `an account that is still valid after it was to be deactivated is an error`() throws {
        let session = try Session()
        session.server.on("POST /account/1", .json(200, #"{"status": "valid"}"#))
        let error = #expect(throws: ACMEError.self) { try session.client.deactivateAccount() }
        #expect(error?.reason.contains("the account is still valid") == true)
        #expect(session.client.account != nil)
    }

    @Test func `what is given up on an account that others use is left to expire`() throws {
        for isShared in [true, false] {
            let session = try Session()
            session.client.sharesAccount = isShared
            session.server.on("POST /authz/1/0", .authorization("a.example"), .json(200, "{}"))
            session.client.giveUp([kept()])
            #expect(session.server.count("POST /authz/1/0") == (isShared ? 0 : 2))
        }
    }

    @Test func `a server in trouble is no missing account`() throws {
        let session = try Session(seconds: 5)
        session.server.always("POST /account", .status(503, [HTTPField("Retry-After", "3600")]))
        let error = #expect(throws: ACMEError.self) { try session.client.accountState() }
        #expect(error?.retryAfter != nil)
    }

    @Test(arguments: [
        (KeyType.ec256, KeyType.ec384, "ES384"), (.ec384, .rsa2048, "RS256"), (.rsa2048, .ec256, "ES256"),
    ])
    func `a new key is signed for by both keys (RFC 8555, section 7_3_5)`(
        old: KeyType, new: KeyType, algorithm: String
    ) throws {
        let server = ScriptedTransport()
        let (oldKey, newKey) = (try PrivateKey.generate(old), try PrivateKey.generate(new))
        let client = Client(
            directoryURL: Session.directoryURL, key: oldKey, transport: server,
            deadline: Deadline(seconds: 10, clock: ManualClock()), cache: nil)
        client.account = AccountRecord(url: Session.kid, contacts: [])
        server.on("POST /key-change", .status(200))
        try client.changeKey(to: newKey)

        let outer = try #require(try server.messages("POST /key-change").first)
        #expect(outer.header.kid == Session.kid)
        #expect(outer.header.jwk == nil)
        #expect(outer.header.alg == oldKey.jwsAlgorithm)
        let inner = try outer.inner
        #expect(inner.header.alg == algorithm)
        #expect(inner.header.jwk == newKey.jwk)
        #expect(inner.header.kid == nil)
        #expect(inner.header.nonce == nil)
        #expect(inner.header.url == "https://ca.example/key-change")
        #expect(inner.header.url == outer.header.url)
        struct Payload: Decodable {
            let account: String
            let oldKey: [String: String]
        }
        let payload = try JSONDecoder().decode(Payload.self, from: Data(inner.payload.utf8))
        #expect(payload.account == Session.kid)
        #expect(payload.oldKey == oldKey.jwk)
        if new == .rsa2048 { #expect(inner.signature == (try newKey.jwsSignature(of: inner.input))) }
    }

    @Test func `a key that the CA refuses is an error in its words`() throws {
        let session = try Session()
        session.server.on("POST /key-change", .problem(409, "malformed", "key is in use"))
        let error = #expect(throws: ACMEError.self) { try session.client.changeKey(to: try .generate(.ec256)) }
        #expect(error?.description == "cannot change the account's key: malformed: key is in use")
    }

    @Test func `a CA without key change or revocation says so before anything is signed`() throws {
        let keys = try session(without: "keyChange")
        let noChange = #expect(throws: ACMEError.self) { try keys.client.changeKey(to: try .generate(.ec256)) }
        #expect(noChange?.reason.contains("has no keyChange") == true)
        #expect(keys.server.course == ["GET /dir"])
        let revocations = try session(without: "revokeCert")
        let noRevocation = #expect(throws: ACMEError.self) {
            try revocations.client.revoke(try selfIssued(), because: .superseded, signer: .account)
        }
        #expect(noRevocation?.reason.contains("has no revokeCert") == true)
        #expect(revocations.server.course == ["GET /dir"])
    }

    @Test func `contacts and the end of an account go to its URL`() throws {
        let session = try Session()
        session.server.on("POST /account/1", .json(200, "{}"), .json(200, #"{"status": "deactivated"}"#))
        try session.client.changeContacts(to: ["mailto:new@example.org"])
        try session.client.deactivateAccount()
        let payloads = try session.server.messages("POST /account/1").map(\.payload)
        #expect(payloads == [#"{"contact":["mailto:new@example.org"]}"#, #"{"status":"deactivated"}"#])
        #expect(session.client.account == nil)
        #expect(throws: ACMEError.self) { try session.client.deactivateAccount() }
    }

    @Test func `a CA that shows no contacts is told them once`() {
        let shown = AccountRecord(url: "u", contacts: [])
        let wanted = ["mailto:a@example.org", "mailto:b@example.org"]
        #expect(shown.hasToBeTold(wanted, after: nil))
        #expect(shown.hasToBeTold(wanted, after: AccountRecord(url: "other", contacts: wanted)))
        #expect(!shown.hasToBeTold(wanted, after: AccountRecord(url: "u", contacts: wanted.reversed())))
        let old = AccountRecord(url: "u", contacts: ["mailto:old@example.org"])
        #expect(old.hasToBeTold(wanted, after: AccountRecord(url: "u", contacts: wanted)))
        #expect(!old.hasToBeTold([], after: nil))
        #expect(!AccountRecord(url: "u", contacts: wanted.reversed()).hasToBeTold(wanted, after: nil))
    }
}

/// A certificate of nobody's.
func selfIssued() throws -> Certificate {
    let key = try PrivateKey.generate(.ec256)
    let names = [try DomainName("a.example")]
    return try SelfSigningAuthority(now: Date()).issue(for: names, key: key, days: 90).leaf
}
