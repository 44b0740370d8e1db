import AnsibleModule
import Platform
import TestSupport
import Testing

/// Renewal information, as `acme_request_tokens` tells of it and does without it.
@Suite struct RenewalInquiryContract {
    @Test func `the CA's page about its suggestion is shown, before a renewal and when it is due`() throws {
        try withHostileServer { world, proxy in
            let later = OrderCourseContract.window("2031-01-01T00:00:00Z", "2031-01-02T00:00:00Z")
            let now = OrderCourseContract.window("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")
            for (name, window, isDue, words) in [
                ("later", later, false, "suggestion to be renewed on"), ("now", now, true, "suggests to renew it"),
            ] {
                try proxy.play("[\(OrderCourseContract.ari), \(window)]")
                let options = world.options([name: ["\(name).example.org"]])
                try world.issue(options)
                try world.server.clearTXT("_acme-challenge.\(name).example.org")
                let told = try world.request(options)
                let reason = told.all("certificates", "reason").first?.string ?? ""
                #expect(reason.contains(words), "\(reason)")
                #expect(reason.hasSuffix(" (https://ca.example/why)"), "\(reason)")
                #expect((told.all("certificates", "action") == ["none"]) == !isDue)
            }
        }
    }

    @Test func `check mode asks nobody, and both modules go by what the authority suggested last`() throws {
        try withHostileServer { world, proxy in
            let now = OrderCourseContract.window("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")
            try proxy.play("[\(OrderCourseContract.ari), \(now)]")
            let certs = ["web": ["a.example.org"]]
            try world.issue(world.options(certs))
            for isSuggested in [false, true] {
                if isSuggested {
                    #expect(try world.request(world.options(certs)).changed)
                    _ = try Program.run(["rm", "-r", world.directory + "/state/orders"])
                }
                let (files, requests) = (try listing(world.directory + "/state"), try proxy.requests().count)
                let dry = world.options(certs, ["_ansible_check_mode": true])
                #expect(try world.request(dry).changed == isSuggested)
                #expect(try world.finalize(dry).changed == isSuggested)
                #expect(try proxy.requests().count == requests)
                #expect(try listing(world.directory + "/state") == files)
            }
        }
    }

    private static let useless = [
        #""play": "answer", "status": 500"#, #""play": "answer", "status": 503, "headers": {"Retry-After": "60"}"#,
        #""play": "answer", "status": 404"#, #""play": "answer", "status": 200, "body": "<html>""#,
        #""play": "answer", "status": 200, "body": "{}", "headers": {"Content-Type": "text/html"}"#,
        #""play": "answer", "status": 200, "json": {"suggestedWindow": {"start": "soon", "end": "later"}}"#,
        #""play": "drop""#, #""play": "huge", "size": 100000000"#,
    ]

    /// Obtains a fresh certificate and an old one for each number below `count`, from a CA with renewal information.
    private func obtain(_ count: Int, _ world: World, _ proxy: FaultProxy) throws -> [[String: [String]]] {
        let pairs = (0..<count).map { number in
            ["fresh\(number)": ["fresh\(number).example.org"], "old\(number)": ["old\(number).example.org"]]
        }
        try proxy.play("[\(OrderCourseContract.ari)]")
        try world.issue(world.options(pairs.reduce(into: [:]) { $0.merge($1) { $1 } }))
        for number in 0..<count { try world.age("old\(number).example.org") }
        return pairs
    }

    /// Expects that the fresh one is kept and the old one ordered, with a warning for each.
    private func expectDecided(_ answer: RealProgram.Answer, at location: SourceLocation = #_sourceLocation) {
        #expect(!answer.failed, "\(answer.msg)", sourceLocation: location)
        // Whether the old one's name is still authorized is the CA's choice.
        #expect(answer.all("certificates", "action").map { $0 == "none" } == [true, false], sourceLocation: location)
        let reason = answer.all("certificates", "reason").last?.string ?? ""
        #expect(reason.hasPrefix("it expires in 9 days, and is renewed from "), "\(reason)", sourceLocation: location)
        let warnings = (answer["warnings"]?.array ?? []).compactMap(\.string)
        #expect(warnings.count == 2, "\(warnings)", sourceLocation: location)
        for warning in warnings {
            #expect(warning.contains("cannot read the CA's renewal information: "), sourceLocation: location)
            #expect(warning.contains("renewal goes by its lifetime"), "\(warning)", sourceLocation: location)
        }
    }

    @Test func `renewal information that is of no use keeps no renewal back, fails nothing, and is told of`() throws {
        try withHostileServer { world, proxy in
            let pairs = try obtain(Self.useless.count, world, proxy)
            for (pair, fault) in zip(pairs, Self.useless) {
                try proxy.play(#"[{"on": "renewalInfo", \#(fault), "times": -1}]"#)
                let answer = try world.request(world.options(pair))
                expectDecided(answer)
                try world.publish(answer)
            }
            let old = pairs.reduce(into: [:]) { $0.merge($1.filter { $0.key.hasPrefix("old") }) { $1 } }
            let finalized = try world.finalize(world.options(old))
            #expect(finalized["updated"]?.array?.count == Self.useless.count, "\(finalized.msg)")
            try world.verify("old0.example.org")
        }
    }

    @Test func `renewal information that never comes to an end leaves a run the time to renew`() throws {
        try withHostileServer { world, proxy in
            let pair = try obtain(1, world, proxy)[0]
            try proxy.play(#"[{"on": "renewalInfo", "play": "slow", "pause": 1, "times": -1}]"#)
            let time = try seconds { expectDecided(try world.request(world.options(pair, ["timeout": 9]))) }
            #expect((2..<9).contains(time))
        }
    }
}
