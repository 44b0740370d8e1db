internal import Foundation
internal import Platform

/// A real Knot, NSD or PowerDNS, primary of one zone. At Knot and PowerDNS a TSIG key may change its TXT records.
package final class OtherServer: @unchecked Sendable {
    package enum Kind: String, Sendable, CaseIterable { case knot, nsd, powerDNS }

    package let port: UInt16
    private let directory: String
    private let process = Process()
    private let secret = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()

    package var keyFile: String { directory + "/tsig.key" }
    package var zoneFile: String { directory + "/zone.db" }
    package var address: String { "127.0.0.1:\(port)" }

    package struct NotStarted: Error {
        package let log: String
    }

    package static func run<Result>(
        _ kind: Kind, zone: String, text: String, _ body: (OtherServer) throws -> Result
    ) throws -> Result {
        try withTemporaryDirectory { directory in
            let server = OtherServer(port: try FreePorts.forDNS(), directory: directory)
            try server.write(
                "key \"test\" { algorithm hmac-sha256; secret \"\(server.secret)\"; };\n", to: server.keyFile)
            try server.write(text, to: server.zoneFile)
            let words =
                switch kind {
                case .knot: try server.configureKnot(zone)
                case .nsd: try server.configureNSD(zone)
                case .powerDNS: try server.configurePowerDNS(zone)
                }
            try server.launch(words, log: directory + "/log")
            defer { server.stop() }
            return try body(server)
        }
    }

    private init(port: UInt16, directory: String) {
        self.port = port
        self.directory = directory
    }

    private func write(_ text: String, to path: String) throws {
        try AtomicFile.write(Array(text.utf8), to: path, access: .own(mode: 0o600))
    }

    private func configureKnot(_ zone: String) throws -> [String] {
        try write(
            """
            server:
                rundir: "\(directory)"
                listen: 127.0.0.1@\(port)
            database:
                storage: "\(directory)"
            key:
              - id: test
                algorithm: hmac-sha256
                secret: "\(secret)"
            acl:
              - id: update
                key: test
                action: update
                update-type: [TXT]
            zone:
              - domain: \(zone)
                storage: "\(directory)"
                file: zone.db
                acl: update

            """, to: directory + "/knot.conf")
        return ["knotd", "-c", directory + "/knot.conf"]
    }

    private func configureNSD(_ zone: String) throws -> [String] {
        try write(
            """
            server:
                ip-address: 127.0.0.1@\(port)
                username: ""
                chroot: ""
                zonesdir: "\(directory)"
                database: ""
                pidfile: ""
                xfrdfile: "\(directory)/xfrd.state"
                zonelistfile: "\(directory)/zone.list"
                xfrdir: "\(directory)"
                server-count: 1
            remote-control:
                control-enable: yes
                control-interface: "\(directory)/nsd.ctl"
            zone:
                name: \(zone)
                zonefile: zone.db

            """, to: directory + "/nsd.conf")
        return ["nsd", "-d", "-c", directory + "/nsd.conf"]
    }

    /// The words of a command of `nsd-control` or `knotc` to this server.
    package func control(_ kind: Kind, _ words: String...) -> [String] {
        switch kind {
        case .knot: ["knotc", "-c", directory + "/knot.conf"] + words
        case .nsd: ["nsd-control", "-c", directory + "/nsd.conf"] + words
        case .powerDNS: ["pdns_control", "--config-dir=" + directory] + words
        }
    }

    private func configurePowerDNS(_ zone: String) throws -> [String] {
        try write(
            """
            launch=gsqlite3
            gsqlite3-database=\(directory)/pdns.sqlite3
            local-address=127.0.0.1
            local-port=\(port)
            socket-dir=\(directory)
            dnsupdate=yes
            zone-cache-refresh-interval=0
            cache-ttl=0
            query-cache-ttl=0
            negquery-cache-ttl=0

            """, to: directory + "/pdns.conf")
        let schema = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"
        let util = ["pdnsutil", "--config-dir=\(directory)"]
        for words in [
            ["sqlite3", directory + "/pdns.sqlite3", ".read \(schema)"],
            util + ["load-zone", zone, directory + "/zone.db"],
            util + ["import-tsig-key", "test", "hmac-sha256", secret],
            util + ["set-meta", zone, "TSIG-ALLOW-DNSUPDATE", "test"],
        ] {
            let result = try Program.run(words)
            guard result.status == 0 else { throw NotStarted(log: "\(words): \(result)") }
        }
        return ["pdns_server", "--config-dir=\(directory)", "--daemon=no", "--guardian=no"]
    }

    private func launch(_ words: [String], log: String) throws {
        try write("", to: log)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: log)
        process.standardError = FileHandle(forWritingAtPath: log)
        try process.run()
        let deadline = Deadline(seconds: 30, clock: SystemClock())
        while process.isRunning && !deadline.hasPassed {
            if FreePorts.isListening(port) { return }
            deadline.pause(seconds: 0.02)
        }
        stop()
        throw NotStarted(log: String(decoding: try Files.read(log) ?? [], as: UTF8.self))
    }

    private func stop() {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
