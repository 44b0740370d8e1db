import AnsibleModule
import TestSupport
import Testing

/// A host whose account the CA refuses: that is no refusal of its certificates.
@Suite struct RefusedAccountContract {
    /// What another host does to the account whose key is in old.pem.
    private func changeKey(of world: World, to new: JSONValue) throws {
        _ = try Program.run(["cp", world.directory + "/old.pem", world.directory + "/changed.pem"])
        let changed = try world.account([
            "account_key_src": .string(world.directory + "/changed.pem"), "new_account_key_src": new,
            "state_path": .string(world.directory + "/other-state"),
        ])
        #expect(changed.changed, "\(changed.msg)")
    }

    @Test func `a host that was left out of a change of key fails, and is given no account of its own`() throws {
        try withWorld { world in
            let old = JSONValue.string(try world.makeKey("ec-256", "old.pem"))
            let new = JSONValue.string(try world.makeKey("ec-256", "new.pem"))
            let own = world.options(["web": ["a.example.org"]], ["account_key_src": old])
            try world.issue(own)
            try changeKey(of: world, to: new)
            let left = world.options(["web": ["a.example.org"], "api": ["b.example.org"]], ["account_key_src": old])
            for _ in 1...2 {
                let refused = try world.request(left)
                #expect(refused.failed)
                #expect(refused.msg.contains("JWS verification error"), "\(refused.msg)")
                #expect(refused.msg.contains("does not belong to this host's account key any more"))
                #expect(refused.all("certificates", "retry_at") == [.null, .null])
            }
            #expect(try world.account(["account_key_src": old, "new_account_key_src": new]).changed)
            #expect(try world.issue(left)["updated"] == ["api"])
            #expect(try world.accounts() == 1)
        }
    }

    @Test func `an account that is refused costs no order, and no wait once it is mended`() throws {
        try withWorld { world in
            let old = JSONValue.string(try world.makeKey("ec-256", "old.pem"))
            let new = JSONValue.string(try world.makeKey("ec-256", "new.pem"))
            let options = world.options(["web": ["a.example.org"]], ["account_key_src": old])
            try world.publish(try world.request(options))
            try changeKey(of: world, to: new)
            let refused = try world.finalize(options)
            #expect(refused.msg.contains("JWS verification error"), "\(refused.msg)")
            #expect(refused.all("certificates", "retry_at") == [.null])
            _ = try world.account(["account_key_src": old, "new_account_key_src": new])
            // A TXT value is made with the account's key.
            try world.server.clearTXT("_acme-challenge.a.example.org")
            #expect(try world.issue(options)["updated"] == ["web"])
            #expect(try world.orders() == 1)
        }
    }

    @Test func `an account that was deactivated elsewhere is named to the next order`() throws {
        try withWorld { world in
            let source = JSONValue.string(try world.makeKey("ec-256", "own.pem"))
            try world.issue(world.options(["web": ["a.example.org"]], ["account_key_src": source]))
            let other: JSONValue = .string(world.directory + "/other-state")
            _ = try world.account(["account_key_src": source, "state": "absent", "state_path": other])
            let certs = ["api": ["b.example.org"]]
            for _ in 1...2 {
                let refused = try world.request(world.options(certs, ["account_key_src": source]))
                #expect(refused.failed)
                #expect(refused.msg.contains("the account has ended for good"), "\(refused.msg)")
                #expect(refused.all("certificates", "retry_at") == [.null])
            }
            #expect(try world.accounts() == 1)
            try world.issue(world.options(certs, ["account_key_src": .string(try world.makeKey("ec-256", "new.pem"))]))
        }
    }
}
