import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

@Suite struct AccountKeyContract {
    @Test(arguments: ["ec-256", "ec-384", "rsa-2048", "rsa-3072", "rsa-4096"])
    func `an account key of every type obtains certificates, and can become any other`(type: String) throws {
        try withWorld { world in
            let source = try world.makeKey(type, "account.pem")
            let options = world.options(["web": ["a.example.org"]], ["account_key_src": .string(source)])
            try world.issue(options)
            try world.verify("a.example.org")
            let rotated = try world.account([
                "account_key_src": .string(source), "rotate_key": true, "account_key_type": .string(type),
            ])
            #expect(rotated.changed, "\(rotated.msg)")
            let text = try Program.run(["openssl", "pkey", "-noout", "-text", "-in", source]).stdout
            #expect(text.contains("(\(type.dropFirst(type.hasPrefix("rsa") ? 4 : 3)) bit"), "\(text.prefix(60))")
            try world.issue(world.options(["api": ["b.example.org"]], ["account_key_src": .string(source)]))
            #expect(try world.accounts() == 1)
        }
    }

    @Test func `each rotation is a change, and the account stays the same`() throws {
        try withWorld(.init(nonceReject: 30)) { world in
            let first = try world.account(["account_email": "a@example.org"])
            var seen = [first["thumbprint"]]
            for _ in 1...3 {
                let rotated = try world.account(["rotate_key": true])
                #expect(rotated.changed, "\(rotated.msg)")
                #expect(rotated["account_url"] == first["account_url"])
                #expect(!seen.contains(rotated["thumbprint"]))
                seen.append(rotated["thumbprint"])
            }
            let after = try world.account(["account_email": "a@example.org"])
            #expect(!after.changed)
            #expect(after["thumbprint"] == seen.last)
            #expect(try Files.status(world.accountDirectory() + "/account.key")?.access.mode == 0o600)
            #expect(try Files.list(world.accountDirectory()).count == 2)
            try world.issue(world.options(["web": ["a.example.org"]]))
            #expect(try world.accounts() == 1)
        }
    }

    @Test func `a key that is given becomes the account's, once, with the access of the old one`() throws {
        try withWorld { world in
            let source = try world.makeKey("rsa-2048", "account.pem")
            try Files.set(.own(mode: 0o440), on: source)
            let new = try world.makeKey("ec-384", "new.pem")
            let wish: [String: JSONValue] = ["account_key_src": .string(source), "new_account_key_src": .string(new)]
            let url = try world.account(["account_key_src": .string(source)])["account_url"]
            let changed = try world.account(wish)
            #expect(changed.changed)
            #expect(changed["account_url"] == url)
            #expect(try Files.status(source)?.access.mode == 0o440)
            let public1 = try Program.run(["openssl", "pkey", "-pubout", "-in", source]).stdout
            #expect(public1 == (try Program.run(["openssl", "pkey", "-pubout", "-in", new]).stdout))
            let again = try world.account(wish)
            #expect(!again.changed, "\(again.msg)")
            #expect(again["thumbprint"] == changed["thumbprint"])
        }
    }

    @Test func `hosts that share an account change its key at once, and all keep it`() throws {
        try withWorld { world in
            let old = try world.makeKey("ec-256", "old.pem")
            let new = try world.makeKey("ec-256", "new.pem")
            let hosts: [[String: JSONValue]] = try (1...4).map { number in
                let own = "\(world.directory)/own\(number).pem"
                try FileManager.default.copyItem(atPath: old, toPath: own)
                return [
                    "account_key_src": .string(own), "state_path": .string("\(world.directory)/state\(number)"),
                    "acme_directory": .string(world.server.directoryURL), "ca_path": .string(world.server.caBundle),
                    "terms_agreed": true, "new_account_key_src": .string(new),
                ]
            }
            let url = try world.account(["account_key_src": .string(old)])["account_url"]
            let answers = try atOnce(hosts) { try RealProgram.call("acme_account", .object($0)) }
            for answer in answers {
                #expect(!answer.failed, "\(answer.msg)")
                #expect(answer.changed)
                #expect(answer["account_url"] == url)
            }
            for host in hosts { #expect(try !RealProgram.call("acme_account", .object(host)).changed) }
            #expect(try world.accounts() == 1)
        }
    }

    @Test func `a key of another account, of an ended one, and one that is not there are refused`() throws {
        try withWorld { world in
            let other = JSONValue.string(try world.makeKey("ec-256", "other.pem"))
            _ = try world.account()
            _ = try world.account(["account_key_src": other])
            let before = try world.files()
            for isDry in [true, false] {
                let answer = try world.account(["new_account_key_src": other, "_ansible_check_mode": .bool(isDry)])
                #expect(answer.failed)
                #expect(answer.msg.contains("it belongs to"), "\(answer.msg)")
            }
            let missing = try world.account(["new_account_key_src": "/nowhere/key.pem"])
            #expect(missing.msg.contains("/nowhere/key.pem"))
            #expect(try world.files() == before)
            _ = try world.account(["account_key_src": other, "state": "absent"])
            let ended = try world.account(["new_account_key_src": other])
            #expect(ended.failed)
            #expect(ended.msg.contains("ended for good"), "\(ended.msg)")
        }
    }

    /// What a run leaves that dies after the authority has the new key, or before it has.
    @Test(arguments: [true, false], ["acme_account", "acme_request_tokens"])
    func `a change of key that broke off is ended by the next run, or made with the same key`(
        isKnown: Bool, module: String
    ) throws {
        try withWorld { world in
            let url = try world.account()["account_url"]
            let directory = try world.accountDirectory()
            let (key, copy) = (directory + "/account.key", world.directory + "/old")
            _ = try Program.run(["cp", "-a", directory, copy])
            if isKnown { _ = try world.account(["rotate_key": true]) }
            try Files.rename(isKnown ? key : try world.makeKey("ec-256", "new.pem"), to: key + ".new")
            let new = try Files.read(key + ".new")
            _ = try Program.run(["cp", "-a", copy + "/.", directory])
            if module == "acme_request_tokens" {
                try world.issue(world.options(["web": ["a.example.org"]]))
                #expect(try Files.read(isKnown ? key : key + ".new") == new)
            }
            let isToDo = module == "acme_account" || !isKnown
            #expect(try world.account(["_ansible_check_mode": true]).changed == isToDo)
            let answer = try world.account()
            #expect(answer.changed == isToDo, "\(answer.msg)")
            #expect(answer["account_url"] == url)
            #expect(try Files.read(key) == new)
            #expect(try Files.status(key + ".new") == nil)
            #expect(try !world.account().changed)
            #expect(try world.accounts() == 1)
        }
    }

    @Test func `a change of key that the authority carries out late loses no key`() throws {
        try withHostileServer { world, proxy in
            let own: [String: JSONValue] = ["acme_directory": .string(proxy.directoryURL)]
            let url = try world.account(own)["account_url"]
            let key = try world.accountDirectory() + "/account.key"
            let problem = #"{"type": "urn:ietf:params:acme:error:malformed", "detail": "a change is under way"}"#
            let refusal = #"{"on": "keyChange", "play": "answer", "status": 409, "json": \#(problem)}"#
            try proxy.play(#"[{"on": "keyChange", "play": "late"}, \#(refusal)]"#)
            let failed = try world.account(own.merging(["rotate_key": true]) { $1 })
            #expect(failed.failed)
            #expect(failed.msg.contains("a change is under way"), "\(failed.msg)")
            #expect(failed.msg.contains("account.key.new"), "\(failed.msg)")
            let new = try #require(try Files.read(key + ".new"))

            // A CA that refuses it again, late as it still is, is no reason to drop the key or to make another one.
            try proxy.play("[\(refusal)]")
            #expect(try world.account(own.merging(["rotate_key": true]) { $1 }).failed)
            #expect(try Files.read(key + ".new") == new)
            try world.issue(world.options(["web": ["a.example.org"]]))
            #expect(try Files.read(key + ".new") == new)

            try proxy.play(#"[{"on": "directory", "play": "release"}]"#)
            let ended = try world.account(own)
            #expect(ended.changed, "\(ended.msg)")
            #expect(ended["account_url"] == url)
            #expect(try Files.read(key) == new)
            #expect(try Files.status(key + ".new") == nil)
            try world.issue(world.options(["api": ["b.example.org"]]))
            #expect(try world.accounts() == 1)
        }
    }

    @Test
    func `a new key that the authority does not take, and one for an authority that offers no change, is not kept`()
        throws
    {
        try withHostileServer { world, proxy in
            let own: [String: JSONValue] = ["acme_directory": .string(proxy.directoryURL)]
            _ = try world.account(own)
            let before = try listing(world.accountDirectory())
            let problem = #"{"type": "urn:ietf:params:acme:error:badPublicKey", "detail": "no such keys here"}"#
            let without = #"{"on": "directory", "play": "change", "remove": ["keyChange"], "skip": 1}"#
            try proxy.play(
                #"[{"on": "keyChange", "play": "answer", "status": 400, "json": \#(problem)}, \#(without)]"#)
            for words in ["no such keys here", "has no keyChange"] {
                let refused = try world.account(own.merging(["rotate_key": true]) { $1 })
                #expect(refused.failed && refused.msg.contains(words), "\(refused.msg)")
                #expect(try listing(world.accountDirectory()) == before)
            }
        }
    }

    /// Waits until the new key is on disk (for so many looks at most), and then for `$3` seconds, before it kills.
    private static let killer = """
        "$1" acme_account "$2" >/dev/null & p=$!
        n=0; while [ ! -e "$4" ] && [ $n -lt 50000 ]; do n=$((n + 1)); done
        sleep "$3"; kill -9 $p 2>/dev/null; wait $p 2>/dev/null || :
        """

    @Test(arguments: [false, true])
    func `a rotation that is killed while it tells the authority locks nobody out`(isOperators: Bool) throws {
        try withWorld { world in
            let source = isOperators ? JSONValue.string(try world.makeKey("ec-256", "own.pem")) : .null
            let url = try world.account(["account_key_src": source])["account_url"]
            let options: JSONValue = [
                "account_key_src": source, "rotate_key": true, "state_path": .string(world.directory + "/state"),
                "acme_directory": .string(world.server.directoryURL), "ca_path": .string(world.server.caBundle),
            ]
            let key = isOperators ? world.directory + "/own.pem" : try world.accountDirectory() + "/account.key"
            let file = world.directory + "/args"
            try AtomicFile.write(Array(options.rendered.utf8), to: file, access: .own(mode: 0o600))
            var brokenOff = 0
            // How fast the machine is decides which kills come between the key and the answer: some have to.
            for step in 0..<240 where step < 24 || brokenOff == 0 {
                let words = [try RealProgram.path(), file, "\(0.0005 * Double(step % 8))", key + ".new"]
                _ = try Program.run(["timeout", "20", "sh", "-c", Self.killer, "sh"] + words)
                if try Files.status(key + ".new") != nil { brokenOff += 1 }
                let after = try world.account(["account_key_src": source])
                #expect(!after.failed, "\(after.msg)")
                #expect(after["account_url"] == url)
                #expect(try Files.status(key + ".new") == nil)
            }
            #expect(brokenOff > 0)
            try world.issue(world.options(["web": ["a.example.org"]], ["account_key_src": source]))
            #expect(try world.accounts() == 1)
        }
    }

    @Test func `a key that is the account's is never a certificate's`() throws {
        try withWorld { world in
            let certs = ["web": ["a.example.org"]]
            try world.issue(world.options(certs))
            let copy = JSONValue.string(world.directory + "/copy.pem")
            _ = try Program.run(["cp", world.path("a.example.org", "a.example.org.key"), world.directory + "/copy.pem"])
            let orders = try world.orders()
            let wishes: [[String: JSONValue]] = [["reuse_key": true], [:], ["_ansible_check_mode": true]]
            for more in wishes {
                let all = more.merging(["force": true, "account_key_src": copy]) { $1 }
                let answer = try world.request(world.options(certs, all))
                #expect(answer.failed)
                #expect(answer.msg.contains("an account key must never be a certificate's"), "\(answer.msg)")
                #expect(answer.msg.contains("copy.pem"))
            }
            #expect(try world.orders() == orders)
            #expect(try world.accounts() == 1)

            let forced = world.options(certs, ["force": true])
            try world.publish(try world.request(forced))
            let find = ["sh", "-c", #"cp "$1"/state/orders/*/*/private.key "$1/copy.pem""#, "sh", world.directory]
            _ = try Program.run(find)
            let log = try world.server.log().count
            let finalized = try world.finalize(world.options(certs, ["account_key_src": copy]))
            #expect(finalized.msg.contains("an account key must never be a certificate's"), "\(finalized.msg)")
            #expect(try world.server.log().count == log)
            #expect(try world.finalize(forced)["updated"] == ["web"])
        }
    }

    @Test func `an order with the account's key for its own stops no other one`() throws {
        try withWorld { world in
            let options = world.options(["web": ["a.example.org"], "api": ["b.example.org"]])
            try world.publish(try world.request(options))
            let copy = #"cp "$1"/account.key "$2"/state/orders/*/a.example.org/private.key"#
            _ = try Program.run(["sh", "-c", copy, "sh", world.accountDirectory(), world.directory])
            let finalized = try world.finalize(options)
            #expect(finalized["updated"] == ["api"])
            #expect(finalized.msg.hasPrefix("certificate web: "), "\(finalized.msg)")
            #expect(finalized.msg.contains("an account key must never be a certificate's"), "\(finalized.msg)")
        }
    }
}
