import AnsibleModule
import Platform
import TestSupport
import Testing

/// The provider `command` with `nsupdate` as the program of one's own, and a real BIND as the service behind it.
@Suite struct CommandContract {
    private static let name = "web01.\(zone)"
    /// A program for one record at a time.
    private static let program = """
        case $ACME_ACTION in add) words="add $ACME_NAME. 60" ;; remove) words="delete $ACME_NAME." ;; esac
        nsupdate -k "$KEY" <<END
        server 127.0.0.1 $PORT
        zone $ACME_ZONE.
        update $words TXT "$ACME_VALUE"
        send
        END
        """

    private func withServer(_ body: (NamedServer, [String: JSONValue]) throws -> Void) throws {
        let grant = "update-policy { grant test zonesub TXT; };"
        try NamedServer.run(zones: [zone: emptyZone], zoneOptions: grant) { server in
            try withTemporaryDirectory { directory in
                let command: JSONValue = [
                    "run": .strings(["sh", "-c", Self.program]), "per": "record",
                    "environment": ["PORT": .string(String(server.port)), "KEY": .string(server.keyFile)],
                ]
                let options: [String: JSONValue] = [
                    "zone_file": nil, "command": command, "state_path": .string(directory), "visible_timeout": 1,
                ]
                try body(server, options)
            }
        }
    }

    @Test func `a value that somebody took away by hand is missed once, and there again after the next call`() throws {
        try withServer { server, provider in
            let options = server.options([Self.name: token(1)], provider)
            let first = try server.publish(options)
            #expect(!first.failed && first.changed, "\(first.msg)")
            #expect(first["serial"] == .null)
            #expect(try !server.publish(options).changed)

            let removal = "server 127.0.0.1 \(server.port)\nzone \(zone).\nupdate delete \(Self.name). TXT\nsend\n"
            _ = try Program.run(["nsupdate", "-k", server.keyFile], input: Array(removal.utf8))
            let missed = try server.publish(options)
            #expect(missed.failed && !missed.changed)
            #expect(
                missed.msg.hasSuffix(
                    "\(server.address) lacks '\(token(1))' at \(Self.name); the next call publishes again what was not "
                        + "seen"), "\(missed.msg)")
            let again = try server.publish(options)
            #expect(!again.failed && again.changed, "\(again.msg)")
            #expect(again.all("added", "value") == [.string(token(1))])
            #expect(try !server.publish(options).changed)
        }
    }

    @Test func `a server that says nothing is no reason to publish again`() throws {
        try withServer { server, provider in
            let silent = try FakeServer { _ in [] }
            defer { silent.stop() }
            let both: JSONValue = [.string(server.address), .string(silent.address)]
            let first = try server.publish(
                server.options([Self.name: token(1)], provider.merging(["servers": both]) { $1 }))
            #expect(first.failed && first.changed)
            let next = try server.publish(server.options([Self.name: token(1)], provider))
            #expect(!next.failed && !next.changed, "\(next.msg)")
        }
    }
}
