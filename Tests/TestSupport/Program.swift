internal import Foundation
internal import Platform

/// How a program ended and what it wrote.
package struct ProgramResult: Sendable, CustomStringConvertible {
    /// The exit status, or 128 and the number of the signal that ended it, as a shell counts.
    package let status: Int32
    /// What it wrote, byte for byte.
    package let output: [UInt8]
    package let stderr: String

    package var stdout: String { String(decoding: output, as: UTF8.self) }
    package var description: String { "status \(status)\n\(stdout)\(stderr)" }
}

/// Real programs, run from tests.
package enum Program {
    /// Runs a program to its end: `arguments` begins with its name, looked up in PATH (status 127 where there is none).
    ///
    /// `environment` is added to the test's own. Input and output go through files, so that no amount of either, and
    /// no child that outlives the program, makes this wait.
    package static func run(
        _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:], directory: String? = nil
    ) throws -> ProgramResult {
        try withTemporaryDirectory { scratch in
            let files = (input: scratch + "/input", output: scratch + "/output", errors: scratch + "/errors")
            try AtomicFile.write(input, to: files.input, access: .own(mode: 0o600))
            try AtomicFile.write([], to: files.output, access: .own(mode: 0o600))
            try AtomicFile.write([], to: files.errors, access: .own(mode: 0o600))

            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
            process.standardInput = try handle(FileHandle(forReadingAtPath: files.input), files.input)
            process.standardOutput = try handle(FileHandle(forWritingAtPath: files.output), files.output)
            process.standardError = try handle(FileHandle(forWritingAtPath: files.errors), files.errors)
            try process.run()
            process.waitUntilExit()

            let bySignal = process.terminationReason == .uncaughtSignal
            return ProgramResult(
                status: process.terminationStatus + (bySignal ? 128 : 0),
                output: try Files.read(files.output, limit: 256 << 20) ?? [],
                stderr: String(decoding: try Files.read(files.errors, limit: 256 << 20) ?? [], as: UTF8.self))
        }
    }

    private static func handle(_ handle: FileHandle?, _ path: String) throws -> FileHandle {
        guard let handle else { throw SystemError("open", path) }
        return handle
    }
}
