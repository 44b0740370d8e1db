import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

extension World {
    /// Calls `acme_revoke` for this host.
    func revoke(
        _ more: [String: JSONValue], at location: SourceLocation = #_sourceLocation
    ) throws -> RealProgram.Answer {
        try RealProgram.call("acme_revoke", revocation(more), at: location)
    }

    func revocation(_ more: [String: JSONValue]) -> JSONValue {
        let base: [String: JSONValue] = [
            "acme_directory": .string(server.directoryURL), "ca_path": .string(server.caBundle),
            "cert_path": .string(directory + "/certs"), "state_path": .string(directory + "/state"), "timeout": 60,
        ]
        return .object(base.merging(more) { $1 })
    }

    /// What the server itself says of an installed certificate: its status, and the reason where it was revoked.
    func status(of name: String) throws -> (status: String?, reason: Int?) {
        let serial = try Program.run(["openssl", "x509", "-noout", "-serial", "-in", path(name, name + ".cer")])
        let digits = serial.stdout.split(separator: "=").last.map { $0.filter(\.isHexDigit) } ?? ""
        let answer = JSONValue.parse(Array(try server.status(ofSerial: digits).utf8))
        return (answer?["Status"]?.string, answer?["Reason"]?.integer)
    }
}

@Suite struct RevokeContract {
    private let web = ["web": ["a.example.org", "b.example.org"]]

    @Test(arguments: [
        ("keyCompromise", 1, true), ("superseded", 4, false), ("5", 5, true), ("unspecified", 0, false),
    ])
    func `a certificate is revoked, by the account or by its own key, and the next request replaces it`(
        reason: String, code: Int, isByCertificate: Bool
    ) throws {
        try withWorld(.init(nonceReject: 30)) { world in
            try world.issue(world.options(web))
            #expect(try world.status(of: "a.example.org").status == "Valid")
            let before = try Files.read(world.path("a.example.org", "fullchain.cer"))
            var wish: [String: JSONValue] = ["domains": ["a.example.org"], "reason": .string(reason)]
            if isByCertificate { wish["private_key"] = .string(world.path("a.example.org", "a.example.org.key")) }
            let revoked = try world.revoke(wish)
            #expect(revoked.changed, "\(revoked.msg)")
            #expect(revoked["domains"]?.array?.count == 2)
            let now = try world.status(of: "a.example.org")
            #expect(now.status == "Revoked")
            #expect(now.reason ?? 0 == code)
            #expect(try Files.read(world.path("a.example.org", "fullchain.cer")) == before)

            let log = try world.server.log().count
            #expect(try !world.revoke(wish).changed)
            #expect(try world.server.log().count == log)
            try world.expectReplaced(world.options(web))
        }
    }

    @Test func `a file names the certificate too, and one that is installed is replaced all the same`() throws {
        try withWorld { world in
            try world.issue(world.options(web))
            _ = try Program.run(["cp", world.path("a.example.org", "fullchain.cer"), world.directory + "/copy.pem"])
            let wish: [String: JSONValue] = ["certificate": .string(world.directory + "/copy.pem")]
            #expect(try world.revoke(wish).changed)
            #expect(try world.status(of: "a.example.org").status == "Revoked")
            try world.expectReplaced(world.options(web))
            // It is not installed any more: only the authority knows.
            let again = try world.revoke(wish)
            #expect(!again.failed, "\(again.msg)")
            #expect(!again.changed)
        }
    }

    @Test func `a serial says which certificate is meant, and its successor is left alone`() throws {
        try withWorld { world in
            try world.issue(world.options(web))
            let probe = try world.revoke(["domains": ["a.example.org"], "serial": "00:ff"])
            #expect(!probe.failed && !probe.changed, "\(probe.msg)")
            #expect(probe.msg.contains("is left alone"), "\(probe.msg)")
            let serial = try #require(probe["serial"]?.string)
            var wish: [String: JSONValue] = [
                "domains": ["a.example.org"], "serial": .string("0:" + serial.lowercased()),
            ]
            let revoked = try world.revoke(wish)
            #expect(revoked.changed, "\(revoked.msg)")
            try world.expectReplaced(world.options(web))
            for isCheckMode in [true, false] {
                wish["_ansible_check_mode"] = .bool(isCheckMode)
                let again = try world.revoke(wish)
                #expect(!again.failed && !again.changed, "\(again.msg)")
            }
            #expect(try world.status(of: "a.example.org").status == "Valid")
            // Without it a call revokes what is there.
            #expect(try world.revoke(["domains": ["a.example.org"]]).changed)
        }
    }

    @Test func `a certificate that was revoked elsewhere is no failure and no change, and is replaced`() throws {
        try withWorld { world in
            try world.issue(world.options(web))
            #expect(try world.revoke(["domains": ["a.example.org"]]).changed)
            try Files.remove(world.path("a.example.org", "revoked.json"))
            #expect(try world.request(world.options(web)).all("certificates", "action") == ["none"])
            let again = try world.revoke(["domains": ["a.example.org"]])
            #expect(!again.failed, "\(again.msg)")
            #expect(!again.changed)
            try world.expectReplaced(world.options(web))
        }
    }

    @Test func `check mode revokes nothing and asks nobody`() throws {
        try withWorld { world in
            try world.issue(world.options(web))
            let before = try listing(world.directory)
            let log = try world.server.log().count
            let dry = try world.revoke(["domains": ["a.example.org"], "_ansible_check_mode": true])
            #expect(dry.changed)
            #expect(dry["diff"]?["after"]?.string?.contains("revoked") == true)
            let wrong: JSONValue = .string(world.server.caBundle)
            let refused = try world.revoke([
                "domains": ["a.example.org"], "private_key": wrong, "_ansible_check_mode": true,
            ])
            #expect(refused.failed)
            #expect(try listing(world.directory) == before)
            #expect(try world.server.log().count == log)
            #expect(try world.status(of: "a.example.org").status == "Valid")
            _ = try world.revoke(["domains": ["a.example.org"]])
            #expect(try !world.revoke(["domains": ["a.example.org"], "_ansible_check_mode": true]).changed)
        }
    }

    @Test func `a key that is kept at renewals is not kept after a revocation`() throws {
        try withWorld { world in
            let options = world.options(web, ["reuse_key": true])
            try world.issue(options)
            let key = try Files.read(world.path("a.example.org", "a.example.org.key"))
            _ = try world.revoke(["domains": ["a.example.org"], "reason": "keyCompromise"])
            try world.issue(options)
            #expect(try Files.read(world.path("a.example.org", "a.example.org.key")) != key)
        }
    }

    @Test func `authorizations are deactivated with it, and the next certificate needs tokens again`() throws {
        try withWorld(.init(authzReuse: 100)) { world in
            try world.issue(world.options(web))
            let reused = try world.request(world.options(web, ["force": true]))
            #expect(reused["txt_required"] == [])
            #expect(try !world.finalize(world.options(web, ["force": true])).failed)
            let wish: [String: JSONValue] = ["domains": ["a.example.org"], "deactivate_authorizations": true]
            #expect(try world.revoke(["domains": ["a.example.org"]]).changed)
            let ended = try world.revoke(wish)
            #expect(ended.changed, "\(ended.msg)")
            #expect(ended["deactivated"] == ["a.example.org", "b.example.org"])
            let again = try world.revoke(wish)
            #expect(!again.changed)
            #expect(again["deactivated"] == [])
            #expect(try world.request(world.options(web)).all("txt_required", "domain").count == 2)
            try world.expectReplaced(world.options(web))
        }
    }

    @Test func `without the account's key the way to revoke with the certificate's own is told`() throws {
        try withWorld { world in
            try world.issue(world.options(web))
            try Files.remove(try world.accountDirectory())
            let key = world.path("a.example.org", "a.example.org.key")
            let lost = try world.revoke(["domains": ["a.example.org"]])
            #expect(lost.failed)
            #expect(lost.msg.contains(key), "\(lost.msg)")
            _ = try world.makeKey("ec-256", "stranger.pem")
            let stranger: JSONValue = .string(world.directory + "/stranger.pem")
            let unknown = try world.revoke(["domains": ["a.example.org"], "account_key_src": stranger])
            #expect(unknown.msg.contains("knows no account of this key"), "\(unknown.msg)")
            #expect(try world.status(of: "a.example.org").status == "Valid")
            let wish: [String: JSONValue] = ["domains": ["a.example.org"], "private_key": .string(key)]
            #expect(try world.revoke(wish).changed)
            #expect(try world.status(of: "a.example.org").status == "Revoked")
            #expect(try world.accounts() == 1)
        }
    }

    @Test func `what is not the authority's, not there or not the key's is refused before anything is sent`() throws {
        try withWorld { world in
            try world.issue(world.options(web))
            try world.issue(world.options(["own": ["own.example.org"]], ["self_signed": true]))
            let log = try world.server.log().count
            let stranger = JSONValue.string(try world.makeKey("ec-256", "stranger.pem"))
            let wrong: [([String: JSONValue], String)] = [
                (["domains": ["own.example.org"]], "was signed by this host"),
                (["domains": ["none.example.org"]], "there is no certificate yet"),
                (["domains": ["a.example.org", "c.example.org"]], "is not for c.example.org"),
                (["domains": ["a.example.org"], "acme_directory": "https://other.example/dir"], "set acme_directory"),
                (["domains": ["a.example.org"], "private_key": stranger], "is not the key of the certificate"),
                (["domains": ["a.example.org"], "private_key": "/nowhere"], "/nowhere is not there"),
                (["certificate": "/nowhere"], "/nowhere is not there"), (["certificate": stranger], "cannot be used"),
                (["domains": ["a.example.org"], "reason": "removeFromCRL"], "keyCompromise (1)"),
                (["domains": ["a.example.org"], "reason": 6], "option reason must be one of"),
                (["domains": ["a.example.org"], "serial": "newest"], "option serial must be a serial number"),
                (["domains": ["a.example.org"], "certificate": "/x"], "exclude each other"),
                (["name": "web", "certificate": "/x"], "exclude each other"), (["name": "web"], "domains is missing"),
                (["domains": ["a.example.org"], "owner": "root"], "owner is unknown"),
            ]
            for (wish, words) in wrong {
                let answer = try world.revoke(wish)
                #expect(answer.failed)
                #expect(!answer.changed)
                #expect(answer.msg.contains(words), "\(wish): \(answer.msg)")
                ModuleContract.revoke.expectLists(in: answer)
            }
            #expect(try world.server.log().count == log)
        }
    }
}

extension World {
    /// Expects that a certificate that was revoked is obtained anew, once.
    func expectReplaced(_ options: JSONValue, at location: SourceLocation = #_sourceLocation) throws {
        let requested = try request(options, at: location)
        let reason = requested.all("certificates", "reason").first?.string ?? ""
        #expect(reason.hasPrefix("it was revoked on"), "\(reason)", sourceLocation: location)
        try issue(options, at: location)
        try verify("a.example.org", at: location)
        #expect(try status(of: "a.example.org").status == "Valid", sourceLocation: location)
        #expect(try request(options).all("certificates", "action") == ["none"], sourceLocation: location)
    }
}
