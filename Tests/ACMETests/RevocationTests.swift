import ACME
import FoundationEssentials
import HTTP
import PKI
import TestSupport
import Testing

@Suite struct RevocationTests {
    private struct Payload: Decodable {
        let certificate: String
        let reason: Int?
    }

    private func sent(_ session: Session) throws -> (SentMessage, Payload) {
        let message = try #require(try session.server.messages("POST /revoke").last)
        return (message, try JSONDecoder().decode(Payload.self, from: Data(message.payload.utf8)))
    }

    @Test(
        arguments: [
            (RevocationReason.unspecified, nil), (.keyCompromise, 1), (.affiliationChanged, 3), (.superseded, 4),
            (.cessationOfOperation, 5),
        ] as [(RevocationReason, Int?)])
    func `the certificate goes as DER, with the reason's number of RFC 5280`(
        reason: RevocationReason, code: Int?
    ) throws {
        let session = try Session()
        let certificate = try selfIssued()
        session.server.on("POST /revoke", .status(200))
        #expect(try session.client.revoke(certificate, because: reason, signer: .account) == .revoked)
        let (message, payload) = try sent(session)
        #expect(Base64URL.decode(payload.certificate) == certificate.der)
        #expect(payload.reason == code)
        #expect(message.header.kid == Session.kid)
        #expect(message.header.jwk == nil)
    }

    @Test func `the certificate's key signs as itself, and needs no account`() throws {
        let session = try Session()
        session.client.account = nil
        session.server.on("POST /revoke", .status(200))
        _ = try session.client.revoke(try selfIssued(), because: .keyCompromise, signer: .certificateKey)
        let (message, _) = try sent(session)
        #expect(message.header.jwk == session.key.jwk)
        #expect(message.header.kid == nil)
    }

    @Test func `a certificate that is revoked already is no error, and anything else is one`() throws {
        let session = try Session()
        session.server.on(
            "POST /revoke", .problem(400, "alreadyRevoked"), .problem(403, "unauthorized", "not yours"))
        let certificate = try selfIssued()
        let first = try session.client.revoke(certificate, because: .superseded, signer: .account)
        #expect(first == .alreadyRevoked)
        let error = #expect(throws: ACMEError.self) {
            try session.client.revoke(certificate, because: .superseded, signer: .account)
        }
        #expect(
            error?.description == "cannot revoke the certificate a.example (serial \(certificate.serial)): "
                + "unauthorized: not yours")
    }

    @Test func `authorizations are deactivated all at once, those that have ended are left`() throws {
        let session = try Session()
        let deactivated = ScriptedTransport.Reply.json(200, #"{"status": "deactivated"}"#)
        session.server.on("POST /authz/1", .authorization("a.example", "valid"), deactivated)
        session.server.on("POST /authz/2", .authorization("b.example", wildcard: true), deactivated)
        session.server.on("POST /authz/3", .authorization("c.example", "expired"))
        session.server.on("POST /authz/4", .problem(404, "malformed", "gone"))
        let urls = (1...4).map { "https://ca.example/authz/\($0)" }
        let ended = try session.client.deactivateAuthorizations(urls)
        #expect(ended.names == ["*.b.example", "a.example"])
        #expect(ended.failure == nil)
        let payloads = try session.server.messages("POST /authz/1").map(\.payload)
        #expect(payloads == ["", #"{"status":"deactivated"}"#])
        #expect(session.server.count("POST /authz/3") == 1)
        #expect(session.server.rounds.count == 4)
    }

    @Test func `an authorization that cannot be deactivated stops none of the others`() throws {
        let session = try Session()
        session.server.on(
            "POST /authz/1", .authorization("a.example", "valid"), .problem(403, "unauthorized", "not yours"))
        session.server.on("POST /authz/2", .authorization("b.example", "valid"), .json(200, "{}"))
        let ended = try session.client.deactivateAuthorizations((1...2).map { "https://ca.example/authz/\($0)" })
        #expect(ended.names == ["b.example"])
        let expected = "cannot deactivate the authorization for a.example: unauthorized: not yours"
        #expect(ended.failure?.description == expected)
    }
}
