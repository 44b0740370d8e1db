internal import Foundation
internal import Platform

/// acme2certifier, an ACME server of another make than Pebble, under gunicorn, with a CA of its own and the DNS server
/// that it validates against. It asks that one on port 53, which takes root. All of it ends with the object.
package final class SecondCA {
    package struct Options: Sendable {
        /// Whether its renewal information has every certificate renewed at once.
        package var renewsAtOnce = false
        /// Whether it opens accounts for its customers only: `customer` with the key `customerKey`.
        package var wantsCustomers = false
        /// Address of a DNS server to validate against instead of the one that comes along; it is asked on port 53.
        package var resolver: String?

        package init(renewsAtOnce: Bool = false, wantsCustomers: Bool = false, resolver: String? = nil) {
            self.renewsAtOnce = renewsAtOnce
            self.wantsCustomers = wantsCustomers
            self.resolver = resolver
        }
    }

    package static let customer = "customer-1"
    package static let customerKey = "VGhlIGtleSBvZiB0aGUgZmlyc3QgY3VzdG9tZXIsIDQ4IGJ5dGVzIGxvbmcgaGVyZSE"
    package static let profiles = ["classic", "tlsserver"]

    package let directoryURL: String
    /// PEM file to be trusted for the server's HTTPS.
    package let caBundle: String
    /// PEM file of the root that issued certificates lead to.
    package let root: String

    private let directory: String
    private let port: UInt16
    private let challengeURL: String
    private let options: Options
    /// Where it asks for TXT records.
    private var resolver = ""
    private var processes: [Process] = []

    /// Whether it can run here: it is installed, and port 53 is ours to take.
    package static var isAvailable: Bool {
        geteuid() == 0 && FileManager.default.isExecutableFile(atPath: gunicorn)
    }

    private static let gunicorn =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
        + "/.venv-second-ca/bin/gunicorn"

    package init(_ options: Options, _ directory: String) throws {
        setenv("no_proxy", "127.0.0.1,localhost", 1)
        self.directory = directory
        self.options = options
        let ports = try FreePorts.take(2)
        port = ports[0]
        directoryURL = "https://127.0.0.1:\(port)/directory"
        challengeURL = "http://127.0.0.1:\(ports[1])"
        caBundle = directory + "/server.pem"
        root = directory + "/root.pem"
        do {
            try makeCertificates()
            resolver = try options.resolver ?? startResolver(management: ports[1])
            try Files.makeDirectory(directory + "/issued", access: .own(mode: 0o700))
            try configure(renewsAtOnce: options.renewsAtOnce)
            try startServer()
        } catch {
            stop()
            throw error
        }
    }

    deinit {
        stop()
    }

    package func stop() {
        // gunicorn's worker ends by itself, within a second, where its parent is gone.
        for process in processes where process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        processes = []
    }

    /// Starts the server anew, with everything that it knows, and with other renewal information.
    package func restart(renewsAtOnce: Bool) throws {
        guard let server = processes.popLast() else { return }
        kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()
        // Its worker goes on for a moment.
        let deadline = Deadline(seconds: 30, clock: SystemClock())
        while FreePorts.isListening(port) {
            guard !deadline.hasPassed else { throw PebbleServer.Failure(description: "gunicorn's worker did not end") }
            deadline.pause(seconds: 0.02)
        }
        try configure(renewsAtOnce: renewsAtOnce)
        try startServer()
    }

    /// Adds TXT values, each to what its name has already.
    package func addTXT(_ records: [(name: String, value: String)]) throws {
        for record in records {
            let body = try JSONEncoder().encode(["host": record.name + ".", "value": record.value])
            let data = String(decoding: body, as: UTF8.self)
            let result = try Program.run(["curl", "-sSf", "-d", data, challengeURL + "/set-txt"])
            guard result.status == 0 else { throw PebbleServer.Failure(description: "curl: \(result)") }
        }
    }

    package func log() throws -> String {
        String(decoding: try Files.read(directory + "/gunicorn.log", limit: 64 << 20) ?? [], as: UTF8.self)
    }

    private func makeCertificates() throws {
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"]
        let isCA = [
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        ]
        func make(_ name: String, _ more: [String]) throws {
            let files = [
                "-keyout", "\(directory)/\(name).key", "-out", "\(directory)/\(name).pem", "-subj", "/CN=\(name)",
            ]
            let result = try Program.run(["openssl", "req", "-x509"] + key + files + more)
            guard result.status == 0 else { throw PebbleServer.Failure(description: "openssl: \(result)") }
        }
        try make("server", ["-addext", "subjectAltName=IP:127.0.0.1"])
        try make("root", isCA)
        try make("issuer", isCA + ["-CA", root, "-CAkey", directory + "/root.key"])
    }

    /// On port 53 of an address of its own in 127.0.0.0/8; returns the address.
    private func startResolver(management: UInt16) throws -> String {
        for _ in 0..<10 {
            let address = "127.\(Int.random(in: 128..<250)).\(Int.random(in: 0..<250)).\(Int.random(in: 1..<250))"
            let process = try launch(
                [
                    "pebble-challtestsrv", "-dns01", address + ":53", "-management", "127.0.0.1:\(management)",
                    "-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", "",
                ], log: "resolver.log")
            if try listens(management, process) { return address }
        }
        throw PebbleServer.Failure(description: "no address of 127.0.0.0/8 has a free port 53")
    }

    private func configure(renewsAtOnce: Bool) throws {
        let keys = try JSONEncoder().encode([Self.customer: Self.customerKey])
        try AtomicFile.write(Array(keys), to: directory + "/customers.json", access: .own(mode: 0o600))
        let binding = """
            [EABhandler]
            eab_handler_module: acme2certifier.eabhandlers.json_handler
            key_file: \(directory)/customers.json
            """
        // From two days before the certificate's first day on; "renewal_force" leaves one day of 365 in the future.
        let windowInThePast = "renewalthreshold_pctg: -10\nrenewal_window_duration: 3600"
        let profiles = Self.profiles.map { "\"\($0)\": \"https://second.example/\($0)\"" }.joined(separator: ", ")
        let text = """
            [DEFAULT]
            dns_server_list: ["\(resolver)"]
            [Nonce]
            [Certificate]
            [Challenge]
            [Directory]
            tos_url: https://second.example/terms
            [Order]
            profiles: {\(profiles)}
            [Renewalinfo]
            \(renewsAtOnce ? windowInThePast : "")
            [DBhandler]
            handler_module: acme2certifier.dbhandlers.wsgi_handler
            dbfile: \(directory)/acme.db
            [CAhandler]
            handler_module: acme2certifier.cahandlers.openssl_ca_handler
            issuing_ca_key: \(directory)/issuer.key
            issuing_ca_cert: \(directory)/issuer.pem
            issuing_ca_crl: \(directory)/crl.pem
            ca_cert_chain_list: ["\(root)"]
            cert_save_path: \(directory)/issued
            cert_validity_days: 20
            \(options.wantsCustomers ? binding : "")

            """
        try AtomicFile.write(Array(text.utf8), to: directory + "/acme_srv.cfg", access: .own(mode: 0o600))
    }

    private func startServer() throws {
        let process = try launch(
            [
                Self.gunicorn, "--bind", "127.0.0.1:\(port)", "--threads", "8", "--no-control-socket",
                "--certfile", caBundle, "--keyfile", directory + "/server.key",
                "acme2certifier.share.acme2certifier_wsgi:application",
            ], log: "gunicorn.log", environment: ["ACME_SRV_CONFIGFILE": directory + "/acme_srv.cfg"])
        guard try listens(port, process) else { throw PebbleServer.Failure(description: try log()) }
    }

    private func launch(_ arguments: [String], log: String, environment: [String: String] = [:]) throws -> Process {
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
        return process
    }

    /// Asks again and again whether anybody listens; false where the process ended instead.
    private func listens(_ port: UInt16, _ process: Process) throws -> Bool {
        let deadline = Deadline(seconds: 30, clock: SystemClock())
        while process.isRunning && !deadline.hasPassed {
            if FreePorts.isListening(port) { return process.isRunning }
            deadline.pause(seconds: 0.02)
        }
        return false
    }
}
