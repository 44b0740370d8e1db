import AnsibleModule
import Platform
import TestSupport
import Testing

extension RackspaceServer {
    /// The provider's options with a key.
    var provider: JSONValue {
        [
            "username": .string(Self.username), "api_key": .string(Self.apiKey), "identity_url": .string(identityURL),
            "ca_path": .string(caBundle),
        ]
    }
}

@Suite struct RackspaceContract {
    private func options(
        _ server: RackspaceServer, _ state: String, _ name: String = "web.\(zone)", more: [String: JSONValue] = [:]
    ) -> JSONValue {
        let all: [String: JSONValue] = [
            "zone": .string(zone), "rackspace": server.provider, "servers": [.string(server.dnsAddress)],
            "visible_timeout": 20, "state_path": .string(state),
            "records": [["target": .string(name), "value": .string(token(1))]],
        ]
        return .object(all.merging(more) { $1 })
    }

    private func publish(_ options: JSONValue, at server: RackspaceServer) throws -> RealProgram.Answer {
        let answer = try RealProgram.call("acme_publish_txt", options)
        for secret in try server.tokens().union([RackspaceServer.apiKey]) { #expect(!answer.text.contains(secret)) }
        return answer
    }

    @Test func `records are visible at the end, and nothing changes the second time`() throws {
        try RackspaceServer.run(domains: [zone]) { server in
            try withTemporaryDirectory { directory in
                let predicted = try publish(
                    options(server, directory, more: ["_ansible_check_mode": true, "_ansible_diff": true]), at: server)
                #expect(predicted.changed && !predicted.failed, "\(predicted.text)")
                #expect(try server.shown("web.\(zone)") == [])
                let answer = try publish(options(server, directory, more: ["_ansible_diff": true]), at: server)
                #expect(answer.changed && !answer.failed, "\(answer.text)")
                #expect(answer["diff"] == predicted["diff"])
                #expect(answer["visible_on"] == [.string(server.dnsAddress)])
                #expect(try server.shown("web.\(zone)") == [token(1)])
                #expect(try !publish(options(server, directory), at: server).changed)
            }
        }
    }

    @Test func `a record of the domain itself needs no signing domain`() throws {
        try RackspaceServer.run(domains: [zone]) { server in
            try withTemporaryDirectory { directory in
                let name = "_acme-challenge.web.\(zone)"
                let answer = try publish(options(server, directory, name), at: server)
                #expect(answer.changed && !answer.failed, "\(answer.text)")
                #expect(try server.shown(name) == [token(1)])
            }
        }
    }

    @Test func `a file of credentials is used where nobody else can read it`() throws {
        try RackspaceServer.run(domains: [zone]) { server in
            try withTemporaryDirectory { directory in
                func call(_ mode: UInt32) throws -> RealProgram.Answer {
                    let provider: JSONValue = [
                        "auth_file": .string(try server.authFile(mode: mode)), "ca_path": .string(server.caBundle),
                        "identity_url": .string(server.identityURL),
                    ]
                    return try publish(options(server, directory, more: ["rackspace": provider]), at: server)
                }
                let refused = try call(0o640)
                #expect(refused.failed && refused.msg.contains("mode 640 but holds secrets: chmod 600"))
                #expect(try server.requests().isEmpty)
                #expect(try !call(0o600).failed)
            }
        }
    }
}
