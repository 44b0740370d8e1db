internal import Foundation
internal import Platform

/// A real BIND, authoritative for zones whose files a test writes, on a port of its own; with its own `rndc`.
package final class NamedServer: @unchecked Sendable {
    package let port: UInt16
    private let directory: String
    private let process = Process()

    /// Where it answers: `127.0.0.1:port`.
    package var address: String { "127.0.0.1:\(port)" }

    package func zoneFile(_ zone: String) -> String { "\(directory)/zones/\(zone)/zone.db" }

    /// The key `test`, which zones may grant updates to.
    package var keyFile: String { directory + "/tsig.key" }

    /// The words of an `rndc` command to this server.
    package func rndc(_ words: String...) -> [String] { ["rndc", "-c", directory + "/rndc.conf"] + words }

    /// Runs `body` with a server for these zones (name to text; empty for a zone without a file), then ends it.
    /// `options` go into the options block, `zoneOptions` into each zone's.
    package static func run<Result>(
        zones: [String: String], options: String = "", zoneOptions: String = "",
        _ body: (NamedServer) throws -> Result
    ) throws -> Result {
        try withTemporaryDirectory { directory in
            let server = try start(directory, zones, options, zoneOptions)
            defer { server.stop() }
            return try body(server)
        }
    }

    package struct NotStarted: Error {
        package let log: String
    }

    private static func start(
        _ directory: String, _ zones: [String: String], _ options: String, _ zoneOptions: String
    ) throws -> NamedServer {
        var log = ""
        for attempt in 0..<5 {
            let own = "\(directory)/\(attempt)"
            try Files.makeDirectory(own, access: .own(mode: 0o700))
            let server = NamedServer(port: try FreePorts.forDNS(), directory: own)
            try server.configure(zones, options, zoneOptions, control: FreePorts.forDNS())
            if try server.launch() { return server }
            log = String(decoding: try Files.read(own + "/log") ?? [], as: UTF8.self)
        }
        throw NotStarted(log: log)
    }

    private init(port: UInt16, directory: String) {
        self.port = port
        self.directory = directory
    }

    private func configure(
        _ zones: [String: String], _ options: String, _ zoneOptions: String, control: UInt16
    ) throws {
        let secret = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
        let key = "key \"test\" { algorithm hmac-sha256; secret \"\(secret)\"; };\n"
        var text =
            key + """
                options {
                    directory "\(directory)"; pid-file none; session-keyfile none; recursion no; notify no;
                    listen-on port \(port) { 127.0.0.1; }; listen-on-v6 port \(port) { ::1; };
                    dnssec-validation no; \(options)
                };
                controls { inet 127.0.0.1 port \(control) allow { 127.0.0.1; } keys { "test"; }; };

                """
        try Files.makeDirectory(directory + "/zones", access: .own(mode: 0o700))
        for (zone, content) in zones {
            try Files.makeDirectory("\(directory)/zones/\(zone)", access: .own(mode: 0o700))
            if !content.isEmpty { try write(content, to: zoneFile(zone)) }
            text += "zone \"\(zone)\" { type primary; file \"\(zoneFile(zone))\"; \(zoneOptions) };\n"
        }
        try write(text, to: directory + "/named.conf")
        try write(key, to: keyFile)
        let client = "options { default-key \"test\"; default-server 127.0.0.1; default-port \(control); };\n"
        try write(key + client, to: directory + "/rndc.conf")
    }

    private func write(_ text: String, to path: String) throws {
        try AtomicFile.write(Array(text.utf8), to: path, access: .own(mode: 0o600))
    }

    /// Starts the server and asks until it says that it is up; false where it ended instead.
    private func launch() throws -> Bool {
        try write("", to: directory + "/log")
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["named", "-g", "-n", "1", "-c", directory + "/named.conf"]
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: directory + "/log")
        try process.run()
        let deadline = Deadline(seconds: 30, clock: SystemClock())
        while process.isRunning && !deadline.hasPassed {
            let status = try Program.run(rndc("status"))
            if status.stdout.contains("server is up and running") { return true }
            deadline.pause(seconds: 0.02)
        }
        stop()
        return false
    }

    /// Makes the server silent, as a machine that hangs is.
    package func pause() { kill(process.processIdentifier, SIGSTOP) }

    package func resume() { kill(process.processIdentifier, SIGCONT) }

    /// Ends the server at once.
    package func stop() {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
