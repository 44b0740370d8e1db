internal import Foundation
internal import Platform

/// OpenSSL's own HTTPS server, which sends files as whole replies, status line and all.
package final class FileServer {
    package let certificate: String
    package let port: UInt16
    package var url: String { "https://127.0.0.1:\(port)/" }

    private let directory: String
    private let process = Process()

    package init(_ files: [String: [UInt8]]) throws {
        var template = Array("/tmp/acme-modules-files-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw SystemError("make a directory in", "/tmp") }
        directory = String(cString: made)
        port = try FreePorts.take(1)[0]
        certificate = directory + "/server.pem"
        for (name, bytes) in files {
            try AtomicFile.write(bytes, to: directory + "/" + name, access: .own(mode: 0o600))
        }
        let key = directory + "/server.key"
        _ = try Program.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2",
            "-subj", "/CN=files", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
        ])
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-cert", certificate, "-key", key, "-HTTP", "-quiet",
        ]
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let deadline = Deadline(seconds: 30, clock: SystemClock())
        while process.isRunning && !FreePorts.isListening(port) && !deadline.hasPassed { deadline.pause(seconds: 0.01) }
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? Files.remove(directory)
    }
}
