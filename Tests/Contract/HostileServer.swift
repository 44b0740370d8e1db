import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// Every kind of request that a first certificate takes, in their order.
let everyKind = [
    "directory", "nonce", "newAccount", "newOrder", "authorization", "challenge", "order", "finalize", "certificate",
]

/// A host of its own, and a real CA behind a proxy that plays faults.
@discardableResult
func withHostileServer<Result>(
    _ options: PebbleServer.Options = .init(), _ body: (World, FaultProxy) throws -> Result
) throws -> Result {
    try withTemporaryDirectory { directory in
        let world = try World(directory, options, hasProxy: true)
        let proxy = try #require(world.proxy)
        defer {
            proxy.stop()
            world.server.stop()
        }
        return try body(world, proxy)
    }
}

extension FaultProxy {
    /// The same for each of these kinds of request: `fault` is a JSON object without `on`.
    func play(_ fault: String, on kinds: [String]) throws {
        let entries = kinds.map { #"{"on": "\#($0)", "# + fault.dropFirst() }
        try play("[" + entries.joined(separator: ", ") + "]")
    }

    func playNothing() throws { try play("[]") }
}

/// How long `body` took, in seconds.
func seconds(_ body: () throws -> Void) rethrows -> Double {
    let clock = SystemClock()
    let start = clock.uptime
    try body()
    return clock.uptime - start
}

/// What a test that runs beside others in a thread did not expect.
struct Unexpected: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension World {
    /// A first certificate in spite of these faults, with exactly so many orders at the CA.
    func issueDespite(_ faults: String, orders: Int = 1, at location: SourceLocation = #_sourceLocation) throws {
        try proxy?.play(faults)
        try issueAnyway(orders: orders, at: location)
    }

    func issueAnyway(orders: Int = 1, at location: SourceLocation = #_sourceLocation) throws {
        let answer = try issue(options(["web": ["a.example.org"]]), at: location)
        #expect(answer["updated"] == ["web"], sourceLocation: location)
        try verify("a.example.org", at: location)
        #expect(try proxy?.orders() == orders, sourceLocation: location)
    }

    /// Renews a certificate while the CA plays these faults. It fails, saying so, and changes nothing that is
    /// installed; the run after the faults succeeds, with so many orders in both.
    @discardableResult
    func renewalFails(
        _ faults: String, saying words: String..., orders: Int, timeout: Int = 20,
        at location: SourceLocation = #_sourceLocation
    ) throws -> RealProgram.Answer {
        try proxy?.playNothing()
        try issue(options(["web": ["a.example.org"]]), at: location)
        try server.clearTXT("_acme-challenge.a.example.org")
        let before = try listing(directory + "/certs")
        let ordered = try #require(try proxy?.orders())
        try proxy?.play(faults)
        let forced = options(["web": ["a.example.org"]], ["force": true, "timeout": .integer(timeout)])
        var answer = try request(forced, at: location)
        if !answer.failed {
            try publish(answer)
            answer = try finalize(forced, at: location)
        }
        #expect(answer.failed, "\(answer.msg)", sourceLocation: location)
        for word in words { #expect(answer.msg.contains(word), "\(answer.msg)", sourceLocation: location) }
        #expect(answer.msg.hasPrefix("certificate web: "), "\(answer.msg)", sourceLocation: location)
        #expect(try listing(directory + "/certs") == before, sourceLocation: location)
        try proxy?.playNothing()
        try issue(forced, at: location)
        try verify("a.example.org", at: location)
        #expect(try proxy?.orders() == ordered + orders, sourceLocation: location)
        return answer
    }
}
