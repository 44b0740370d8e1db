import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// A CA that is busy or broken for a while: what was asked is asked again, as often and as soon as is right.
@Suite struct TroubledServerContract {
    @Test func `a connection that drops before the CA heard of the request costs no order`() throws {
        try withHostileServer { world, proxy in
            try proxy.play(#"{"play": "drop"}"#, on: everyKind)
            try world.issueAnyway()
            #expect(try proxy.requests().filter { $0.upstream == 0 }.count == everyKind.count)
        }
    }

    @Test func `a connection that drops after the CA has done its work is found out, whatever the work was`() throws {
        try withHostileServer { world, proxy in
            try proxy.play(#"{"play": "lose"}"#, on: everyKind)
            // Nobody can know that the order whose reply was lost was made.
            try world.issueAnyway(orders: 2)
        }
    }

    @Test func `an order whose reply was lost is handed out again by a CA that does so, and costs no second one`()
        throws
    {
        try withHostileServer { world, _ in
            let reuse = #"{"on": "newOrder", "play": "reuse", "times": -1}"#
            try world.issueDespite(#"[{"on": "newOrder", "play": "lose"}, \#(reuse)]"#)
        }
    }

    @Test func `a reply that ends half way is not taken for a whole one`() throws {
        try withHostileServer { world, proxy in
            try proxy.play(#"{"play": "half"}"#, on: everyKind.filter { $0 != "nonce" })
            try world.issueAnyway(orders: 2)
        }
    }

    @Test func `a server in trouble that names no time is asked again soon`() throws {
        let times = try atOnce([500, 502, 503, 504]) { status in
            try withHostileServer { world, proxy in
                try proxy.play(#"{"play": "answer", "status": \#(status)}"#, on: everyKind)
                let time = try seconds { try world.issueAnyway() }
                let count = try proxy.requests().filter { $0.status == status }.count
                guard count == everyKind.count else { throw Unexpected("\(status) was played \(count) times") }
                return time
            }
        }
        #expect(times.allSatisfy { $0 < 25 }, "\(times)")
    }

    @Test func `Retry-After is waited for, in seconds and as a date, of 429 and of 503`() throws {
        let cases = [429, 503].flatMap { status in
            [#""status": \#(status), "headers": {"Retry-After": "2"}"#, #""status": \#(status), "retry_in": 3"#]
        }
        let times = try atOnce(cases) { reply in
            try withHostileServer { world, _ in
                let fault = #""play": "answer", \#(reply)"#
                let faults = #"[{"on": "newOrder", \#(fault)}, {"on": "finalize", \#(fault)}]"#
                return try seconds { try world.issueDespite(faults) }
            }
        }
        // A date has whole seconds, so that up to one of three may be over.
        #expect(times.allSatisfy { (4..<20).contains($0) }, "\(times)")
    }

    @Test func `a limit past the time limit fails at once, in the CA's words, with the time to come back`() throws {
        try withHostileServer { world, proxy in
            let fault = #"""
                [{"on": "newOrder", "play": "answer", "status": 429, "headers": {"Retry-After": "3600"}, "json":
                {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many new orders recently"}}]
                """#
            let time = try seconds {
                let answer = try world.renewalFails(
                    fault, saying: "rateLimited: too many new orders recently", "the CA asks to wait until", orders: 1)
                let retry = try #require(answer.all("certificates", "retry_at").first?.string)
                #expect(answer.msg.contains(retry))
            }
            #expect(time < 15)
            #expect(try proxy.requests("newOrder").filter { $0.status == 429 }.count == 1)
        }
    }

    @Test func `a limit that was told once is kept to by the next run without asking`() throws {
        try withHostileServer { world, proxy in
            let problem = #"{"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many"}"#
            let entry = #""play": "answer", "status": 429, "headers": {"Retry-After": "3600"}, "json": \#(problem)"#
            try proxy.play(#"[{"on": "newOrder", \#(entry)}]"#)
            let options = world.options(["web": ["a.example.org"]])
            let first = try world.request(options)
            let retry = try #require(first.all("certificates", "retry_at").first?.string)
            let count = try proxy.requests().count
            let second = try world.request(options)
            #expect(second.msg.contains("not ordered again before \(retry)"), "\(second.msg)")
            #expect(try proxy.requests().count == count)
            #expect(try world.orders() == 0)
        }
    }

    @Test func `a paused account is asked once, and its page to unpause it is shown`() throws {
        try withHostileServer { world, proxy in
            let page = "https://portal.example/unpause?jwt=abc"
            let fault = #"""
                [{"on": "newOrder", "play": "answer", "status": 429, "times": -1, "json":
                {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "a.example.org is paused. Visit \#(page)"}}]
                """#
            try world.renewalFails(fault, saying: "rateLimited", page, orders: 1)
            #expect(try proxy.requests("newOrder").filter { $0.status == 429 }.count == 1)
        }
    }

    @Test func `a paused account's page to unpause it is shown by the runs that do not ask any more, too`() throws {
        try withHostileServer { world, proxy in
            let page = "https://portal.example/unpause?jwt=abc"
            try proxy.play(
                #"""
                [{"on": "newOrder", "play": "answer", "status": 429, "times": -1, "json":
                {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "a.example.org is paused. Visit \#(page)"}}]
                """#)
            let options = world.options(["web": ["a.example.org"]])
            for _ in 1...2 { #expect(try world.request(options).msg.contains(page)) }
            #expect(try proxy.requests("newOrder").count == 1)
        }
    }

    /// What the CA says before there is an account: to the request for one, or for a nonce to sign it with.
    @Test(arguments: [("newAccount", 429), ("newAccount", 503), ("nonce", 429), ("nonce", 503), ("directory", 503)])
    func `a CA that asks to be left alone before there is an account is, by the next runs of all certificates`(
        kind: String, status: Int
    ) throws {
        try withHostileServer { world, proxy in
            let fault = #""play": "answer", "status": \#(status), "headers": {"Retry-After": "3600"}"#
            try proxy.play(#"[{"on": "\#(kind)", \#(fault), "times": -1}]"#)
            let certs = ["web": ["a.example.org"], "api": ["b.example.org"]]
            let first = try world.request(world.options(certs))
            #expect(first.failed)
            let retries = first.all("certificates", "retry_at").compactMap(\.string)
            #expect(retries.count == 2 && Set(retries).count == 1, "\(first.text)")
            let count = try proxy.requests().count
            let second = try world.request(world.options(certs))
            #expect(second.all("certificates", "retry_at").compactMap(\.string) == retries)
            #expect(second.msg.contains("not ordered again before \(retries.first ?? "")"), "\(second.msg)")
            #expect(try proxy.requests().count == count)
            try proxy.playNothing()
            try world.issue(world.options(certs, ["force": true]))
        }
    }

    @Test func `a limit that keeps a lost account from being made anew is kept to as well`() throws {
        try withHostileServer { world, proxy in
            let options = world.options(["web": ["a.example.org"]], ["force": true])
            try world.issue(options)
            let unknown = #"{"type": "urn:ietf:params:acme:error:accountDoesNotExist", "detail": "who?"}"#
            let limit = #"{"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many accounts"}"#
            try proxy.play(
                #"""
                [{"on": "newOrder", "play": "answer", "status": 400, "json": \#(unknown)}, {"on": "newAccount",
                "play": "answer", "status": 429, "headers": {"Retry-After": "3600"}, "json": \#(limit)}]
                """#)
            let answer = try world.request(options)
            #expect(answer.msg.contains("too many accounts"), "\(answer.msg)")
            #expect(answer.all("certificates", "retry_at").first?.string != nil)
        }
    }

    @Test func `a limit on finalizations is kept to by acme_finalize alone, until force is set with either module`()
        throws
    {
        try withHostileServer { world, proxy in
            let fault = #"""
                [{"on": "finalize", "play": "answer", "status": 429, "headers": {"Retry-After": "3600"}}]
                """#
            try proxy.play(fault)
            let options = world.options(["web": ["a.example.org"]])
            let forced = world.options(["web": ["a.example.org"]], ["force": true])
            try world.publish(try world.request(options))
            let first = try world.finalize(options)
            let retry = try #require(first.all("certificates", "retry_at").first?.string)
            let count = try proxy.requests().count
            for isDry in [true, false] {
                let again = world.options(["web": ["a.example.org"]], ["_ansible_check_mode": .bool(isDry)])
                let second = try world.finalize(again)
                #expect(second.msg.contains("not finalized again before \(retry)"), "\(second.msg)")
                #expect(second.all("certificates", "retry_at") == [.string(retry)])
                #expect(try world.request(again).msg.contains("not ordered again before \(retry)"))
            }
            #expect(try proxy.requests().count == count)
            try proxy.play(fault)
            #expect(try world.finalize(forced).failed)
            #expect(try world.finalize(options).failed)
            #expect(try !world.request(forced).failed)
            #expect(try world.finalize(options)["updated"] == ["web"])
            #expect(try proxy.orders() == 1)
        }
    }

    @Test func `an outage of one step ends with the time limit, and the next run takes up what there is`() throws {
        try withHostileServer { world, _ in
            let fault = #"[{"on": "finalize", "play": "answer", "status": 503, "times": -1}]"#
            let time = try seconds {
                try world.renewalFails(
                    fault, saying: "cannot finalize the order for a.example.org", "status 503", orders: 1, timeout: 5)
            }
            #expect(time < 15)
        }
    }

    @Test func `a CA that sends a byte a second does not hold a run beyond its time limit, and costs no order more`()
        throws
    {
        let kinds = ["directory", "newOrder", "authorization", "finalize", "certificate"]
        let times = try atOnce(kinds) { kind in
            try withHostileServer { world, proxy in
                try proxy.play(#"[{"on": "\#(kind)", "play": "slow", "pause": 1, "times": -1}]"#)
                let options = world.options(["web": ["a.example.org"]], ["timeout": 3])
                let time = try seconds {
                    let answer = try world.request(options)
                    if !answer.failed { try world.publish(answer) }
                    guard try answer.failed || world.finalize(options).failed else { throw Unexpected(kind) }
                }
                try proxy.playNothing()
                try world.issueAnyway(orders: kind == "newOrder" ? 2 : 1)
                return time
            }
        }
        // Two modules, three seconds each, five hosts on whatever cores there are.
        #expect(times.allSatisfy { $0 < 12 }, "\(times)")
    }

    @Test func `an outage before the account is there leaves nothing that stops the next run`() throws {
        try withHostileServer { world, proxy in
            try proxy.play(#"{"play": "answer", "status": 503, "times": -1}"#, on: ["newAccount"])
            let answer = try world.request(world.options(["web": ["a.example.org"]], ["timeout": 3]))
            #expect(answer.failed)
            #expect(answer.msg.contains("cannot open an account at"), "\(answer.msg)")
            try proxy.playNothing()
            try world.issueAnyway()
        }
    }
}
