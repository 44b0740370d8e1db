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
    /// How often each name was called before.
    let earlier: [String: Int]

    /// By the name of the C library's function: on some machines it makes the call with `at` behind its name.
    init(either name: String, _ number: Int) {
        self.init(name: "?\(name),?\(name)at", number: number, words: "", earlier: [:])
    }

    private init(name: String, number: Int, words: String, earlier: [String: Int]) {
        self.name = name
        self.number = number
        self.words = words
        self.earlier = earlier
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
    /// shown. The run must have succeeded, and have put something new at each path that ends in one of these.
    static func trace(
        _ module: String, _ options: JSONValue, replacing ends: [String],
        at location: SourceLocation = #_sourceLocation
    ) throws -> [SystemCall] {
        try withTemporaryDirectory { directory in
            let log = directory + "/log"
            let names = (changing + talking + ["openat"]).joined(separator: ",")
            let command = ["strace", "-qq", "-y", "-o", log, "-e", "trace=\(names)", try RealProgram.path(), module]
            let answer = try RealProgram.run(command, text: options.rendered, at: location)
            let calls = parse(String(decoding: try Files.read(log) ?? [], as: UTF8.self))
            #expect(!answer.failed && answer.changed, "\(answer.msg)", sourceLocation: location)
            for end in ends {
                let isReplaced = calls.contains { $0.name.hasPrefix("rename") && $0.words.contains(end + "\"") }
                #expect(isReplaced, "nothing was renamed to \(end)", sourceLocation: location)
            }
            return calls
        }
    }

    private static func parse(_ log: String) -> [SystemCall] {
        var counts: [String: Int] = [:]
        let lines: [Substring] = log.split(separator: "\n")
        return lines.compactMap { line -> SystemCall? in
            guard let end = line.firstIndex(of: "(") else { return nil }
            let (name, earlier) = (String(line[..<end]), counts)
            counts[name, default: 0] += 1
            return SystemCall(
                name: name, number: counts[name] ?? 0, words: String(line.dropFirst(name.count)), earlier: earlier)
        }
    }

    /// Runs a module and ends it at this call, which is not carried out; tells whether it came that far.
    func kill(_ module: String, _ options: JSONValue) throws -> Bool { try lastWords(module, options) != nil }

    /// The same, and what the run had said by then; nil where it came to its own end.
    func lastWords(_ module: String, _ options: JSONValue) throws -> [UInt8]? {
        let result = try inject([(name, "signal=KILL:when=\(number)")], module, options).result
        return result.status == 137 ? result.output : nil
    }

    /// Runs a module and lets this call fail with that error, and of the `lasting` names every call from there on.
    func fail(
        _ error: String, lasting: [String] = [], _ module: String, _ options: JSONValue,
        at location: SourceLocation = #_sourceLocation
    ) throws -> RealProgram.Answer {
        let one = lasting.contains(name) ? [] : [(name, "error=\(error):when=\(number)")]
        let many = lasting.map { ($0, "error=\(error):when=\(earlier[$0, default: 0] + 1)+") }
        let (result, log) = try inject(one + many, module, options)
        #expect(log.contains("(INJECTED)"), "\(self) did not fail", sourceLocation: location)
        let members = try #require(
            JSONValue.parse(result.output)?.object, "\(self): \(result)", sourceLocation: location)
        return RealProgram.Answer(members: members, text: result.stdout)
    }

    private func inject(
        _ what: [(name: String, fault: String)], _ module: String, _ options: JSONValue
    ) throws -> (result: ProgramResult, log: String) {
        try withTemporaryDirectory { directory in
            let (file, log) = (directory + "/args", directory + "/log")
            try AtomicFile.write(Array(options.rendered.utf8), to: file, access: .own(mode: 0o600))
            let names = what.map(\.name).joined(separator: ",")
            let faults = what.flatMap { ["-e", "inject=\($0.name):\($0.fault)"] }
            let result = try Program.run(
                ["strace", "-qq", "-o", log, "-e", "trace=\(names)"] + faults
                    + [try RealProgram.path(), module, file])
            return (result, String(decoding: try Files.read(log) ?? [], as: UTF8.self))
        }
    }
}

extension [SystemCall] {
    /// All of them where that is wanted, else the first of each name.
    var chosen: [SystemCall] {
        if isExhaustive { return self }
        var seen: Set<String> = []
        return filter { seen.insert($0.name).inserted }
    }
}
