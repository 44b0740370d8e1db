import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// A CA, or a way to it, of whose requests three in ten fail, in any way that there is.
@Suite struct RandomFaultsContract {
    private static let problem = #""type": "urn:ietf:params:acme:error"#
    private static let signed = everyKind.filter { $0 != "directory" && $0 != "nonce" }
    /// Each as a fault of `fault_proxy.py`. What was sent in part looks like a reply there.
    private static let partial = [#"{"play": "half"}"#, #"{"play": "slow", "pause": 0.0003}"#]
    private static let whole = [
        #"{"on": \#(signed), "play": "answer", "status": 400, "json": {\#(problem):badNonce"}}"#,
        #"{"on": \#(signed), "play": "change", "headers": {"Replay-Nonce": null}}"#,
        #"""
        {"on": \#(signed), "play": "answer", "status": 429, "headers": {"Retry-After": "1"},
        "json": {\#(problem):rateLimited", "detail": "too many"}}
        """#,
        #"{"play": "answer", "status": 500, "json": {\#(problem):serverInternal"}}"#,
        #"{"play": "answer", "status": 502, "body": "<html>"}"#, #"{"play": "answer", "status": 504}"#,
        #"{"play": "answer", "status": 503, "headers": {"Retry-After": "1"}}"#,
        #"{"play": "answer", "status": 503, "retry_in": 2}"#,
        #"{"play": "drop"}"#, #"{"play": "lose"}"#,
        #"{"play": "late"}"#, #"{"play": "release"}"#, #"{"play": "huge", "size": 100000000}"#,
    ]

    private func play(_ ways: [String], _ proxy: FaultProxy, reuse: Bool) throws {
        let ways = ways.joined(separator: ", ")
        try proxy.play(#"[{"chance": 30, "seed": 6, "reuse": \#(reuse), "of": [\#(ways)]}]"#)
    }

    private func certificates(_ count: Int) -> [String: [String]] {
        Dictionary(uniqueKeysWithValues: (0..<count).map { ("host\($0)", ["host\($0).example.org"]) })
    }

    /// Runs as an operator's timer does until every certificate is there; returns how many runs that took.
    private func issueAll(_ certs: [String: [String]], _ world: World) throws -> Int {
        let options = world.options(certs, ["timeout": 60])
        for run in 1...20 {
            let requested = try world.request(options)
            try world.publish(requested)
            let finalized = try world.finalize(options)
            let names = try Files.list(world.directory + "/certs")
            if !requested.failed && !finalized.failed && names.count == certs.count { return run }
        }
        throw Unexpected("20 runs were not enough")
    }

    /// The orders that the CA has made beyond one for each certificate.
    private func surplus(_ proxy: FaultProxy) throws -> [FaultProxy.Request] {
        var served: Set<[FaultProxy.Request.Payload.Identifier]?> = []
        return try proxy.requests("newOrder").filter { $0.upstream == 201 }.sorted { $0.heard < $1.heard }
            .filter { !served.insert($0.payload.identifiers).inserted }
    }

    /// What such a CA hears of when the certificate is there already makes one order more, which nobody wants. `EXHAUSTIVE`
    /// (`make kill-test`) takes two hundred certificates.
    @Test func `all certificates are issued in the end, with no more orders, by a CA that hands out pending ones`()
        throws
    {
        try withHostileServer { world, proxy in
            try play(Self.whole + Self.partial, proxy, reuse: true)
            let certs = certificates(isExhaustive ? 200 : 40)
            _ = try issueAll(certs, world)
            let requests = try proxy.requests()
            #expect(requests.filter { $0.status == 0 || $0.status >= 400 }.count > requests.count / 5)
            #expect(!requests.filter(\.late).isEmpty)
            #expect(try surplus(proxy).filter { !$0.late }.isEmpty)
            try world.verify("host39.example.org")
            let settled = try world.request(world.options(certs))
            #expect(!settled.changed && settled["txt_required"] == [])
        }
    }

    @Test func `a CA that does not has one order more for each reply that was lost, and no other`() throws {
        try withHostileServer { world, proxy in
            try play(Self.whole, proxy, reuse: false)
            let certs = certificates(30)
            _ = try issueAll(certs, world)
            let orders = try proxy.requests("newOrder").filter { $0.upstream == 201 }
            #expect(orders.filter { $0.status == 201 }.count == certs.count)
        }
    }
}
