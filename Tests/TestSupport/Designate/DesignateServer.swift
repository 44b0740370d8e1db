internal import Foundation
internal import Platform

/// A strict stand-in for Keystone and Designate (`designate.py`), whose records stand in a real BIND. It knows the user
/// `acme` of the project `dns`, and the application credential `cred-1`, called `bastion`.
package final class DesignateServer: @unchecked Sendable {
    package static let zone = "acme.example.org"
    package static let password = "s3cret-password"
    package static let applicationSecret = "s3cret-application"
    /// What every token begins with.
    package static let tokenStart = "gAAAA-token-"

    /// For the option `auth_url`.
    package private(set) var authURL = ""
    /// PEM file to be trusted.
    package var caPath: String { directory + "/server.pem" }

    private let directory: String
    private let named: NamedServer
    private let process = Process()

    package struct Failure: Error {
        package let description: String
    }

    /// Runs `body` with servers that play these faults (their names and numbers are in `designate.py`).
    package static func run<Result>(
        _ faults: [String: Int] = [:], _ body: (DesignateServer) throws -> Result
    ) throws -> Result {
        let text = """
            $ORIGIN \(zone).
            $TTL 60
            @ IN SOA ns1.example.org. hostmaster.example.org. 7 3600 600 864000 60
            @ IN NS ns1.example.org.

            """
        return try NamedServer.run(zones: [zone: text], zoneOptions: "allow-update { 127.0.0.1; };") { named in
            try withTemporaryDirectory { directory in
                let server = DesignateServer(directory, named)
                defer { server.stop() }
                try server.start(faults)
                return try body(server)
            }
        }
    }

    private init(_ directory: String, _ named: NamedServer) {
        self.directory = directory
        self.named = named
    }

    /// Where the BIND answers.
    package var dnsAddress: String { named.address }

    /// The values that the BIND shows, sorted, each as `dig` writes it: `"v"`.
    package func values(_ label: String) throws -> [String] {
        let words = ["dig", "+short", "+tries=1", "@127.0.0.1", "-p", "\(named.port)", "TXT", "\(label).\(Self.zone)"]
        return try Program.run(words).stdout.split(separator: "\n").map(String.init).sorted()
    }

    /// What was asked so far: a JSON mapping on each line (`server`, `method`, `path`, `body`, `token`).
    package func requests() throws -> [String] {
        let bytes = try Files.read(directory + "/requests") ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func start(_ faults: [String: Int]) throws {
        let made = try Program.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=designate", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", directory + "/server.key", "-out", caPath,
        ])
        guard made.status == 0 else { throw Failure(description: "openssl: \(made)") }
        let configuration: [String: Any] = [
            "directory": directory, "certificate": caPath, "key": directory + "/server.key", "zone": Self.zone,
            "dns_port": Int(named.port), "faults": faults,
        ]
        let json = try JSONSerialization.data(withJSONObject: configuration)
        for (name, bytes) in [("config", Array(json)), ("log", [])] {
            try AtomicFile.write(bytes, to: "\(directory)/\(name)", access: .own(mode: 0o600))
        }
        try launch()
    }

    private func launch() throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/designate.py"
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", script, directory + "/config"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: directory + "/log")
        try process.run()
        let deadline = Deadline(seconds: 30, clock: SystemClock())
        while process.isRunning && !deadline.hasPassed {
            if let url = try Files.read(directory + "/ready") {
                authURL = String(decoding: url, as: UTF8.self) + "/identity"
                return
            }
            deadline.pause(seconds: 0.02)
        }
        throw Failure(description: String(decoding: try Files.read(directory + "/log") ?? [], as: UTF8.self))
    }

    private func stop() {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
