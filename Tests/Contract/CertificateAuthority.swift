import AnsibleModule
import Dispatch
import Foundation
import Platform
import Synchronization
import TestSupport
import Testing

/// A host with certificates to get, a real ACME server, and the way between the two modules: TXT records.
final class World {
    let server: PebbleServer
    /// What stands in front of the server, where anything does.
    let proxy: FaultProxy?
    /// Where the host's certificates and state are.
    let directory: String

    init(_ directory: String, _ options: PebbleServer.Options = .init(), hasProxy: Bool = false) throws {
        self.directory = directory
        server = try PebbleServer(options)
        guard hasProxy else {
            proxy = nil
            return
        }
        try Files.makeDirectory(directory + "/proxy", access: .own(mode: 0o700))
        proxy = try FaultProxy(before: server, directory + "/proxy")
    }

    /// Another host at the same server.
    init(_ directory: String, beside other: World) {
        self.directory = directory
        server = other.server
        proxy = other.proxy
    }

    /// Options of both modules for these certificates.
    func options(_ certs: [String: [String]], _ more: [String: JSONValue] = [:]) -> JSONValue {
        var all: [String: JSONValue] = [
            "certs": .object(certs.mapValues { .strings($0) }),
            "acme_directory": .string(proxy?.directoryURL ?? server.directoryURL),
            "ca_path": .string(server.caBundle), "terms_agreed": true, "timeout": 120,
        ]
        all.merge(more) { $1 }
        return hermetic(directory, all)
    }

    func request(_ options: JSONValue, at location: SourceLocation = #_sourceLocation) throws -> RealProgram.Answer {
        try RealProgram.call("acme_request_tokens", options, at: location)
    }

    func finalize(_ options: JSONValue, at location: SourceLocation = #_sourceLocation) throws -> RealProgram.Answer {
        try RealProgram.call("acme_finalize", options, at: location)
    }

    /// Lets the server see the tokens of a request.
    func publish(_ answer: RealProgram.Answer) throws {
        let records = (answer["txt_required"]?.array ?? []).map { record in
            (name: record["target"]?.string ?? "", value: record["value"]?.string ?? "")
        }
        if !records.isEmpty { try server.addTXT(records) }
    }

    /// Request, publication, finalization; returns the last answer.
    @discardableResult
    func issue(_ options: JSONValue, at location: SourceLocation = #_sourceLocation) throws -> RealProgram.Answer {
        let requested = try request(options, at: location)
        #expect(!requested.failed, "\(requested.msg)", sourceLocation: location)
        try publish(requested)
        let finalized = try finalize(options, at: location)
        #expect(!finalized.failed, "\(finalized.msg)", sourceLocation: location)
        return finalized
    }

    func path(_ name: String, _ file: String) -> String { "\(directory)/certs/\(name)/\(file)" }

    /// Fails where the files of a certificate do not lead to the server's root or do not belong to the key.
    func verify(_ name: String, at location: SourceLocation = #_sourceLocation) throws {
        let root = directory + "/root.pem"
        try AtomicFile.write(Array(try server.root().utf8), to: root, access: .own(mode: 0o600))
        let leaf = path(name, name + ".cer")
        let chain = try Program.run(["openssl", "verify", "-CAfile", root, "-untrusted", path(name, "ca.cer"), leaf])
        #expect(chain.status == 0, "\(chain)", sourceLocation: location)
        let fromLeaf = try Program.run(["openssl", "x509", "-pubkey", "-noout", "-in", leaf]).stdout
        let fromKey = try Program.run(["openssl", "pkey", "-pubout", "-in", path(name, name + ".key")]).stdout
        #expect(fromLeaf == fromKey, sourceLocation: location)
        let key = try #require(try Files.status(path(name, "current/" + name + ".key")), sourceLocation: location)
        #expect(key.access.mode == 0o640, sourceLocation: location)
    }

    /// How many orders the server was asked for.
    func orders() throws -> Int {
        try server.log().components(separatedBy: "POST /order-plz").count - 1
    }
}

/// Runs `body` with a server and an empty host.
func withWorld<Result>(_ options: PebbleServer.Options = .init(), _ body: (World) throws -> Result) throws -> Result {
    try withTemporaryDirectory { directory in
        let world = try World(directory, options)
        defer { world.server.stop() }
        return try body(world)
    }
}

/// The answers of calls that run at the same time, each in a thread of its own, in the order of their arguments.
func atOnce<Argument: Sendable, Answer: Sendable>(
    _ arguments: [Argument], _ call: @escaping @Sendable (Argument) throws -> Answer
) throws -> [Answer] {
    let answers = Mutex<[Int: Result<Answer, any Error>]>([:])
    let group = DispatchGroup()
    for (index, argument) in arguments.enumerated() {
        group.enter()
        Thread {
            let answer = Result { try call(argument) }
            answers.withLock { $0[index] = answer }
            group.leave()
        }.start()
    }
    group.wait()
    return try answers.withLock { $0 }.sorted { $0.key < $1.key }.map { try $0.value.get() }
}
