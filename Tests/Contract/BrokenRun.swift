import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// A host that is about to make a run which will break off, put back to that moment for each try.
final class BrokenRun {
    enum Moment: String, CaseIterable, Sendable {
        /// A host that nobody has ever heard of.
        case firstRequest
        /// The installed certificate lacks a name.
        case request, finalize
    }

    let world: World
    let module: String
    let options: JSONValue
    private(set) var calls: [SystemCall] = []
    private let moment: Moment
    /// The files that services read, before; none where there is no certificate yet.
    private let old: [[UInt8]?]
    /// What the CA had made before the run that breaks off.
    private var orders = 0
    /// Whether the run that had trouble said that the certificate is new.
    private var isTold = false

    init(_ world: World, _ moment: Moment) throws {
        self.world = world
        self.moment = moment
        module = moment == .finalize ? "acme_finalize" : "acme_request_tokens"
        options = world.options(["web": Self.names])
        if moment != .firstRequest { try world.issue(world.options(["web": ["a.example.org"]])) }
        let (certs, state) = (world.directory + "/certs", world.directory + "/state")
        try Self.shell(
            #"mkdir -p "$1" "$2"; chmod 700 "$2"; mkdir "$0/before"; cp -a "$1" "$2" "$0/before""#,
            [world.directory, certs, state])
        old = try Self.served(world)
        try prepare()
        calls = try SystemCall.trace(module, options).calls
    }

    private static let names = ["a.example.org", "b.example.org"]

    private static func shell(_ script: String, _ arguments: [String]) throws {
        let result = try Program.run(["sh", "-euc", script] + arguments)
        guard result.status == 0 else { throw Unexpected("\(result)") }
    }

    /// The files of the certificate as a service reads them, through the links.
    private static func served(_ world: World) throws -> [[UInt8]?] {
        try ["a.example.org.key", "a.example.org.cer", "ca.cer", "fullchain.cer"].map {
            try Files.read(world.path("a.example.org", $0))
        }
    }

    /// The moment before the run that breaks off.
    func prepare() throws {
        try Self.shell(#"rm -rf "$0/certs" "$0/state"; cp -a "$0/before/." "$0""#, [world.directory])
        for name in Self.names { try world.server.clearTXT("_acme-challenge." + name) }
        if moment == .finalize { try world.publish(try world.request(options)) }
        orders = try world.orders()
        isTold = false
    }

    /// Services have one whole certificate at every moment: the old one, or the new one with its key.
    func expectOldOrNew(after call: SystemCall) throws {
        let now = try Self.served(world)
        if now != old { try world.verify("a.example.org") }
        #expect(now == old || moment == .finalize, "\(call)")
    }

    /// A run that got over its trouble has done all that it says.
    func expectDone(_ answer: RealProgram.Answer, after call: SystemCall) throws {
        switch moment {
        case .firstRequest, .request:
            #expect(answer["txt_required"] != [], "\(call): \(answer.msg)")
            #expect(try hasOrder, "\(call): \(answer.msg)")
        case .finalize:
            #expect(answer["updated"] == ["web"], "\(call): \(answer.msg)")
            isTold = true
            #expect(try Self.served(world) != old, "\(call): \(answer.msg)")
        }
    }

    private var hasOrder: Bool {
        get throws { try listing(world.directory + "/state").contains { $0.contains("/order.json ") } }
    }

    /// The next run does what is left, with the order that there is, and leaves nothing lying about.
    func expectNextToEnd(after call: SystemCall) throws {
        let isInPlace = try Self.served(world) != old
        let isKnown = try isInPlace || hasOrder
        let requested = try world.request(options)
        #expect(!requested.failed, "\(call): \(requested.msg)")
        try world.publish(requested)
        let finalized = try world.finalize(options)
        #expect(!finalized.failed, "\(call): \(finalized.msg)")
        #expect(isTold || finalized["updated"] == ["web"], "\(call): \(finalized.msg)")
        try world.verify("a.example.org")
        #expect(try !world.request(options).changed, "\(call)")
        #expect(try !world.finalize(options).changed, "\(call)")
        // Of an order that is not on disk yet nobody can know, and the CA may have made it.
        let made = try world.orders() - orders
        #expect(made <= (moment == .finalize ? 0 : isKnown ? 1 : 2), "\(call): \(made) orders")
        try expectTidiness(after: call, isInPlace)
    }

    private func leftovers() throws -> [String] {
        let all = try listing(world.directory + "/certs") + listing(world.directory + "/state")
        return all.filter { $0.contains("/.new-") || $0.contains("/order.json ") || $0.contains("/private.key ") }
    }

    private func expectTidiness(after call: SystemCall, _ wasInPlace: Bool) throws {
        let place = world.directory + "/certs/a.example.org"
        let versions = try Files.list(place + "/versions").compactMap { Int($0) }.sorted()
        #expect(versions.count <= 2, "\(call): \(versions)")
        if moment != .firstRequest && !wasInPlace {
            let before = try Files.read("\(place)/versions/\(versions[0])/a.example.org.cer")
            #expect(before == old[1], "\(call): what was served before is not kept")
        }
        guard try !leftovers().isEmpty else { return }
        // Where nothing is left to do, nobody takes the lock; the next renewal does.
        try world.issue(world.options(["web": Self.names], ["force": true]))
        let left = try leftovers()
        #expect(left == [], "\(call)")
    }
}
