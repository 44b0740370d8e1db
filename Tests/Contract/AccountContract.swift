import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

extension World {
    /// Options of `acme_account` for this host.
    func accountOptions(_ more: [String: JSONValue] = [:]) -> JSONValue {
        let base: [String: JSONValue] = [
            "acme_directory": .string(server.directoryURL), "ca_path": .string(server.caBundle),
            "state_path": .string(directory + "/state"), "terms_agreed": true, "timeout": 60,
        ]
        return .object(base.merging(more) { $1 })
    }

    func account(
        _ more: [String: JSONValue] = [:], at location: SourceLocation = #_sourceLocation
    ) throws -> RealProgram.Answer {
        try RealProgram.call("acme_account", accountOptions(more), at: location)
    }

    /// How many accounts the server has made.
    func accounts() throws -> Int {
        try server.log().components(separatedBy: "accounts in memory").count - 1
    }

    /// Everything on this host but who held the lock last.
    func files() throws -> [String] {
        try listing(directory).filter { !$0.hasPrefix(directory + "/state/lock ") }
    }

    /// Where the account at this server is kept.
    func accountDirectory() throws -> String {
        let all = directory + "/state/accounts"
        return "\(all)/\(try #require(try Files.list(all).first))"
    }

    /// The file of what is known of the account.
    func accountRecord() throws -> String? {
        let place = try accountDirectory()
        return try Files.list(place).first { $0.hasPrefix("account") && $0.hasSuffix(".json") }.map { "\(place)/\($0)" }
    }

    /// Makes a key with OpenSSL's own program; returns its path.
    func makeKey(_ type: String, _ file: String) throws -> String {
        let path = "\(directory)/\(file)"
        let kind =
            type.hasPrefix("rsa-")
            ? ["RSA", "-pkeyopt", "rsa_keygen_bits:\(type.dropFirst(4))"]
            : ["EC", "-pkeyopt", "ec_paramgen_curve:P-\(type.dropFirst(3))"]
        let made = try Program.run(["openssl", "genpkey", "-out", path, "-algorithm"] + kind)
        #expect(made.status == 0, "\(made)")
        return path
    }
}

@Suite struct AccountContract {
    @Test func `an account is made once, and the next run finds nothing to do`() throws {
        try withWorld(.init(nonceReject: 30)) { world in
            let first = try world.account(["account_email": "a@example.org"])
            #expect(first.changed, "\(first.msg)")
            #expect(first["status"] == "valid")
            #expect(first["contacts"] == ["mailto:a@example.org"])
            #expect(first["account_url"]?.string?.contains("/my-account/") == true)
            #expect(first["thumbprint"]?.string?.count == 43)
            let before = try world.files()
            let second = try world.account(["account_email": "a@example.org"])
            #expect(!second.changed, "\(second.msg)")
            #expect(second["account_url"] == first["account_url"])
            #expect(try world.files() == before)
            try world.issue(world.options(["web": ["a.example.org"]]))
            #expect(try world.accounts() == 1)
        }
    }

    @Test func `check mode says what would be done, and nothing is done`() throws {
        try withWorld { world in
            let made = try world.account(["_ansible_check_mode": true, "_ansible_diff": true])
            #expect(made.changed)
            #expect(made["diff"] != nil)
            #expect(try Files.list(world.directory) == [])
            let refused = try world.account(["_ansible_check_mode": true, "terms_agreed": false])
            #expect(refused.failed)
            #expect(refused.msg.contains("terms_agreed"))
            #expect(try world.accounts() == 0)

            let url = try world.account(["account_email": "a@example.org"])["account_url"]
            let before = try listing(world.directory)
            let key = try world.makeKey("ec-384", "new.pem")
            let wishes: [([String: JSONValue], Bool)] = [
                ([:], false), (["account_email": "a@example.org"], false),
                (["account_email": "b@example.org"], true),
                (["rotate_key": true], true), (["new_account_key_src": .string(key)], true),
                (["state": "absent"], true),
            ]
            for (wish, isChange) in wishes {
                let answer = try world.account(wish.merging(["_ansible_check_mode": true]) { $1 })
                #expect(answer.changed == isChange, "\(wish): \(answer.msg)")
                #expect(answer["account_url"] == url)
            }
            try Files.remove(key)
            #expect(try listing(world.directory) == before)
            #expect(try !world.account(["account_email": "a@example.org"]).changed)
        }
    }

    @Test func `contacts that change are brought up to date, once`() throws {
        try withWorld { world in
            _ = try world.account(["account_email": "old@example.org"])
            let new: [String: JSONValue] = ["account_email": ["new@example.org", "b@example.org"]]
            let changed = try world.account(new)
            #expect(changed.changed)
            #expect(changed["diff"]?["before"]?.string?.contains("old@example.org") == true)
            #expect(try !world.account(new).changed)
            #expect(try !world.account().changed, "without account_email they are left as they are")
            let contacts = try world.account()["contacts"]?.array?.compactMap(\.string) ?? []
            #expect(contacts.sorted() == ["mailto:b@example.org", "mailto:new@example.org"])
        }
    }

    @Test func `a customer's account needs the binding that the authority gave out`() throws {
        var options = PebbleServer.Options()
        options.customers = ["kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"]
        try withWorld(options) { world in
            let refused = try world.account()
            #expect(refused.failed)
            #expect(refused.msg.contains("external_account_binding"))
            let key = JSONValue.string(options.customers["kid-1"] ?? "")
            let made = try world.account(["external_account_binding": ["kid": "kid-1", "key": key]])
            #expect(made.changed, "\(made.msg)")
            #expect(try !world.account().changed)
        }
    }

    @Test func `a contact that the authority refuses is a warning, and stops no order`() throws {
        try withHostileServer { world, proxy in
            let first = world.options(["web": ["a.example.org"]], ["account_email": "old@example.org"])
            try world.issue(first)
            let record = try #require(try world.accountRecord())
            let refusal = #"{"type": "urn:ietf:params:acme:error:invalidContact", "detail": "no mail goes there"}"#
            try proxy.play(#"[{"on": "account", "play": "answer", "status": 400, "times": -1, "json": \#(refusal)}]"#)
            let certs = ["api": ["b.example.org"], "mail": ["c.example.org"]]
            let second = world.options(certs, ["account_email": "new@example.org"])
            for isKnown in [true, false] {
                // Whether the account is in the state, or found anew by its key, as where the key is shared.
                if !isKnown { try Files.remove(record) }
                let requested = try world.request(second)
                #expect(!requested.failed, "\(requested.msg)")
                #expect(requested["txt_required"]?.array?.count == 2)
                let warnings = (requested["warnings"]?.array ?? []).compactMap(\.string)
                #expect(warnings.count == 1 && warnings[0].hasPrefix("cannot change the account's contacts: "))
                #expect(warnings.allSatisfy { $0.contains("no mail goes there") && $0.contains("account_email") })
            }
            try proxy.playNothing()
            let count = try proxy.requests("account").count
            for _ in 1...2 { #expect(try world.request(second)["warnings"] == []) }
            #expect(try proxy.requests("account").count == count + 1)
        }
    }

    @Test func `contacts that change need neither the binding nor the terms again`() throws {
        var options = PebbleServer.Options()
        options.customers = ["kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"]
        try withWorld(options) { world in
            let key = JSONValue.string(options.customers["kid-1"] ?? "")
            _ = try world.account([
                "account_email": "old@example.org", "external_account_binding": ["kid": "kid-1", "key": key],
            ])
            let wish: [String: JSONValue] = ["account_email": "new@example.org", "terms_agreed": false]
            try world.issue(world.options(["web": ["a.example.org"]], wish))
            #expect(try world.account()["contacts"] == ["mailto:new@example.org"])
            let requests = try world.server.log().components(separatedBy: "POST /my-account/").count
            try world.issue(world.options(["web": ["a.example.org"]], wish.merging(["force": true]) { $1 }))
            #expect(try world.server.log().components(separatedBy: "POST /my-account/").count == requests)
            #expect(try world.accounts() == 1)
        }
    }

    @Test func `a refusal that says nothing of the account's end is an error, and nothing is removed`() throws {
        try withHostileServer { world, proxy in
            let own: [String: JSONValue] = ["acme_directory": .string(proxy.directoryURL)]
            let absent = own.merging(["state": "absent"]) { $1 }
            let url = try world.account(own)["account_url"]
            let before = try listing(world.accountDirectory())
            let problem = #"{"type": "urn:ietf:params:acme:error:unauthorized", "detail": "not from this address"}"#
            try proxy.play(#"[{"on": "newAccount", "play": "answer", "status": 403, "json": \#(problem)}]"#)
            let refused = try world.account(absent)
            #expect(refused.failed && !refused.changed)
            #expect(refused.msg.contains("unauthorized: not from this address"), "\(refused.msg)")
            #expect(try listing(world.accountDirectory()) == before)
            try proxy.play(
                #"[{"on": "account", "play": "answer", "status": 200, "body": "{\"status\": \"valid\"}"}]"#)
            let ignored = try world.account(absent)
            #expect(ignored.failed, "\(ignored.msg)")
            #expect(try listing(world.accountDirectory()) == before)
            #expect(try world.account(own)["account_url"] == url)
            let ended = try world.account(absent)
            #expect(ended.changed)
            #expect(try Files.list(world.accountDirectory()) == [])
        }
    }

    @Test func `an account that the authority has forgotten is made anew, and that is said`() throws {
        try withWorld { other in
            let lost = try #require(try other.account()["account_url"]?.string)
            try withWorld { world in
                _ = try world.account()
                // As a test authority that was started anew would find it.
                _ = try Program.run(["cp", "-a", try other.accountDirectory() + "/.", try world.accountDirectory()])
                let dry = try world.account(["_ansible_check_mode": true])
                #expect(dry.changed)
                #expect(dry.msg.contains(lost))
                let answer = try world.account()
                #expect(answer.changed)
                #expect(answer.msg.contains("the CA did not know the account \(lost) any more"), "\(answer.msg)")
                #expect(try !world.account().changed)
                try world.issue(world.options(["web": ["a.example.org"]]))
                #expect(try world.accounts() == 2)
            }
        }
    }

    @Test func `an account that is deactivated is gone with its key, and another one can be made`() throws {
        try withWorld { world in
            let url = try world.account()["account_url"]
            let ended = try world.account(["state": "absent"])
            #expect(ended.changed)
            #expect(ended["status"] == "deactivated")
            #expect(ended["account_url"] == url)
            #expect(try Files.list(world.accountDirectory()) == [])
            #expect(try world.server.log().contains("POST /my-account/"))
            let again = try world.account(["state": "absent"])
            #expect(!again.changed, "\(again.msg)")
            let made = try world.account()
            #expect(made.changed)
            #expect(made["account_url"] != url)
            try world.issue(world.options(["web": ["a.example.org"]]))
        }
    }

    @Test func `an operator's key of an account that has ended is left, and refused with a way out`() throws {
        try withWorld { world in
            let source: [String: JSONValue] = ["account_key_src": .string(try world.makeKey("ec-256", "own.pem"))]
            _ = try world.account(source)
            let ended = try world.account(source.merging(["state": "absent"]) { $1 })
            #expect(ended.changed)
            #expect(ended.msg.contains("own.pem"))
            #expect(try Files.status(world.directory + "/own.pem") != nil)
            #expect(try !world.account(source.merging(["state": "absent"]) { $1 }).changed)
            for isDry in [true, false] {
                let refused = try world.account(source.merging(["_ansible_check_mode": .bool(isDry)]) { $1 })
                #expect(refused.failed)
                #expect(!refused.changed)
                #expect(refused.msg.contains("own.pem"))
                #expect(refused.msg.contains("has ended for good"), "\(refused.msg)")
            }
            let new: [String: JSONValue] = ["new_account_key_src": .string(try world.makeKey("ec-256", "new.pem"))]
            #expect(try world.account(source.merging(new) { $1 })["status"] == "valid")
        }
    }

    @Test func `absent on a host that has no account touches and asks nothing`() throws {
        try withWorld { world in
            let answer = try world.account(["state": "absent"])
            #expect(!answer.changed)
            #expect(!answer.failed)
            #expect(try Files.list(world.directory) == [])
            #expect(try !world.server.log().contains("GET /dir"))
        }
    }

    @Test(
        arguments: [
            (["state": "gone"], "option state must be one of present, absent"),
            (["rotate_key": "x"], "option rotate_key"), (["account_key_type": "dsa"], "option account_key_type"),
            (["rotate_key": true, "new_account_key_src": "/x"], "exclude each other"),
            (["rotate_key": true, "state": "absent"], "exclude each other"),
            (["new_account_key_src": "/x", "account_key_src": "/x"], "is the file of the account key"),
            (["new_account_key_src": "/x.new", "account_key_src": "/x"], "a change of key keeps its own copy"),
            (["new_account_key_src": "x"], "must be an absolute path"), (["key_type": "ec-256"], "key_type is unknown"),
        ] as [([String: JSONValue], String)])
    func `an option that cannot be used is named before anything is touched`(
        options: [String: JSONValue], words: String
    ) throws {
        try withTemporaryDirectory { directory in
            let all = options.merging(["state_path": .string(directory + "/state")]) { $1 }
            let answer = try RealProgram.call("acme_account", .object(all))
            #expect(answer.failed)
            #expect(answer.msg.contains(words), "\(answer.msg)")
            ModuleContract.account.expectLists(in: answer)
            #expect(try Files.list(directory) == [])
        }
    }
}
