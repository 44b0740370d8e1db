import ACME
import FoundationEssentials
import HTTP
import Names
import PKI
import Platform
import TestSupport
import Testing

/// What later documents than RFC 8555 add to an order: external accounts, profiles, replaced certificates, other chains.
@Suite struct OrderExtensionTests {
    private static let location = [HTTPField("Location", "https://ca.example/account/9")]

    private func session(meta: String = "{}", renewalInfo: Bool = true) throws -> Session {
        let session = try Session()
        var directory = ScriptedTransport.directory(meta: meta)
        if renewalInfo {
            directory = directory.replacing(
                "\"unknown\"", with: "\"renewalInfo\": \"https://ca.example/ari\", \"unknown\"")
        }
        session.server.on("GET /dir", .json(200, directory))
        return session
    }

    private func wish(profile: String? = nil, replaces: String? = nil) throws -> OrderRequest {
        OrderRequest(names: [try DomainName("a.example")], profile: profile, replaces: replaces)
    }

    private func payloads(_ session: Session) throws -> [String] {
        try session.server.messages("POST /order").map(\.payload)
    }

    @Test func `an external account is bound by the CA's key, without a nonce`() throws {
        let session = try session(meta: #"{"externalAccountRequired": true}"#)
        session.server.on("POST /account", .json(201, #"{"status": "valid"}"#, Self.location))
        let secret = Secret(Array("secret".utf8))
        let binding = ExternalAccountBinding(keyIdentifier: "kid-1", key: secret, algorithm: .hs256)
        _ = try session.client.openAccount(.init(contacts: [], termsAgreed: false, binding: binding))
        let payload = try #require(try session.server.messages("POST /account").first).payload
        let sent = try JSONDecoder().decode([String: [String: String]].self, from: Data(payload.utf8))
        let inner = try #require(sent["externalAccountBinding"])
        let read = { (part: String) in String(decoding: Base64URL.decode(inner[part] ?? "") ?? [], as: UTF8.self) }
        #expect(read("protected") == #"{"alg":"HS256","kid":"kid-1","url":"https://ca.example/account"}"#)
        #expect(try JSONDecoder().decode([String: String].self, from: Data(read("payload").utf8)) == session.key.jwk)
        let input = Array("\(inner["protected"] ?? "").\(inner["payload"] ?? "")".utf8)
        let code = try MessageCode.make(.hs256, key: secret, message: input)
        #expect(inner["signature"] == Base64URL.encode(code))
    }

    @Test func `a CA that wants an external account says so before anything is sent`() throws {
        let session = try session(meta: #"{"externalAccountRequired": true}"#)
        let error = #expect(throws: ACMEError.self) {
            try session.client.openAccount(.init(contacts: [], termsAgreed: false))
        }
        #expect(error?.description.contains("set external_account_binding to the kid and key") == true)
        #expect(session.server.course == ["GET /dir"])
    }

    @Test func `a profile that the CA offers is sent, and another one is an error that lists them`() throws {
        let meta = #"{"profiles": {"short": "for a week", "classic": "as ever"}}"#
        let session = try session(meta: meta)
        session.server.on("POST /order", .order("1", ["a.example"], "ready", code: 201))
        let results = session.client.openOrders([try wish(profile: "short"), try wish(profile: "long")]) { _, _ in }
        #expect(try results[0].get().status == .ready)
        #expect(
            try failure(results[1]).description
                == "cannot order a certificate for a.example: the CA has no profile long; it offers classic, short")
        #expect(try payloads(session) == [#"{"identifiers":[{"type":"dns","value":"a.example"}],"profile":"short"}"#])
    }

    @Test func `what is replaced is told to a CA with renewal information, and to no other`() throws {
        for renewalInfo in [true, false] {
            let session = try session(renewalInfo: renewalInfo)
            session.server.on("POST /order", .order("1", ["a.example"], "ready", code: 201))
            let order = try session.client.openOrders([try wish(replaces: "aki.serial")]) { _, _ in }[0].get()
            #expect(order.replaces == (renewalInfo ? "aki.serial" : nil))
            #expect(try payloads(session)[0].contains(#""replaces":"aki.serial""#) == renewalInfo)
        }
    }

    @Test(arguments: [(409, "alreadyReplaced"), (403, "unauthorized"), (404, "malformed"), (400, "malformed")])
    func `a certificate that the CA does not want replaced is ordered without saying so`(
        status: Int, kind: String
    ) throws {
        let session = try session()
        session.server.on("POST /order", .problem(status, kind), .order("1", ["a.example"], "ready", code: 201))
        let order = try session.client.openOrders([try wish(replaces: "aki.serial")]) { _, _ in }[0].get()
        #expect(order.status == .ready && order.replaces == nil)
        #expect(try payloads(session).map { $0.contains("replaces") } == [true, false])
    }

    @Test func `a name that the CA refuses is not ordered twice`() throws {
        let session = try session()
        session.server.on("POST /order", .problem(400, "rejectedIdentifier"))
        let result = session.client.openOrders([try wish(replaces: "aki.serial")]) { _, _ in }[0]
        #expect(try failure(result).description.contains("rejectedIdentifier"))
        #expect(session.server.count("POST /order") == 1)
    }

    @Test(arguments: [true, false])
    func `other chains are fetched at once where they are wanted, relative links and HTTPS alone`(isWanted: Bool) throws
    {
        let session = try Session()
        let more = #", "certificate": "https://ca.example/cert/1""#
        session.server.on("POST /order/1", .order("1", ["a.example"], "valid", more: more))
        guard case .success(var own) = ScriptedTransport.Reply.chain() else { throw Unexpected(description: "") }
        own.fields += [
            HTTPField(
                "Link", "<https://ca.example/cert/1/1>;rel=\"alternate\", <https://ca.example/dir>;rel=\"index\""),
            HTTPField("Link", "</cert/1/2>;rel=\"alternate\", <http://ca.example/cert/1/3>;rel=\"alternate\""),
        ]
        session.server.on("POST /cert/1", .success(own))
        session.server.on("POST /cert/1/1", .problem(404, "malformed"), .problem(404, "malformed"))
        session.server.always("POST /cert/1/1", .problem(400, "malformed"))
        session.server.on("POST /cert/1/2", .chain("-----BEGIN CERTIFICATE-----\nother"))
        let request = CompletionRequest(order: kept("1", ["a.example"], .valid), csr: [1], wantsAlternates: isWanted)
        let chain = try session.client.completeOrders([request])[0].get()
        #expect(chain.alternates.count == (isWanted ? 1 : 0))
        #expect(session.server.count("POST /cert/1/2") == (isWanted ? 1 : 0))
        #expect(String(decoding: chain.pem, as: UTF8.self) == "-----BEGIN CERTIFICATE-----\n")
    }
}
