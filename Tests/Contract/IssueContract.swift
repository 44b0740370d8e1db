import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

@Suite struct IssueContract {
    @Test(arguments: [(0, 0), (30, 50), (30, 100)])
    func `from tokens to files, and nothing to do the second time`(nonceReject: Int, authzReuse: Int) throws {
        try withWorld(.init(nonceReject: nonceReject, authzReuse: authzReuse)) { world in
            let options = world.options([
                "web": ["a.example.org:8443", "b.example.org"], "wild": ["c.example.org", "*.c.example.org"],
            ])
            let finalized = try world.issue(options)
            #expect(finalized["updated"] == ["web", "wild"])
            try world.verify("a.example.org")
            try world.verify("c.example.org")

            let before = try listing(world.directory)
            let orders = try world.orders()
            let again = try world.issue(options)
            #expect(!again.changed)
            #expect(again["updated"] == [])
            #expect(try world.orders() == orders)
            #expect(try listing(world.directory) == before)
        }
    }

    @Test func `a name more renews only the certificate that it is on`() throws {
        try withWorld { world in
            try world.issue(world.options(["one": ["a.example.org"], "two": ["b.example.org"]]))
            let options = world.options(["one": ["a.example.org", "new.example.org"], "two": ["b.example.org"]])
            let requested = try world.request(options)
            #expect(requested.all("certificates", "action") == ["authorize", "none"])
            #expect(Set(requested.all("txt_required", "certificate")) == ["one"])
            try world.publish(requested)
            #expect(try world.finalize(options)["updated"] == ["one"])
        }
    }

    @Test func `a run that broke off is taken up, not ordered anew`() throws {
        try withWorld { world in
            let options = world.options(["web": ["a.example.org"]])
            let first = try world.request(options)
            let second = try world.request(options)
            #expect(first.changed)
            #expect(!second.changed)
            #expect(second["txt_required"] == first["txt_required"])
            #expect(try world.orders() == 1)
            try world.publish(second)
            #expect(try world.finalize(options)["updated"] == ["web"])
        }
    }

    @Test func `an order that is damaged is as good as none, with a warning`() throws {
        try withWorld { world in
            let options = world.options(["web": ["a.example.org"]])
            let forced = world.options(["web": ["a.example.org"]], ["force": true])
            try world.issue(options)
            _ = try world.request(forced)
            _ = try Program.run(["sh", "-c", #"echo { | tee "$1"/state/orders/*/*/order.json"#, "sh", world.directory])
            for isDry in [true, false] {
                let kept = try world.finalize(
                    world.options(["web": ["a.example.org"]], ["_ansible_check_mode": .bool(isDry)]))
                #expect(!kept.failed && !kept.changed, "\(kept.msg)")
                #expect(kept["warnings"]?.array?.first?.string?.contains("order.json is damaged; remove it") == true)
            }
            let requested = try world.request(forced)
            #expect(requested.changed && !requested.failed, "\(requested.msg)")
            #expect(requested["warnings"]?.array?.first?.string?.contains("order.json is damaged") == true)
            try world.publish(requested)
            let finalized = try world.finalize(forced)
            #expect(finalized["updated"] == ["web"])
            #expect(finalized["warnings"] == [])
            try world.verify("a.example.org")
        }
    }

    /// The links, then the order and its key, are what the first run makes and takes away last.
    @Test(arguments: [("symlink", 5, isInPlace: false), ("unlink", 1, isInPlace: true), ("unlink", 3, isInPlace: true)])
    func `a run that was killed between installing and reporting is reported by the next`(
        call: String, number: Int, isInPlace: Bool
    ) throws {
        try withWorld { world in
            let options = world.options(["web": ["a.example.org"]])
            try world.publish(try world.request(options))
            #expect(try SystemCall(either: call, number).kill("acme_finalize", options))
            let installed = try Files.read(world.path("a.example.org", "fullchain.cer"))
            #expect((installed != nil) == isInPlace)
            let next = try world.issue(options)
            #expect(next["updated"] == ["web"], "\(next.msg)")
            if isInPlace { #expect(try Files.read(world.path("a.example.org", "fullchain.cer")) == installed) }
            #expect(try world.finalize(options)["updated"] == [])
            #expect(try world.orders() == 1)
        }
    }

    @Test func `contacts that change are told to the authority with the next order`() throws {
        try withWorld { world in
            let old = world.options(["web": ["a.example.org"]], ["account_email": "old@example.org"])
            let new = world.options(["api": ["b.example.org"]], ["account_email": "new@example.org"])
            #expect(try !world.request(old).failed)
            #expect(try !world.request(new).failed)
            #expect(try world.server.log().contains("POST /my-account/"))
            let found = try Program.run(["grep", "-rlF", "mailto:new@example.org", world.directory + "/state/accounts"])
            #expect(found.stdout.split(separator: "\n").count == 1)
        }
    }

    @Test func `check mode counts on an order under way until it has expired`() throws {
        try withWorld { world in
            let options = world.options(["web": ["a.example.org"]])
            let dry = world.options(["web": ["a.example.org"]], ["_ansible_check_mode": true])
            #expect(try world.request(options).changed)
            #expect(try !world.request(dry).changed)
            let script = #"sed -i 's/"expires" : "2[0-9]*-/"expires" : "2001-/' "$1"/state/orders/*/*/order.json"#
            _ = try Program.run(["sh", "-euc", script, "sh", world.directory])
            #expect(try world.request(dry).changed)
        }
    }

    @Test(arguments: ["acme_request_tokens", "acme_finalize"])
    func `a run that was killed at any moment is taken up by the next`(victim: String) throws {
        try withWorld { world in
            for (round, delay) in ["0.02", "0.05", "0.1", "0.2", "0.4"].enumerated() {
                let options = world.options(["web": ["a\(round).example.org", "b\(round).example.org"]])
                if victim == "acme_finalize" { try world.publish(try world.request(options)) }
                let file = world.directory + "/args"
                try AtomicFile.write(Array(options.rendered.utf8), to: file, access: .own(mode: 0o600))
                _ = try Program.run(["timeout", "-s", "KILL", delay, try RealProgram.path(), victim, file])
                try Files.remove(file)
                try world.issue(options)
                try world.verify("a\(round).example.org")
            }
            let left = try listing(world.directory).filter { $0.contains("/.new-") }
            #expect(left == [])
        }
    }

    @Test func `authorizations that are still valid need no token, and finalize does the rest`() throws {
        try withWorld(.init(authzReuse: 100)) { world in
            try world.issue(world.options(["web": ["a.example.org"]]))
            let options = world.options(["web": ["a.example.org"]], ["force": true])
            let requested = try world.request(options)
            #expect(requested["txt_required"] == [])
            #expect(requested.all("certificates", "action") == ["finalize"])
            #expect(try world.finalize(options)["updated"] == ["web"])
        }
    }

    @Test func `a certificate that the authority refuses does not stop the others`() throws {
        try withWorld { world in
            let options = world.options(["bad": ["www.blocked.example"], "good": ["a.example.org"]])
            let requested = try world.request(options)
            #expect(requested.failed)
            #expect(requested.changed)
            #expect(requested.msg.contains("certificate bad"))
            #expect(requested.msg.contains("www.blocked.example"))
            #expect(requested.all("certificates", "action") == ["failed", "authorize"])
            try world.publish(requested)
            let finalized = try world.finalize(options)
            #expect(finalized["updated"] == ["good"])
            #expect(finalized.failed)
            try world.verify("a.example.org")
        }
    }

    @Test func `what the authority refused is not ordered again at once, unless it is forced`() throws {
        try withWorld { world in
            let certs = ["bad": ["www.blocked.example"]]
            let first = try world.request(world.options(certs))
            let retry = try #require(first.all("certificates", "retry_at").first?.string)
            #expect(try world.orders() == 1)
            let second = try world.request(world.options(certs))
            #expect(second.failed)
            #expect(second.msg.contains("not ordered again before \(retry)"), "\(second.msg)")
            #expect(second.msg.contains("www.blocked.example"))
            #expect(second.all("certificates", "retry_at") == [.string(retry)])
            #expect(try world.orders() == 1)
            _ = try world.request(world.options(certs, ["force": true]))
            #expect(try world.orders() == 2)
            try world.issue(world.options(["bad": ["www.allowed.example"]]))
        }
    }

    /// A name of its own, since Pebble takes one valid authorization in a hundred again even where it is to take none.
    @Test func `a wrong TXT value is an error in the authority's words, and the old files stay`() throws {
        try withWorld { world in
            try world.issue(world.options(["web": ["a.example.org"]]))
            let before = try Files.read(world.path("a.example.org", "fullchain.cer"))
            try world.server.addTXT([(name: "_acme-challenge.b.example.org", value: "wrong")])
            let grown = world.options(["web": ["a.example.org", "b.example.org"]], ["force": true])
            let requested = try world.request(grown)
            #expect(requested.changed)
            let answer = try world.finalize(grown)
            #expect(answer.failed)
            #expect(answer.msg.contains("certificate web"))
            #expect(answer.msg.contains("b.example.org: unauthorized"), "\(answer.msg)")
            #expect(answer["updated"] == [])
            #expect(try Files.read(world.path("a.example.org", "fullchain.cer")) == before)
            try world.issue(grown)
            try world.verify("a.example.org")
        }
    }

    @Test func `fifty certificates in one call`() throws {
        try withWorld(.init(nonceReject: 5)) { world in
            let certs = (0..<50).map { ("host\($0)", ["host\($0).example.org", "balanced\($0).example.org"]) }
            let options = world.options(Dictionary(uniqueKeysWithValues: certs))
            #expect(try world.issue(options)["updated"]?.array?.count == 50)
            try world.verify("host49.example.org")
        }
    }

    @Test func `two runs at once make one order between them`() throws {
        try withWorld { world in
            let twice = [world.options(["web": ["a.example.org"]]), world.options(["web": ["a.example.org"]])]
            let requests = try atOnce(twice) { try RealProgram.call("acme_request_tokens", $0) }
            #expect(requests.map(\.failed) == [false, false])
            #expect(requests.filter(\.changed).count == 1)
            #expect(requests[0]["txt_required"] == requests[1]["txt_required"])
            #expect(try world.orders() == 1)
            try world.publish(requests[0])
            let finals = try atOnce(twice) { try RealProgram.call("acme_finalize", $0) }
            #expect(finals.map(\.failed) == [false, false])
            #expect(finals.filter(\.changed).count == 1)
            try world.verify("a.example.org")
        }
    }

    @Test func `terms that were not agreed to are quoted`() throws {
        try withWorld { world in
            let answer = try world.request(world.options(["web": ["a.example.org"]], ["terms_agreed": false]))
            #expect(answer.failed)
            #expect(answer.msg.contains("terms_agreed"))
            #expect(answer.msg.contains("data:text/plain,Do%20what%20thou%20wilt"))
        }
    }

    @Test func `an authority that is not trusted is named`() throws {
        try withWorld { world in
            let answer = try world.request(world.options(["web": ["a.example.org"]], ["ca_path": nil, "timeout": 10]))
            #expect(answer.failed)
            #expect(answer.msg.contains("127.0.0.1"))
            #expect(answer.all("certificates", "action") == ["failed"])
        }
    }

    @Test func `check mode makes no account and no order`() throws {
        try withWorld { world in
            let dry = world.options(["web": ["a.example.org"]], ["_ansible_check_mode": true])
            #expect(try world.request(dry).changed)
            #expect(try world.finalize(dry).changed)
            #expect(try Files.list(world.directory) == [])
            let log = try world.server.log()
            #expect(!log.contains("POST"))
        }
    }

    @Test func `a test certificate becomes a real one, and a real one renews before it ends`() throws {
        try withWorld(.init(validity: 3600)) { world in
            try world.issue(world.options(["web": ["a.example.org"]], ["self_signed": true]))
            let options = world.options(["web": ["a.example.org"]])
            let finalized = try world.issue(options)
            #expect(finalized["updated"] == ["web"])
            try world.verify("a.example.org")
            #expect(try world.request(options).all("certificates", "action") == ["none"])
        }
    }
}
