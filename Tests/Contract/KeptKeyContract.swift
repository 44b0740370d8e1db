import AnsibleModule
import Platform
import TestSupport
import Testing

/// A certificate whose renewals keep its key (`reuse_key`), and a CA that does not take the key any more.
@Suite struct KeptKeyContract {
    private static let certs = ["web": ["a.example.org"]]

    private func options(_ world: World, _ more: [String: JSONValue] = [:]) -> JSONValue {
        world.options(Self.certs, more.merging(["reuse_key": true]) { $1 })
    }

    private func key(_ world: World) throws -> [UInt8]? {
        try Files.read(world.path("a.example.org", "a.example.org.key"))
    }

    @Test(arguments: ["badCSR", "badPublicKey"])
    func `a key that the authority does not take any more gives way to a new one, which is kept`(type: String) throws {
        try withHostileServer { world, proxy in
            try world.issue(options(world))
            let old = try key(world)
            let forced = options(world, ["force": true])
            let problem = #"{"type": "urn:ietf:params:acme:error:\#(type)", "detail": "the key is blocked"}"#
            try proxy.play(#"[{"on": "finalize", "play": "answer", "status": 400, "json": \#(problem)}]"#)
            try world.publish(try world.request(forced))
            #expect(try world.finalize(forced).msg.contains("the key is blocked"))
            #expect(try key(world) == old)

            let requested = try world.request(forced)
            #expect(requested["warnings"]?.array?.first?.string?.contains("in spite of reuse_key") == true)
            try world.publish(requested)
            #expect(try world.finalize(forced)["updated"] == ["web"])
            let new = try key(world)
            #expect(new != old)
            try world.issue(forced)
            #expect(try key(world) == new)
        }
    }

    @Test func `a key that was compromised with an older certificate takes the one that has it now with it`() throws {
        try withWorld { world in
            try world.issue(options(world))
            let copy = world.directory + "/old.pem"
            _ = try Program.run(["cp", world.path("a.example.org", "fullchain.cer"), copy])
            try world.issue(options(world, ["force": true]))
            let old = try key(world)
            let wish: [String: JSONValue] = ["certificate": .string(copy), "reason": "keyCompromise"]
            #expect(try world.revoke(wish).changed)
            #expect(try world.status(of: "a.example.org").status == "Valid")
            #expect(try world.revoke(["domains": ["a.example.org"], "_ansible_check_mode": true]).changed)

            let requested = try world.request(options(world))
            let reason = requested.all("certificates", "reason").first?.string ?? ""
            #expect(reason.hasPrefix("another certificate with its key was revoked on "), "\(reason)")
            try world.publish(requested)
            #expect(try world.finalize(options(world))["updated"] == ["web"])
            #expect(try key(world) != old)
            #expect(try world.request(options(world)).all("certificates", "action") == ["none"])
        }
    }
}
