import AnsibleModule
import DNS
import Names
import Platform
import TestSupport
import Testing

@testable import Publishers

/// The provider `rackspace` in front of the stand-in, with a state and a clock of its own.
struct RackspaceBench {
    static let domain = "example.org"
    /// Lies in the domain.
    static let zone = "acme.example.org"

    let server: RackspaceServer
    let clock = ManualClock()
    let state: String

    /// A call of the module: its own login, and `seconds` for all of it.
    func publisher(
        zone: String = Self.zone, seconds: Double = 300, _ more: [String: JSONValue] = [:]
    ) throws -> RecordPublisher<RackspaceService> {
        let given: [String: JSONValue] = [
            "username": .string(RackspaceServer.username), "api_key": .string(RackspaceServer.apiKey),
            "identity_url": .string(server.identityURL), "ca_path": .string(server.caBundle),
        ]
        var options = Options(given.merging(more) { $1 }, path: "rackspace")
        let task = PublishingTask(
            zone: try DNSName(zone), statePath: state, deadline: Deadline(seconds: seconds, clock: clock))
        let publisher = try RecordPublisher<RackspaceService>(&options, for: task)
        try options.rejectUnknown()
        return publisher
    }

    @discardableResult
    func publish(_ values: String..., dryRun: Bool = false) throws -> Publication {
        try publish(values, by: publisher(), dryRun: dryRun)
    }

    @discardableResult
    func publish(
        _ values: [String], name: String = "web.acme.example.org", by publisher: RecordPublisher<RackspaceService>,
        dryRun: Bool = false
    ) throws -> Publication {
        let records = try values.map { TXTRecord(name: try DNSName(name), value: try TXTValue($0)) }
        return try publisher.publish(records, keep: 3600, dryRun: dryRun)
    }

    /// The sentence with which a call fails, which tells no secret.
    func failure(
        _ value: String = "one", seconds: Double = 300, with more: [String: JSONValue] = [:],
        at location: SourceLocation = #_sourceLocation
    ) throws -> String {
        let error = try #require(throws: PublishError.self, sourceLocation: location) {
            try publish([value], by: publisher(seconds: seconds, more))
        }
        for secret in try server.tokens().union([RackspaceServer.apiKey]) {
            #expect(!error.description.contains(secret), sourceLocation: location)
        }
        return error.description
    }

    func shown() throws -> [String] { try server.shown("web.acme.example.org") }

    /// The paths of the requests of a kind, without the endpoint.
    func paths(_ kind: String) throws -> [String] {
        try server.requests().filter { $0.kind == kind }.map { $0.path.replacing("/v1.0/424242", with: "") }
    }
}

/// Runs `body` with an account of these domains; whatever it does, nothing may have gone anywhere but to the API, and
/// no token to the login.
func withRackspace(
    domains: [String] = [RackspaceBench.domain], at location: SourceLocation = #_sourceLocation,
    _ body: (RackspaceBench) throws -> Void
) throws {
    try RackspaceServer.run(domains: domains) { server in
        try withTemporaryDirectory { directory in
            try body(RackspaceBench(server: server, state: directory + "/state"))
        }
        for request in try server.requests() {
            #expect(request.listener == "api", "\(request)", sourceLocation: location)
            let isLogin = request.kind == "POST tokens"
            #expect((request.headers["x-auth-token"] == nil) == isLogin, "\(request)", sourceLocation: location)
            #expect(request.body.contains(RackspaceServer.apiKey) == isLogin || isLogin, sourceLocation: location)
        }
    }
}
