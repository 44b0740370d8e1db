import AnsibleModule
import Platform
import TestSupport
import Testing

/// A CA that has lost everything it knew, as a test CA that was started anew: the next run of the two modules opens the
/// account again and orders anew, without `acme_account` and without anybody's help.
@Suite struct LostAccountContract {
    @Test func `an order at a CA that has forgotten the account is made anew under a new account, in the same run`()
        throws
    {
        try withWorld(.init(nonceReject: 30)) { world in
            let kept = ["kept": ["k.example.org"]]
            try world.issue(world.options(kept))
            let certs = kept.merging(["web": ["a.example.org"], "wild": ["b.example.org", "*.b.example.org"]]) { $1 }
            let lost = try world.request(world.options(certs))
            #expect(lost.all("certificates", "action") == ["none", "authorize", "authorize"])
            let before = try listing(world.directory + "/certs")
            try world.server.restart()

            let finalized = try world.finalize(world.options(certs))
            #expect(finalized.failed)
            for name in ["web", "wild"] {
                #expect(finalized.msg.contains("certificate \(name): "), "\(finalized.msg)")
            }
            #expect(finalized.msg.contains("the CA does not know this account (any more)"), "\(finalized.msg)")
            #expect(try listing(world.directory + "/certs") == before)

            let anew = try world.request(world.options(certs))
            #expect(!anew.failed && anew.changed, "\(anew.msg)")
            #expect(anew["txt_required"]?.array?.count == 3)
            #expect(anew["txt_required"] != lost["txt_required"])
            try world.publish(anew)
            #expect(try world.finalize(world.options(certs))["updated"] == ["web", "wild"])
            for name in ["a.example.org", "b.example.org"] { try world.verify(name) }
            #expect(try world.accounts() == 1)
            #expect(try !world.issue(world.options(certs)).changed)
        }
    }

    @Test func `a certificate is renewed at a CA that has forgotten the account, without an order under way`() throws {
        try withWorld { world in
            let options = world.options(["web": ["a.example.org"]])
            try world.issue(options)
            try world.server.restart()
            #expect(try !world.request(options).changed)
            let forced = world.options(["web": ["a.example.org"]], ["force": true])
            try world.server.clearTXT("_acme-challenge.a.example.org")
            #expect(try world.issue(forced)["updated"] == ["web"])
            try world.verify("a.example.org")
            #expect(try world.accounts() == 1)
        }
    }

    @Test func `an account is not forgotten for another one, nor with the file of an earlier version`() throws {
        try withHostileServer { world, proxy in
            let keys: [JSONValue] = ["one", "two"].map { .string("\(world.directory)/\($0).pem") }
            let plays = zip(["one", "two"], keys).map { name, key in
                world.options([name: ["\(name).example.org"]], ["account_key_src": key])
            }
            for play in plays { try world.publish(try world.request(play)) }
            for play in plays { #expect(try world.finalize(play)["updated"]?.array?.count == 1) }
            #expect(Set(try proxy.requests("newOrder").map(\.kid)).count == 2)
            let record = try #require(try world.accountRecord())
            try Files.rename(record, to: world.accountDirectory() + "/account.json")
            let opened = try proxy.requests("newAccount").count
            for (name, key) in zip(["one", "two"], keys) {
                let more: [String: JSONValue] = ["account_key_src": key, "force": true]
                #expect(try !world.request(world.options([name: ["\(name).example.org"]], more)).failed)
            }
            #expect(try proxy.requests("newAccount").count == opened)
        }
    }
}
