import AnsibleModule
import Platform
import TestSupport
import Testing

/// A certificate that is revoked while an order for its successor is under way.
@Suite struct RevokedOrderContract {
    private static let certs = ["web": ["a.example.org", "b.example.org"]]

    @Test func `the order that is under way ends with a certificate, and replaces the one that was revoked`() throws {
        try withWorld { world in
            let options = world.options(Self.certs)
            try world.issue(options)
            let forced = try world.request(world.options(Self.certs, ["force": true]))
            #expect(try world.revoke(["domains": ["a.example.org"], "reason": "superseded"]).changed)
            let requested = try world.request(options)
            #expect(!requested.changed)
            #expect(Set(requested.all("txt_required", "value")) == Set(forced.all("txt_required", "value")))
            #expect(requested.all("certificates", "reason").first?.string?.hasPrefix("it was revoked on") == true)
            try world.publish(requested)
            #expect(try world.finalize(options)["updated"] == ["web"])
            try world.verify("a.example.org")
            #expect(try world.status(of: "a.example.org").status == "Valid")
            #expect(try world.request(options).all("certificates", "action") == ["none"])
            #expect(try world.orders() == 2)
        }
    }

    @Test func `no certificate is fetched for the key that was revoked, and the next request orders one with another`()
        throws
    {
        try withWorld { world in
            let options = world.options(Self.certs, ["reuse_key": true])
            try world.issue(options)
            let key = try Files.read(world.path("a.example.org", "a.example.org.key"))
            try world.publish(try world.request(world.options(Self.certs, ["reuse_key": true, "force": true])))
            #expect(try world.revoke(["domains": ["a.example.org"], "reason": "keyCompromise"]).changed)
            let before = try listing(world.directory + "/certs")
            let refused = try world.finalize(options)
            #expect(refused.failed)
            #expect(refused.msg.contains("it was revoked on"), "\(refused.msg)")
            #expect(refused.msg.contains("run acme_request_tokens first"), "\(refused.msg)")
            #expect(try listing(world.directory + "/certs") == before)

            let dry = world.options(Self.certs, ["reuse_key": true, "_ansible_check_mode": true])
            #expect(try world.request(dry).changed)
            #expect(try world.finalize(dry)["updated"] == ["web"])
            try world.issue(options)
            try world.verify("a.example.org")
            #expect(try Files.read(world.path("a.example.org", "a.example.org.key")) != key)
            #expect(try world.status(of: "a.example.org").status == "Valid")
            #expect(try world.orders() == 3)
        }
    }

    @Test func `authorizations that end with the certificate end the order too, and the next request brings tokens`()
        throws
    {
        try withWorld(.init(authzReuse: 100)) { world in
            let options = world.options(Self.certs)
            try world.issue(options)
            let ready = try world.request(world.options(Self.certs, ["force": true]))
            #expect(ready.all("certificates", "action") == ["finalize"])
            let ended = try world.revoke(["domains": ["a.example.org"], "deactivate_authorizations": true])
            #expect(ended["deactivated"] == ["a.example.org", "b.example.org"])
            let requested = try world.request(options)
            #expect(requested.changed && !requested.failed, "\(requested.msg)")
            #expect(Set(requested.all("txt_required", "domain")) == ["a.example.org", "b.example.org"])
            try world.publish(requested)
            #expect(try world.finalize(options)["updated"] == ["web"])
            try world.verify("a.example.org")
            #expect(try world.status(of: "a.example.org").status == "Valid")
        }
    }
}
