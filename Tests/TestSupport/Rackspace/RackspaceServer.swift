internal import Foundation
internal import Platform

/// A strict stand-in for Rackspace Cloud DNS and its identity service (`cloud_dns.py`), over HTTPS with a certificate
/// of its own, in front of a real BIND that shows what the API was told. It ends with `run`.
package final class RackspaceServer {
    package static let username = "acme-bot"
    package static let apiKey = "0123-key-of-the-account"

    /// A request as it came in.
    package struct Request: Decodable, Sendable {
        /// `api`, or `plain` and `foreign`, where nothing should ever come in.
        package let listener: String
        package let method: String
        /// With the query.
        package let path: String
        /// Names in lower case.
        package let headers: [String: String]
        package let body: String

        /// "POST records", as faults name it.
        package var kind: String {
            let parts = path.prefix { $0 != "?" }.split(separator: "/")
            return "\(method) \(parts.contains("status") ? "status" : parts.last.map(String.init) ?? "")"
        }
    }

    package let named: NamedServer
    package let identityURL: String
    /// PEM file to be trusted for its HTTPS.
    package let caBundle: String
    private let directory: String

    /// Runs `body` with an account that holds these domains. The BIND has the first of them.
    package static func run<Result>(
        domains: [String], _ body: (RackspaceServer) throws -> Result
    ) throws -> Result {
        let text = """
            @ 60 IN SOA ns1.\(domains[0]). hostmaster 7 3600 600 864000 60
            @ 60 IN NS ns1
            ns1 60 IN A 127.0.0.1

            """
        // The service has no such limit of its own.
        let grant = "update-policy { grant test zonesub TXT; }; max-records-per-type 0;"
        return try NamedServer.run(zones: [domains[0]: text], zoneOptions: grant) { named in
            try withTemporaryDirectory { directory in
                let process = Process()
                defer {
                    if process.isRunning {
                        kill(process.processIdentifier, SIGKILL)
                        process.waitUntilExit()
                    }
                }
                return try body(RackspaceServer(named, domains, directory, process))
            }
        }
    }

    package struct NotStarted: Error {
        package let log: String
    }

    private init(_ named: NamedServer, _ domains: [String], _ directory: String, _ process: Process) throws {
        setenv("no_proxy", "127.0.0.1,localhost", 1)
        self.named = named
        self.directory = directory
        caBundle = directory + "/server.pem"
        try Self.makeCertificate(directory)
        let settings: [String: Any] = [
            "username": Self.username, "api_key": Self.apiKey, "domains": domains, "dns": named.address,
            "key_file": named.keyFile, "certificate": caBundle, "key": directory + "/server.key",
        ]
        let json = try JSONSerialization.data(withJSONObject: settings)
        try AtomicFile.write(Array(json), to: directory + "/settings.json", access: .own(mode: 0o600))
        identityURL = "https://127.0.0.1:\(try Self.launch(process, directory))"
    }

    private static func makeCertificate(_ directory: String) throws {
        let result = try Program.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=cloud-dns", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", directory + "/server.key", "-out", directory + "/server.pem",
        ])
        guard result.status == 0 else { throw NotStarted(log: "\(result)") }
    }

    /// Starts the script and returns the API's port once it says that it listens.
    private static func launch(_ process: Process, _ directory: String) throws -> Int {
        let log = directory + "/log"
        try AtomicFile.write([], to: log, access: .own(mode: 0o600))
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/cloud_dns.py"
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-B", script, directory]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: log)
        try process.run()
        let deadline = Deadline(seconds: 30, clock: SystemClock())
        while process.isRunning && !deadline.hasPassed {
            if let ready = try Files.read(directory + "/ready.json"),
                let port = try JSONDecoder().decode([String: Int].self, from: Data(ready))["api"]
            {
                return port
            }
            deadline.pause(seconds: 0.01)
        }
        throw NotStarted(log: String(decoding: try Files.read(log) ?? [], as: UTF8.self))
    }

    /// What is to go wrong from now on, as a JSON list; `cloud_dns.py` says what there is.
    package func play(_ faults: String) throws {
        try AtomicFile.write(Array(faults.utf8), to: directory + "/faults.json", access: .own(mode: 0o600))
    }

    /// All requests so far, in order.
    package func requests() throws -> [Request] {
        try (Files.read(directory + "/requests.jsonl", limit: 256 << 20) ?? []).split(separator: 0x0a).map {
            try JSONDecoder().decode(Request.self, from: Data($0))
        }
    }

    /// Where the BIND answers.
    package var dnsAddress: String { named.address }

    package func count(_ kind: String) throws -> Int { try requests().filter { $0.kind == kind }.count }

    /// The tokens that requests carried.
    package func tokens() throws -> Set<String> { Set(try requests().compactMap { $0.headers["x-auth-token"] }) }

    /// The TXT values that the BIND shows for a name, sorted, as `dig` writes them without the outer quotes.
    package func shown(_ name: String) throws -> [String] {
        let answer = try Program.run([
            "dig", "@127.0.0.1", "-p", "\(named.port)", "+short", "+tcp", "TXT", name,
        ])
        return answer.stdout.split(separator: "\n").map { $0.dropFirst().dropLast().description }.sorted()
    }

    /// A file of credentials as the option `auth_file` reads it.
    package func authFile(mode: UInt32 = 0o600, key: String = RackspaceServer.apiKey) throws -> String {
        let path = directory + "/auth.yaml"
        let text = "username: \(Self.username)\napi_key: \"\(key)\"\n"
        try AtomicFile.write(Array(text.utf8), to: path, access: .own(mode: mode))
        return path
    }
}
