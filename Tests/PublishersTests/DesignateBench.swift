import AnsibleModule
import DNS
import HTTP
import Names
import Platform
import TestSupport
import Testing

@testable import Publishers

/// The provider `designate` before a stand-in for the service, on a clock that jumps.
struct DesignateBench {
    let server: DesignateServer
    let clock = ManualClock()
    let directory: String

    /// Options that work, with some replaced (null leaves one out).
    func options(_ more: [String: JSONValue] = [:]) -> Options {
        let base: [String: JSONValue] = [
            "auth_url": .string(server.authURL), "username": "acme", "password": .string(DesignateServer.password),
            "project_name": "dns", "ca_path": .string(server.caPath),
        ]
        return Options(base.merging(more) { $1 }, path: "designate")
    }

    func publish(
        _ values: String..., name: String = "web", keep: Int64 = 3600, dryRun: Bool = false,
        options more: [String: JSONValue] = [:]
    ) throws -> Publication {
        let task = PublishingTask(
            zone: try DNSName(DesignateServer.zone), statePath: directory + "/state",
            deadline: Deadline(seconds: 300, clock: clock))
        var options = options(more)
        let publisher = try RecordPublisher<DesignateService>(&options, for: task)
        try options.rejectUnknown()
        let owner = try DNSName("\(name).\(DesignateServer.zone)")
        let records = try values.map { TXTRecord(name: owner, value: try TXTValue($0)) }
        return try publisher.publish(records, keep: keep, dryRun: dryRun)
    }

    /// The sentence that a publication fails with.
    func failure(options more: [String: JSONValue] = [:], _ values: String...) throws -> String {
        let failure = try #require(throws: (any Error).self) {
            for value in values.isEmpty ? ["one"] : values { _ = try publish(value, options: more) }
        }
        for secret in [DesignateServer.password, DesignateServer.applicationSecret, DesignateServer.tokenStart] {
            #expect(!"\(failure)".contains(secret))
        }
        return "\(failure)"
    }

    struct Request {
        let server: String
        let method: String
        let path: String
        let token: String?
    }

    func requests() throws -> [Request] {
        try server.requests().map { line in
            let json = try #require(JSONValue.parse(Array(line.utf8)))
            return Request(
                server: json["server"]?.string ?? "", method: json["method"]?.string ?? "",
                path: json["path"]?.string ?? "", token: json["token"]?.string)
        }
    }

    /// How often the service was written to.
    func writes() throws -> [String] {
        try requests().filter { $0.server == "dns" && $0.method != "GET" }.map(\.method)
    }
}

func withDesignate(_ faults: [String: Int] = [:], _ body: (DesignateBench) throws -> Void) throws {
    try DesignateServer.run(faults) { server in
        try withTemporaryDirectory { try body(DesignateBench(server: server, directory: $0)) }
    }
}
