import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// A host that is about to make a run which will break off, put back to that moment for each try.
final class BrokenRun {
    enum Moment: String, CaseIterable, Sendable {
        /// A host that nobody has ever heard of.
        case firstRequest, firstFinalize
        /// The installed certificate lacks a name.
        case request, finalize
        /// The same, beside a second certificate that is there for the first time.
        case finalizeTwo
        /// The installed certificate is kept in every form, and its key stores have another passphrase.
        case passphrase

        var module: String {
            switch self {
            case .firstRequest, .request: "acme_request_tokens"
            case .firstFinalize, .finalize, .finalizeTwo, .passphrase: "acme_finalize"
            }
        }

        fileprivate var isFirst: Bool { self == .firstRequest || self == .firstFinalize }

        fileprivate var hasOrder: Bool { module == "acme_finalize" && self != .passphrase }

        fileprivate var certificates: [String: [String]] {
            let web = ["a.example.org", "b.example.org"]
            return self == .finalizeTwo ? ["web": web, "api": ["c.example.org"]] : ["web": web]
        }
    }

    let world: World
    let options: JSONValue
    private(set) var calls: [SystemCall] = []
    private let moment: Moment
    /// The first name of each certificate.
    private let names: [String]
    /// The files that services read, before, of each certificate; nil where there is none yet.
    private var old: [[[UInt8]?]] = []
    /// What the CA had made before the run that breaks off.
    private var orders = 0
    /// The certificates that the run which had trouble said are new.
    private var told: [JSONValue] = []

    init(_ world: World, _ moment: Moment) throws {
        self.world = world
        self.moment = moment
        let own: [String: JSONValue] = [
            "formats": ["pem", "combined", "pkcs12", "jks", "der"],
            "passphrase_file": .string(world.directory + "/passphrase"),
        ]
        let more = moment == .passphrase ? own : [:]
        options = world.options(moment.certificates, more)
        names = moment.certificates.values.compactMap(\.first).sorted()
        try setPassphrase("a passphrase")
        let installed = moment == .passphrase ? moment.certificates : ["web": ["a.example.org"]]
        if !moment.isFirst { try world.issue(world.options(installed, more)) }
        try setPassphrase("another passphrase")
        let (certs, state) = (world.directory + "/certs", world.directory + "/state")
        try Self.shell(
            #"mkdir -p "$1" "$2"; chmod 700 "$2"; mkdir "$0/before"; cp -a "$1" "$2" "$0/before""#,
            [world.directory, certs, state])
        old = try names.map(served)
        try prepare()
        let ends = names.map { "/\($0)/" + (module == "acme_finalize" ? "current" : "order.json") }
        calls = try SystemCall.trace(module, options, replacing: ends)
    }

    var module: String { moment.module }

    private func setPassphrase(_ text: String) throws {
        try AtomicFile.write(
            Array((text + "\n").utf8), to: world.directory + "/passphrase", access: .own(mode: 0o600))
    }

    private static func shell(_ script: String, _ arguments: [String]) throws {
        let result = try Program.run(["sh", "-euc", script] + arguments)
        guard result.status == 0 else { throw Unexpected("\(result)") }
    }

    /// The files of a certificate as a service reads them, through the links.
    private func served(_ name: String) throws -> [[UInt8]?] {
        let stores = moment == .passphrase ? ["\(name).p12", "\(name).jks"] : []
        return try (["\(name).key", "\(name).cer", "ca.cer", "fullchain.cer"] + stores).map {
            try Files.read(world.path(name, $0))
        }
    }

    /// The moment before the run that breaks off.
    func prepare() throws {
        try Self.shell(#"rm -rf "$0/certs" "$0/state"; cp -a "$0/before/." "$0""#, [world.directory])
        for name in moment.certificates.values.joined() { try world.server.clearTXT("_acme-challenge." + name) }
        if moment.hasOrder { try world.publish(try world.request(options)) }
        orders = try world.orders()
        told = []
    }

    /// Services have one whole certificate at every moment: the old one, or the new one with its key.
    func expectOldOrNew(after call: SystemCall) throws {
        for (name, old) in zip(names, old) {
            let now = try served(name)
            guard now != old else { continue }
            #expect(module == "acme_finalize", "\(call)")
            try expectNew(name, after: call)
        }
    }

    private func expectNew(_ name: String, after call: SystemCall) throws {
        try world.verify(name)
        guard moment == .passphrase else { return }
        let (before, now) = (old[0].suffix(2), try served(name).suffix(2))
        #expect(zip(before, now).allSatisfy { $0 != $1 }, "\(call): one of the stores is still the old one")
        let store = world.path(name, name + ".p12")
        let opened = try Program.run([
            "openssl", "pkcs12", "-in", store, "-noout", "-passin", "file:\(world.directory)/passphrase",
        ])
        #expect(opened.status == 0, "\(call): \(opened)")
    }

    /// Takes note of what a run with trouble has told.
    func hear(_ answer: RealProgram.Answer) { told = answer["updated"]?.array ?? [] }

    /// The same of one that was ended, perhaps before it said anything.
    func hear(_ words: [UInt8]) { told = JSONValue.parse(words)?["updated"]?.array ?? [] }

    /// A run that got over its trouble has done all that it says.
    func expectDone(_ answer: RealProgram.Answer, after call: SystemCall) throws {
        if module == "acme_finalize" {
            #expect(answer["updated"] == .strings(moment.certificates.keys.sorted()), "\(call): \(answer.msg)")
            for (name, old) in zip(names, old) { #expect(try served(name) != old, "\(call): \(answer.msg)") }
        } else {
            #expect(answer["txt_required"] != [], "\(call): \(answer.msg)")
            #expect(try hasOrder, "\(call): \(answer.msg)")
        }
    }

    private var hasOrder: Bool {
        get throws { try listing(world.directory + "/state").contains { $0.contains("/order.json ") } }
    }

    /// The next run does what is left, with the order that there is, and leaves nothing lying about.
    func expectNextToEnd(after call: SystemCall) throws {
        let areInPlace = try zip(names, old).map { try served($0) != $1 }
        let isKnown = try areInPlace[0] || hasOrder
        let requested = try world.request(options)
        #expect(!requested.failed, "\(call): \(requested.msg)")
        try world.publish(requested)
        let finalized = try world.finalize(options)
        #expect(!finalized.failed, "\(call): \(finalized.msg)")
        let heard = Set((told + (finalized["updated"]?.array ?? [])).compactMap(\.string))
        #expect(heard == Set(moment.certificates.keys), "\(call): \(finalized.msg)")
        for name in names { try expectNew(name, after: call) }
        #expect(try !world.request(options).changed, "\(call)")
        #expect(try !world.finalize(options).changed, "\(call)")
        // Of an order that is not on disk yet nobody can know, and the CA may have made it.
        let made = try world.orders() - orders
        #expect(made <= (module == "acme_finalize" ? 0 : isKnown ? 1 : 2), "\(call): \(made) orders")
        for (number, name) in names.enumerated() { try expectVersions(name, old[number], areInPlace[number], call) }
        try expectTidiness(after: call)
    }

    private func expectVersions(_ name: String, _ old: [[UInt8]?], _ wasInPlace: Bool, _ call: SystemCall) throws {
        let versions = "\(world.directory)/certs/\(name)/versions"
        let numbers = try Files.list(versions).compactMap { Int($0) }.sorted()
        #expect(numbers.count <= 2, "\(call): \(numbers)")
        guard let certificate = old[1], !wasInPlace else { return }
        let before = try Files.read("\(versions)/\(numbers[0])/\(name).cer")
        #expect(before == certificate, "\(call): what was served before is not kept")
    }

    private func leftovers() throws -> [String] {
        let all = try listing(world.directory + "/certs") + listing(world.directory + "/state")
        return all.filter { $0.contains("/.new-") || $0.contains("/order.json ") || $0.contains("/private.key ") }
    }

    private func expectTidiness(after call: SystemCall) throws {
        guard try !leftovers().isEmpty else { return }
        // Where nothing is left to do, nobody takes the lock; the next renewal does.
        let forced = (options.object ?? [:]).merging(["force": true]) { $1 }
        try world.issue(.object(forced))
        let left = try leftovers()
        #expect(left == [], "\(call)")
    }
}
