import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// Whether all is tried that can be, for as long as it takes: `make kill-test`.
let isExhaustive = ProcessInfo.processInfo.environment["EXHAUSTIVE"] == "1"

/// A system call of a run: the so-and-so-many-th of its name.
struct SystemCall: CustomStringConvertible, Sendable {
    let name: String
    let number: Int
    /// As strace writes it.
    let words: String

    /// By the name of the C library's function: on some machines it makes the call with `at` behind its name.
    init(either name: String, _ number: Int) {
        self.init(name: "?\(name),?\(name)at", number: number, words: "")
    }

    private init(name: String, number: Int, words: String) {
        self.name = name
        self.number = number
        self.words = words
    }

    var description: String { "\(name) \(number): \(words)" }

    /// What changes a file or a directory, as far as this program and the C library may use it.
    private static let changing = [
        "write", "pwrite64", "writev", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir",
        "mkdirat", "symlink", "symlinkat", "link", "linkat", "fchmod", "fchmodat", "fchown", "fchownat", "chmod",
        "chown",
        "ftruncate", "fallocate", "fsync", "fdatasync", "flock",
    ]
    private static let talking = ["sendto", "sendmsg", "recvfrom", "recvmsg"]

    /// Whether it changes a file below `directory`.
    func changes(_ directory: String) -> Bool {
        guard words.contains(directory) else { return false }
        return Self.changing.contains(name) || name == "openat" && words.contains("O_CREAT")
    }

    /// Whether it sends to a server or reads what one sent.
    var talks: Bool { Self.talking.contains(name) }

    /// All calls of such names that a run of this module makes in its own process, in order. Paths of open files are
    /// shown.
    static func trace(_ module: String, _ options: JSONValue) throws -> (
        calls: [SystemCall], answer: RealProgram.Answer
    ) {
        try withTemporaryDirectory { directory in
            let log = directory + "/log"
            let names = (changing + talking + ["openat"]).joined(separator: ",")
            let command = ["strace", "-qq", "-y", "-o", log, "-e", "trace=\(names)", try RealProgram.path(), module]
            let answer = try RealProgram.run(command, text: options.rendered)
            let lines = String(decoding: try Files.read(log) ?? [], as: UTF8.self).split(separator: "\n")
            var counts: [Substring: Int] = [:]
            let calls = lines.compactMap { line -> SystemCall? in
                guard let end = line.firstIndex(of: "(") else { return nil }
                counts[line[..<end], default: 0] += 1
                return SystemCall(
                    name: String(line[..<end]), number: counts[line[..<end]] ?? 0, words: String(line[end...]))
            }
            return (calls, answer)
        }
    }

    /// Runs a module and ends it at this call, which is not carried out; tells whether it came that far.
    func kill(_ module: String, _ options: JSONValue) throws -> Bool {
        try inject("signal=KILL", module, options).status == 137
    }

    /// Runs a module and lets this call fail with that error.
    func fail(_ error: String, _ module: String, _ options: JSONValue) throws -> RealProgram.Answer {
        let result = try inject("error=\(error)", module, options)
        let members = try #require(JSONValue.parse(result.output)?.object, "\(self): \(result)")
        return RealProgram.Answer(members: members, text: result.stdout)
    }

    private func inject(_ what: String, _ module: String, _ options: JSONValue) throws -> ProgramResult {
        try withTemporaryDirectory { directory in
            let file = directory + "/args"
            try AtomicFile.write(Array(options.rendered.utf8), to: file, access: .own(mode: 0o600))
            return try Program.run([
                "strace", "-qq", "-o", "/dev/null", "-e", "trace=\(name)", "-e",
                "inject=\(name):\(what):when=\(number)",
                try RealProgram.path(), module, file,
            ])
        }
    }
}
