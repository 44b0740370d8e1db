internal import Foundation
internal import Platform

/// A real ACME server on free loopback ports, with the DNS server that it validates against. Both end with the object.
package final class PebbleServer {
    /// How strange the server is.
    package struct Options: Sendable {
        /// Percent of good nonces that are refused.
        package var nonceReject = 0
        /// Percent of valid authorizations that a new order gets again.
        package var authzReuse = 0
        /// Names for which, and below which, nothing is issued.
        package var blocklist = ["blocked.example"]
        /// Seconds for which certificates are valid; nil for the server's own five years.
        package var validity: Int?
        /// Keys of customers, in base64url, by their identifiers; where there are any, no one else gets an account.
        package var customers: [String: String] = [:]
        /// How many roots there are beside the first, each with a chain of its own.
        package var alternateRoots = 0
        /// `address:port` of a DNS server to validate against instead of the one that comes along.
        package var resolver: String?

        package init(nonceReject: Int = 0, authzReuse: Int = 0, validity: Int? = nil) {
            self.nonceReject = nonceReject
            self.authzReuse = authzReuse
            self.validity = validity
        }
    }

    package let directoryURL: String
    /// Of the ACME server, at 127.0.0.1.
    package let port: UInt16
    /// PEM file to be trusted for the server's HTTPS.
    package let caBundle: String

    /// The key of the certificate in `caBundle`.
    package var keyFile: String { directory + "/server.key" }

    private let options: Options
    private let directory: String
    private let managementURL: String
    private let challengeURL: String
    /// Of the DNS server.
    private let dnsPort: UInt16
    private var processes: [Process] = []

    package init(_ options: Options = Options()) throws {
        self.options = options
        setenv("no_proxy", "127.0.0.1,localhost", 1)
        var template = Array("/tmp/acme-modules-pebble-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw SystemError("make a directory in", "/tmp") }
        directory = String(cString: made)
        let ports = try FreePorts.take(4)
        port = ports[0]
        directoryURL = "https://127.0.0.1:\(port)/dir"
        managementURL = "https://127.0.0.1:\(ports[1])"
        challengeURL = "http://127.0.0.1:\(ports[2])"
        dnsPort = ports[3]
        caBundle = directory + "/server.pem"
        do {
            try makeServerCertificate()
            try start(ports)
        } catch {
            stop()
            throw error
        }
    }

    deinit {
        stop()
    }

    /// Ends both servers and removes their files.
    package func stop() {
        for process in processes where process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        processes = []
        try? Files.remove(directory)
    }

    /// Starts the ACME server anew. It keeps everything in memory: accounts, orders and its root are others from now on.
    package func restart() throws {
        guard let server = processes.popLast() else { return }
        kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()
        try launchServer()
        try awaitListener(port)
    }

    /// Adds TXT values, each to what its name has already.
    package func addTXT(_ records: [(name: String, value: String)]) throws {
        let requests = try records.map { record in
            let body = try JSONEncoder().encode(["host": record.name + ".", "value": record.value])
            return "url = \"\(challengeURL)/set-txt\"\ndata = \(Self.quoted(String(decoding: body, as: UTF8.self)))\n"
        }
        try curl(requests.joined(separator: "next\n"))
    }

    /// Takes all values of a name away.
    package func clearTXT(_ name: String) throws {
        let body = Self.quoted("{\"host\": \"\(name).\"}")
        try curl("url = \"\(challengeURL)/clear-txt\"\ndata = \(body)\n")
    }

    /// The root that issued certificates lead to, in PEM; another one for each server.
    package func root(_ number: Int = 0) throws -> String {
        try curl("url = \"\(managementURL)/roots/\(number)\"\ncacert = \"\(caBundle)\"\n")
    }

    /// What the server says of a certificate (serial in hexadecimal): `Status` is Valid or Revoked, `Reason` a number.
    package func status(ofSerial serial: String) throws -> String {
        try curl("url = \"\(managementURL)/cert-status-by-serial/\(serial)\"\ncacert = \"\(caBundle)\"\n")
    }

    /// What the ACME server wrote so far: a line for each request.
    package func log() throws -> String {
        String(decoding: try Files.read(directory + "/pebble.log", limit: 64 << 20) ?? [], as: UTF8.self)
    }

    @discardableResult
    private func curl(_ configuration: String) throws -> String {
        let result = try Program.run(
            ["curl", "-sS", "--fail-early", "-f", "-K", "-"], input: Array(configuration.utf8))
        guard result.status == 0 else { throw Failure(description: "curl: \(result)") }
        return result.stdout
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"") + "\""
    }

    private func makeServerCertificate() throws {
        let result = try Program.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=pebble", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
            "-keyout", keyFile, "-out", caBundle,
        ])
        guard result.status == 0 else { throw Failure(description: "openssl: \(result)") }
    }

    private var configuration: String { directory + "/pebble.json" }

    private func start(_ ports: [UInt16]) throws {
        var settings: [String: Any] = [
            "listenAddress": "127.0.0.1:\(ports[0])", "managementListenAddress": "127.0.0.1:\(ports[1])",
            "certificate": caBundle, "privateKey": keyFile, "httpPort": 1, "tlsPort": 1,
            "ocspResponderURL": "", "externalAccountBindingRequired": !options.customers.isEmpty,
            "externalAccountMACKeys": options.customers, "domainBlocklist": options.blocklist,
        ]
        if let validity = options.validity { settings["certificateValidityPeriod"] = validity }
        let json = try JSONSerialization.data(withJSONObject: ["pebble": settings])
        try AtomicFile.write(Array(json), to: configuration, access: .own(mode: 0o600))

        try launch(
            [
                "pebble-challtestsrv", "-dns01", "127.0.0.1:\(dnsPort)", "-management", "127.0.0.1:\(ports[2])",
                "-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", "",
            ], log: "challtestsrv.log")
        try launchServer()
        for port in ports.prefix(3) { try awaitListener(port) }
    }

    private func launchServer() throws {
        try launch(
            ["pebble", "-strict", "-config", configuration, "-dnsserver", options.resolver ?? "127.0.0.1:\(dnsPort)"],
            log: "pebble.log",
            environment: [
                "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "\(options.nonceReject)",
                "PEBBLE_AUTHZREUSE": "\(options.authzReuse)", "PEBBLE_ALTERNATE_ROOTS": "\(options.alternateRoots)",
                // Pebble 2.4 locks up where one client makes an order while another one asks for an authorization;
                // its threads must not interrupt each other.
                "GOMAXPROCS": "1", "GODEBUG": "asyncpreemptoff=1",
            ])
    }

    private func launch(_ arguments: [String], log: String, environment: [String: String] = [:]) throws {
        let path = directory + "/" + log
        try AtomicFile.write([], to: path, access: .own(mode: 0o600))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        let output = FileHandle(forWritingAtPath: path) ?? FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        processes.append(process)
    }

    /// Asks again and again whether anybody listens.
    private func awaitListener(_ port: UInt16) throws {
        let deadline = Deadline(seconds: 30, clock: SystemClock())
        while !FreePorts.isListening(port) {
            if deadline.hasPassed || processes.contains(where: { !$0.isRunning }) {
                throw Failure(description: "nobody listens on port \(port): \(try log())")
            }
            deadline.pause(seconds: 0.01)
        }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }
}
