import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// A CA that answers, but not what RFC 8555 says: one clear sentence, the old files untouched, and the next run succeeds.
@Suite struct HostileRepliesContract {
    private static func change(_ kind: String, _ fault: String, skip: Int = 0) -> String {
        #"[{"on": "\#(kind)", "play": "change", "skip": \#(skip), \#(fault)}]"#
    }

    private static let badOrders = [
        (#""remove": ["finalize"]"#, "'finalize' is missing"),
        (#""set": {"status": 5}"#, "'status' has the wrong type"),
        (#""set": {"status": "odd"}"#, "'status' has an unknown value"), (#""body": "[]""#, "it is no JSON object"),
        (#""body": "<html>""#, "it is no JSON"),
        (#""headers": {"Content-Type": "text/html"}"#, "text/html instead of application/json"),
        (#""headers": {"Location": null}"#, "lacks the Location of what it made"),
    ]

    @Test func `a new order that is none is told by what is wrong with it`() throws {
        try withHostileServer { world, _ in
            for (fault, words) in Self.badOrders {
                let purpose = "cannot order a certificate for a.example.org: "
                try world.renewalFails(Self.change("newOrder", fault), saying: purpose, words, orders: 2)
            }
        }
    }

    @Test func `an order for other names is not taken for ours`() throws {
        try withHostileServer { world, _ in
            try world.renewalFails(
                Self.change("newOrder", #""set": {"identifiers.0.value": "evil.example"}"#),
                saying: "the CA's order is for evil.example", orders: 2)
        }
    }

    @Test func `an authorization for another name brings no TXT record for it`() throws {
        try withHostileServer { world, _ in
            let answer = try world.renewalFails(
                Self.change("authorization", #""set": {"identifier.value": "evil.example"}"#),
                saying: "the CA's authorization is for evil.example", orders: 2)
            #expect(answer["txt_required"] == [])
        }
    }

    private static let badAuthorizations = [
        (#""set": {"status": "odd"}"#, "'status' has an unknown value"),
        (#""remove": ["identifier"]"#, "'identifier' is missing"),
        (#""set": {"challenges": []}"#, "the CA offers no dns-01 challenge"),
        (#""set": {"challenges": [\#(oddChallenges[0])]}"#, "no dns-01 challenge for it, only: dns-persist-01"),
    ]

    @Test func `an authorization that is none is told by what is wrong with it`() throws {
        try withHostileServer { world, _ in
            for (fault, words) in Self.badAuthorizations {
                let isLost = words.contains("dns-01")
                try world.renewalFails(Self.change("authorization", fault), saying: words, orders: isLost ? 2 : 1)
            }
        }
    }

    /// Challenges that the CA offers before its own.
    private static let oddChallenges = [
        #"{"type": "dns-persist-01", "url": "{origin}/chalZ/persist", "status": "pending", "token": "b2Rk"}"#,
        #"{"type": "dns-01", "url": "{origin}/chalZ/tokenless", "status": "pending"}"#,
        #"{"type": "dns-01", "url": 5, "token": "b2Rk"}"#, #"{"type": 5}"#,
    ]

    @Test func `challenges that nobody knows, and ones without a token, are passed over`() throws {
        try withHostileServer { world, proxy in
            let insert = Self.oddChallenges.map { #""challenges.0": \#($0)"# }
            let faults = insert.map { #"{"on": "authorization", "play": "change", "insert": {\#($0)}}"# }
            // Of the four names' authorizations each begins with another odd one.
            try proxy.play("[" + faults.joined(separator: ", ") + "]")
            let names = ["a.example.org", "b.example.org", "c.example.org", "d.example.org"]
            #expect(try world.issue(world.options(["web": names]))["updated"] == ["web"])
            let answered = try proxy.requests("challenge").map(\.path)
            #expect(Set(answered).count == 4)
            #expect(!answered.contains { $0.hasSuffix("persist") || $0.hasSuffix("tokenless") }, "\(answered)")
        }
    }

    @Test func `a reply about an order that is none does not lose the order`() throws {
        try withHostileServer { world, _ in
            for kind in ["order", "finalize"] {
                try world.renewalFails(
                    Self.change(kind, #""remove": ["status"]"#), saying: "'status' is missing", orders: 1)
            }
        }
    }

    private static let badCertificates = [
        (#""headers": {"Content-Type": "text/html"}"#, "text/html instead of application/pem-certificate-chain"),
        (#""body": "nothing""#, "holds no certificate"), (#""status": 404, "body": "{}""#, "status 404"),
    ]

    @Test func `a certificate that is none does not lose the order`() throws {
        try withHostileServer { world, _ in
            for (fault, words) in Self.badCertificates {
                try world.renewalFails(
                    #"[{"on": "certificate", "play": "change", "times": 9, \#(fault)}]"#,
                    saying: "cannot download the certificate for a.example.org", words, orders: 1)
            }
        }
    }

    @Test func `a certificate for another key is never installed, nor ordered again and again`() throws {
        try withHostileServer { world, proxy in
            let pem = try self.certificate(for: "a.example.org", in: world)
            try world.renewalFails(
                #"[{"on": "certificate", "play": "change", "times": -1, "body": \#(pem)}]"#,
                saying: "belongs to another private key", orders: 2)
        }
    }

    /// One of our own, as a JSON string.
    private func certificate(for name: String, in world: World) throws -> String {
        let result = try Program.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "9", "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name)", "-keyout", "/dev/null",
        ])
        return JSONValue.string(result.stdout).rendered
    }

    @Test(arguments: ["directory", "newOrder", "certificate"])
    func `a reply without end is cut off early and said`(kind: String) throws {
        try withHostileServer { world, proxy in
            try proxy.play(#"[{"on": "\#(kind)", "play": "huge", "size": 100000000, "times": -1}]"#)
            let options = world.options(["web": ["a.example.org"]])
            var answer = try world.request(options)
            if !answer.failed {
                try world.publish(answer)
                answer = try world.finalize(options)
            }
            #expect(answer.failed)
            #expect(answer.msg.contains("the answer is larger than this client reads"), "\(answer.msg)")
            let poured = try proxy.requests(kind)
            #expect(poured.count == 1)
            #expect(poured.allSatisfy { $0.sent < 10_000_000 }, "\(poured)")
            try proxy.playNothing()
            try world.issueAnyway()
        }
    }

    private static let badDirectories = [
        (#""remove": ["newOrder"]"#, "'newOrder' is missing"),
        (#""set": {"newNonce": 5}"#, "'newNonce' has the wrong type"),
        (#""body": "<html>""#, "it is no JSON"), (#""headers": {"Content-Type": "text/html"}"#, "text/html instead of"),
    ]

    @Test func `a directory that is none is told by what is wrong with it`() throws {
        try withHostileServer { world, proxy in
            for (fault, words) in Self.badDirectories {
                try proxy.play(Self.change("directory", fault))
                let answer = try world.request(world.options(["web": ["a.example.org"]]))
                #expect(answer.failed)
                #expect(answer.msg.contains("cannot read the CA's directory"), "\(answer.msg)")
                #expect(answer.msg.contains(words), "\(answer.msg)")
            }
            try world.issueAnyway()
        }
    }

    @Test func `nonces that are withheld are fetched one by one`() throws {
        try withHostileServer { world, proxy in
            let fault = #"{"play": "change", "headers": {"Replay-Nonce": null}, "times": -1}"#
            try proxy.play(fault, on: everyKind.filter { $0 != "nonce" && $0 != "directory" })
            try world.issueAnyway()
        }
    }

    @Test func `a CA that gives out no nonces at all is waited for, and then said`() throws {
        try withHostileServer { world, proxy in
            let fault = #"{"play": "change", "headers": {"Replay-Nonce": null}, "times": -1}"#
            try proxy.play(fault, on: everyKind)
            let time = try seconds {
                let answer = try world.request(world.options(["web": ["a.example.org"]], ["timeout": 3]))
                #expect(answer.failed)
                #expect(answer.msg.contains("nonce"), "\(answer.msg)")
            }
            #expect(time < 8)
            try proxy.playNothing()
            try world.issueAnyway()
        }
    }

    @Test func `nonces that are always bad for a while are got over`() throws {
        try withHostileServer { world, proxy in
            let fault = #"{"play": "change", "headers": {"Replay-Nonce": "c3RhbGU"}, "times": 6}"#
            try proxy.play(fault, on: everyKind.filter { $0 != "directory" })
            try world.issueAnyway()
        }
    }
}
