import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// Orders that go another way than Pebble's do: what Let's Encrypt and newer servers add, and what was seen in production.
@Suite struct OrderCourseContract {
    /// The directory of a CA that has renewal information.
    static let ari = #"""
        {"on": "directory", "play": "change", "times": -1, "set": {"renewalInfo": "{origin}/renewal-info"}}
        """#

    /// What such a CA says of every certificate.
    static func window(_ start: String, _ end: String) -> String {
        #"""
        {"on": "renewalInfo", "play": "answer", "status": 200, "times": -1, "headers": {"Retry-After": "21600"}, "json":
        {"suggestedWindow": {"start": "\#(start)", "end": "\#(end)"}, "explanationURL": "https://ca.example/why"}}
        """#
    }

    @Test func `what was made a moment ago and is not found yet is asked for again`() throws {
        try withHostileServer { world, proxy in
            let fault = #"{"play": "answer", "status": 404, "times": 2}"#
            try proxy.play(fault, on: ["authorization", "order", "certificate"])
            try world.issueAnyway()
        }
    }

    @Test func `an order that is long in the making is waited for, and a finalization needs no Location`() throws {
        try withHostileServer { world, _ in
            let processing = #""play": "change", "remove": ["certificate"]"#
            let faults = #"""
                [{"on": "finalize", \#(processing), "set": {"status": "processing"}, "headers": {"Location": null}},
                {"on": "order", \#(processing), "skip": 2, "set": {"status": "processing"}, "times": 3,
                 "headers": {"Retry-After": "1"}}]
                """#
            let time = try seconds { try world.issueDespite(faults) }
            #expect(time < 20)
        }
    }

    @Test func `an order that is in the making for ever ends with the time limit, and the next run takes it up`() throws
    {
        try withHostileServer { world, _ in
            let processing =
                #""play": "change", "remove": ["certificate"], "set": {"status": "processing"}, "times": -1"#
            let time = try seconds {
                try world.renewalFails(
                    #"[{"on": "finalize", \#(processing)}, {"on": "order", \#(processing)}]"#,
                    saying: "issued", "the time limit is reached", orders: 1, timeout: 4)
            }
            #expect(time < 15)
        }
    }

    @Test func `the chain that is wished for is found among the alternates`() throws {
        var options = PebbleServer.Options()
        options.alternateRoots = 2
        try withHostileServer(options) { world, _ in
            let file = world.directory + "/alternate.pem"
            try AtomicFile.write(Array(try world.server.root(2).utf8), to: file, access: .own(mode: 0o600))
            let subject = try Program.run([
                "openssl", "x509", "-noout", "-subject", "-nameopt", "multiline", "-in", file,
            ])
            let name = try #require(subject.stdout.split(separator: "=").last).trimmingCharacters(
                in: .whitespacesAndNewlines)
            let certs = ["web": ["a.example.org"]]
            let answer = try world.issue(world.options(certs, ["preferred_chain": .string(name)]))
            #expect(answer["warnings"] == [])
            let leaf = world.path("a.example.org", "a.example.org.cer")
            let chain = world.path("a.example.org", "ca.cer")
            let check = try Program.run(["openssl", "verify", "-CAfile", file, "-untrusted", chain, leaf])
            #expect(check.status == 0, "\(check)")
        }
    }

    @Test func `renewal information brings a renewal that says what it replaces, and one that is refused goes without`()
        throws
    {
        try withHostileServer { world, proxy in
            try proxy.play("[\(Self.ari), \(Self.window("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"))]")
            let options = world.options(["web": ["a.example.org"]])
            try world.issue(options)
            let problem = #"{"type": "urn:ietf:params:acme:error:alreadyReplaced", "detail": "replaced before"}"#
            let refusal = #"{"on": "newOrder", "play": "answer", "status": 409, "json": \#(problem)}"#
            try proxy.play(
                "[\(Self.ari), \(Self.window("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")), \(refusal)]")
            let renewal = try world.request(options)
            #expect(renewal.all("certificates", "counts_as") == ["renewal"])
            try world.publish(renewal)
            #expect(try world.finalize(options)["updated"] == ["web"])
            let dry = world.options(["web": ["a.example.org"]], ["force": true, "_ansible_check_mode": true])
            #expect(try world.request(dry).all("certificates", "counts_as") == ["replacement"])
            try Files.remove(try #require(try world.accountRecord()))
            #expect(try world.request(dry).all("certificates", "counts_as") == ["renewal"], "it is another account's")
            let replaced = try proxy.requests("newOrder").map(\.payload.replaces)
            #expect(replaced.count == 3)
            #expect(replaced[0] == nil && replaced[1]?.contains(".") == true && replaced[2] == nil, "\(replaced)")
            #expect(try proxy.requests("renewalInfo").allSatisfy { $0.method == "GET" && $0.kid == nil })
        }
    }

    @Test func `renewal information is not asked for again before its time, nor needed`() throws {
        try withHostileServer { world, proxy in
            try proxy.play("[\(Self.ari), \(Self.window("2031-01-01T00:00:00Z", "2031-01-02T00:00:00Z"))]")
            let options = world.options(["web": ["a.example.org"]])
            try world.issue(options)
            let count = try proxy.requests().count
            for _ in 1...3 { #expect(try !world.issue(options).changed) }
            #expect(try proxy.requests().dropFirst(count).map(\.kind) == ["renewalInfo"], "and nothing else either")
        }
    }

    @Test func `a first question about a renewal that fails is not repeated before its time`() throws {
        try withHostileServer { world, proxy in
            let busy = #"""
                {"on": "renewalInfo", "play": "answer", "status": 503, "times": -1, "headers": {"Retry-After": "7200"}}
                """#
            try proxy.play("[\(Self.ari), \(busy)]")
            let options = world.options(["web": ["a.example.org"]])
            try world.issue(options)
            #expect(try world.request(options)["warnings"]?.array?.count == 1)
            for _ in 1...2 { #expect(try world.request(options)["warnings"] == []) }
            #expect(try proxy.requests("renewalInfo").count == 1)
        }
    }

    @Test func `renewal information is asked for where the directory says that it is now`() throws {
        try withHostileServer { world, proxy in
            let window = Self.window("2031-01-01T00:00:00Z", "2031-01-02T00:00:00Z")
            let moved = Self.ari.replacing("/renewal-info", with: "/renewal-info/moved")
            let web = world.options(["web": ["a.example.org"]])
            try proxy.play("[\(Self.ari), \(window)]")
            try world.issue(web)
            // As another certificate's run finds it, an hour or more later.
            try Files.remove(world.accountDirectory() + "/session.json")
            try proxy.play("[\(moved), \(window)]")
            try world.issue(world.options(["api": ["b.example.org"]]))
            let count = try proxy.requests().count
            #expect(try !world.request(web).changed)
            let asked = try proxy.requests().dropFirst(count)
            #expect(asked.map(\.kind) == ["renewalInfo"])
            #expect(asked.first?.path.hasPrefix("/renewal-info/moved/") == true, "\(asked)")
        }
    }

    @Test func `a profile that is offered is sent, and another one costs no order`() throws {
        try withHostileServer { world, proxy in
            let profiles = #""set": {"meta.profiles": {"classic": "90 days", "shortlived": "six days"}}"#
            try proxy.play(#"[{"on": "directory", "play": "change", "times": -1, \#(profiles)}]"#)
            let certs = ["web": ["a.example.org"]]
            let other = try world.request(world.options(certs, ["profile": "tlsserver"]))
            #expect(other.msg.contains("no profile tlsserver; it offers classic, shortlived"), "\(other.msg)")
            try world.issue(world.options(certs, ["profile": "shortlived"]))
            #expect(try proxy.requests("newOrder").map(\.payload.profile) == ["shortlived"])
        }
    }

    @Test func `what a run fails for before it orders is foretold by check mode`() throws {
        var server = PebbleServer.Options()
        server.customers = ["kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"]
        try withWorld(server) { world in
            let binding: JSONValue = ["kid": "kid-1", "key": .optional(server.customers["kid-1"])]
            let wishes: [([String: JSONValue], String)] = [
                (["terms_agreed": false], "terms_agreed"), ([:], "external_account_binding"),
                (["external_account_binding": binding, "profile": "none such"], "no profile none such"),
            ]
            for (wish, words) in wishes {
                let certs = ["web": ["a.example.org"]]
                let real = try world.request(world.options(certs, wish))
                let dry = try world.request(world.options(certs, wish.merging(["_ansible_check_mode": true]) { $1 }))
                #expect(real.failed && real.msg.contains(words), "\(real.msg)")
                #expect(dry.failed && !dry.changed && dry.msg == real.msg, "\(dry.msg)")
            }
            #expect(try world.orders() == 0)
        }
    }

    @Test func `every request names the program, and every signed one has what RFC 8555 wants and no more`() throws {
        try withHostileServer { world, proxy in
            try world.issueAnyway()
            let requests = try proxy.requests()
            #expect(Set(requests.map(\.method)) == ["GET", "HEAD", "POST"])
            #expect(requests.allSatisfy { $0.agent?.hasPrefix("acme-modules/") == true })
            let origin = world.options([:])["acme_directory"]?.string?.dropLast(4) ?? ""
            for request in requests where request.method == "POST" {
                #expect(request.type == "application/jose+json")
                #expect(request.url == origin + request.path)
                let identity =
                    request.kind == "newAccount" ? ["alg", "jwk", "nonce", "url"] : ["alg", "kid", "nonce", "url"]
                #expect(request.members == identity, "\(request)")
            }
            #expect(requests.filter { $0.method != "POST" }.allSatisfy { $0.members.isEmpty })
        }
    }
}
