import AnsibleModule
import Platform
import TestSupport
import Testing

extension DesignateServer {
    /// The provider's options with a password.
    var provider: JSONValue {
        [
            "auth_url": .string(authURL), "username": "acme", "password": .string(Self.password),
            "project_name": "dns", "ca_path": .string(caPath),
        ]
    }

    fileprivate func options(
        _ state: String, _ label: String, _ value: String, _ more: [String: JSONValue] = [:]
    ) -> JSONValue {
        let all: [String: JSONValue] = [
            "zone": .string(Self.zone), "designate": provider, "servers": [.string(dnsAddress)], "visible_timeout": 20,
            "state_path": .string(state),
            "records": [["target": .string("\(label).\(Self.zone)"), "value": .string(value)]],
        ]
        return .object(all.merging(more) { $1 })
    }

    fileprivate func publish(_ options: JSONValue) throws -> RealProgram.Answer {
        let answer = try RealProgram.call("acme_publish_txt", options)
        for secret in [Self.password, Self.applicationSecret, Self.tokenStart] {
            #expect(!answer.text.contains(secret))
        }
        return answer
    }
}

@Suite struct DesignateContract {
    private func withServer(
        _ faults: [String: Int] = [:], _ body: (DesignateServer, String) throws -> Void
    ) throws {
        try DesignateServer.run(faults) { server in try withTemporaryDirectory { try body(server, $0) } }
    }

    @Test func `records are visible at the end beside foreign ones, and nothing changes the second time`() throws {
        try withServer(["foreign": 1]) { server, directory in
            let options = server.options(directory, "web", "one", ["_ansible_diff": true])
            let answer = try server.publish(options)
            #expect(!answer.failed, "\(answer.msg)")
            #expect(answer.changed)
            #expect(answer["visible_on"] == [.string(server.dnsAddress)])
            #expect(try server.values("web") == ["\"bare\"", "\"foreign\"", "\"one\"", "\"two words\""])
            #expect(try !server.publish(options).changed)
        }
    }

    @Test func `only its own old values leave`() throws {
        try withServer(["foreign": 1]) { server, directory in
            _ = try server.publish(server.options(directory, "web", "one"))
            // A note is old when its second has passed.
            Deadline(seconds: 2, clock: SystemClock()).pause(seconds: 2)
            let answer = try server.publish(server.options(directory, "web", "two", ["keep": 0]))
            #expect(answer.all("removed", "value") == ["one"], "\(answer.msg)")
            #expect(try server.values("web") == ["\"bare\"", "\"foreign\"", "\"two words\"", "\"two\""])
        }
    }

    @Test func `check mode writes nothing`() throws {
        try withServer { server, directory in
            let answer = try server.publish(server.options(directory, "web", "one", ["_ansible_check_mode": true]))
            #expect(answer.changed)
            #expect(try server.values("web") == [])
        }
    }

    @Test func `a clouds.yaml is used where nobody else can read it`() throws {
        try withServer { server, directory in
            let path = directory + "/clouds.yaml"
            let text = """
                clouds:
                  main:
                    auth: {auth_url: "\(server.authURL)", username: acme, password: \(DesignateServer.password),
                           project_name: dns, user_domain_name: Default, project_domain_name: Default}
                    region_name: one
                    interface: public
                    cacert: \(server.caPath)
                    identity_api_version: 3

                """
            let provider: JSONValue = ["clouds_file": .string(path), "cloud": "main"]
            let options = server.options(directory, "web", "one", ["designate": provider])
            try AtomicFile.write(Array(text.utf8), to: path, access: .own(mode: 0o644))
            let refused = try server.publish(options)
            #expect(refused.failed)
            #expect(refused.msg.contains("chmod 600 \(path)"), "\(refused.msg)")
            try AtomicFile.write(Array(text.utf8), to: path, access: .own(mode: 0o600))
            let answer = try server.publish(options)
            #expect(!answer.failed, "\(answer.msg)")
            #expect(try server.values("web") == ["\"one\""])
        }
    }
}
