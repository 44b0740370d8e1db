import ACME
import FoundationEssentials
import HTTP
import PKI
import Platform
import TestSupport
import Testing

@Suite struct JWSTests {
    /// A client with an RSA key, whose signatures are the same each time (RFC 7518, section 3.3).
    private func rsaSession() throws -> (Client, ScriptedTransport, PrivateKey) {
        let key = try PrivateKey.generate(.rsa2048)
        let server = ScriptedTransport()
        let client = Client(
            directoryURL: Session.directoryURL, key: key, transport: server,
            deadline: Deadline(seconds: 10, clock: ManualClock()), cache: nil)
        client.account = AccountRecord(url: Session.kid, contacts: [])
        return (client, server, key)
    }

    @Test func `a message is signed over its header and payload`() throws {
        let (client, server, key) = try rsaSession()
        server.on("POST /authz/1/0", .authorization("a.example", "valid"))
        client.giveUp([kept()])
        let message = try #require(try server.messages("POST /authz/1/0").first)
        #expect(message.header.alg == "RS256")
        #expect(message.signature == (try key.jwsSignature(of: message.input)))
    }

    @Test func `url is the request's own, the content type exact, a POST-as-GET empty`() throws {
        let (client, server, _) = try rsaSession()
        server.on("POST /authz/1/0", .authorization("a.example", "valid"))
        client.giveUp([kept()])
        let message = try #require(try server.messages("POST /authz/1/0").first)
        #expect(message.header.url == message.request.url)
        #expect(message.header.kid == Session.kid)
        #expect(message.header.nonce == "nonce-1")
        #expect(message.payload == "")
        let types = message.request.headers.filter { $0.name.lowercased() == "content-type" }
        #expect(types == [HTTPField("Content-Type", "application/jose+json")])
    }

    @Test func `the record's value is the digest of token and thumbprint`() throws {
        let session = try Session()
        session.server.on("POST /order", .order("1", code: 201))
        session.server.on("POST /authz/1/0", .authorization("a.example"))
        let value = try session.open([["a.example"]])[0].get().challenges.first?.value
        let keyAuthorization = "token_1-A." + Base64URL.encode(session.key.thumbprint())
        let digest = try Program.run(
            ["openssl", "dgst", "-sha256", "-binary"], input: Array(keyAuthorization.utf8))
        #expect(value == Base64URL.encode(digest.output))
        #expect(value?.count == 43)
    }
}
