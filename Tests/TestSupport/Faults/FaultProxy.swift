internal import Foundation
internal import Platform

/// A proxy in front of a real Pebble that plays faults (`fault_proxy.py` says which). It ends with the object.
package final class FaultProxy {
    /// A request as it came in, and what became of it.
    package struct Request: Decodable, Sendable {
        /// `newOrder`, `finalize`, `certificate` and so on.
        package let kind: String
        package let method: String
        package let path: String
        /// Of the reply; 0 where the client got none.
        package let status: Int
        /// Of the real server's reply to the proxy; 0 where it did not hear of the request.
        package let upstream: Int
        /// Its number among all that the real server heard of; 0 where that did not.
        package let heard: Int
        /// The real server heard of it when the client had given it up.
        package let late: Bool
        /// Bytes of the reply's body.
        package let sent: Int
        package let agent: String?
        /// The content type of what was sent.
        package let type: String?
        /// Of the protected header, sorted; none where nothing is signed.
        package let members: [String]
        /// The URL that is signed.
        package let url: String?
        /// The account's URL; nil where none signed.
        package let kid: String?
        package let payload: Payload
        /// The payload as it was signed; nil where nothing is.
        package let text: String?

        /// What is read of the messages of all kinds.
        package struct Payload: Decodable, Sendable {
            package struct Identifier: Decodable, Hashable, Sendable { package let value: String }

            package let identifiers: [Identifier]?
            package let profile: String?
            package let replaces: String?
        }
    }

    package let directoryURL: String
    private let directory: String
    private let process = Process()

    /// Stands before this server, with its certificate; its files are in `directory`, which is there.
    package init(before server: PebbleServer, _ directory: String) throws {
        self.directory = directory
        let settings: [String: Any] = [
            "upstream": Int(server.port), "certificate": server.caBundle, "key": server.keyFile,
        ]
        let json = try JSONSerialization.data(withJSONObject: settings)
        try AtomicFile.write(Array(json), to: directory + "/settings.json", access: .own(mode: 0o600))
        directoryURL = "https://127.0.0.1:\(try Self.launch(process, directory))/dir"
    }

    deinit {
        stop()
    }

    package func stop() {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Starts the script and returns its port once it says that it listens.
    private static func launch(_ process: Process, _ directory: String) throws -> Int {
        let log = directory + "/log"
        try AtomicFile.write([], to: log, access: .own(mode: 0o600))
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/fault_proxy.py"
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-B", script, directory]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: log)
        try process.run()
        let deadline = Deadline(seconds: 30, clock: SystemClock())
        while process.isRunning && !deadline.hasPassed {
            if let ready = try Files.read(directory + "/ready.json"),
                let port = try JSONDecoder().decode([String: Int].self, from: Data(ready))["port"]
            {
                return port
            }
            deadline.pause(seconds: 0.01)
        }
        let words = String(decoding: try Files.read(log) ?? [], as: UTF8.self)
        throw PebbleServer.Failure(description: "the fault proxy did not start: \(words)")
    }

    /// What is to go wrong from now on, as a JSON list.
    package func play(_ faults: String) throws {
        guard (try? JSONSerialization.jsonObject(with: Data(faults.utf8))) is [Any] else {
            throw PebbleServer.Failure(description: "these faults are no JSON list: \(faults)")
        }
        try AtomicFile.write(Array(faults.utf8), to: directory + "/faults.json", access: .own(mode: 0o600))
    }

    /// All requests that have ended so far, in order.
    package func requests(_ kind: String? = nil) throws -> [Request] {
        try (Files.read(directory + "/requests.jsonl", limit: 256 << 20) ?? []).split(separator: 0x0a)
            .map { try JSONDecoder().decode(Request.self, from: Data($0)) }
            .filter { kind == nil || $0.kind == kind }
    }

    /// How many orders the real server has made.
    package func orders() throws -> Int { try requests("newOrder").filter { $0.upstream == 201 }.count }
}
