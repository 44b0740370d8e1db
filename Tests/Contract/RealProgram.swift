import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// The built program, called as Ansible calls it.
enum RealProgram {
    struct Missing: Error, CustomStringConvertible {
        let path: String
        var description: String { "\(path) is not there; run `make build`, or name a program in ACME_MODULES" }
    }

    /// What a call answered: one JSON document.
    struct Answer {
        let members: [String: JSONValue]
        let text: String

        subscript(_ name: String) -> JSONValue? { members[name] }
        var msg: String { members["msg"]?.string ?? "" }
        var failed: Bool { members["failed"]?.bool ?? false }
        var changed: Bool { members["changed"]?.bool ?? false }

        /// The members of a list's mappings under one name: `all("certificates", "action")`.
        func all(_ list: String, _ name: String) -> [JSONValue] {
            (members[list]?.array ?? []).map { $0[name] ?? .null }
        }
    }

    /// The package's directory.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// The program's path: `ACME_MODULES`, or what `make build` makes.
    static func path() throws -> String {
        let path = ProcessInfo.processInfo.environment["ACME_MODULES"] ?? "\(root)/build/\(architecture)/acme-modules"
        guard FileManager.default.isExecutableFile(atPath: path) else { throw Missing(path: path) }
        return path
    }

    private static var architecture: String {
        #if arch(arm64)
            "aarch64"
        #else
            "x86_64"
        #endif
    }

    /// Calls a module with these options.
    static func call(
        _ module: String, _ options: JSONValue, at location: SourceLocation = #_sourceLocation
    ) throws -> Answer {
        try run([path(), module], text: options.rendered, at: location)
    }

    /// Runs a command with the path of an arguments file, holding `text`, at its end.
    static func run(
        _ command: [String], text: String, at location: SourceLocation = #_sourceLocation
    ) throws -> Answer {
        try withTemporaryDirectory { directory in
            let file = directory + "/args"
            try AtomicFile.write(Array(text.utf8), to: file, access: .own(mode: 0o600))
            return try run(command + [file], at: location)
        }
    }

    /// Runs a command and holds its answer against what every answer promises: one line of ASCII on stdout that is one
    /// JSON mapping with `failed`, `changed` and `msg`, nothing on stderr, and the status that goes with `failed`.
    static func run(_ command: [String], at location: SourceLocation = #_sourceLocation) throws -> Answer {
        let result = try Program.run(command)
        #expect(result.stderr == "", sourceLocation: location)
        #expect(result.output.dropLast().allSatisfy { (0x20..<0x7f).contains($0) }, sourceLocation: location)
        #expect(result.output.last == 0x0a, sourceLocation: location)
        let members = try #require(JSONValue.parse(result.output)?.object, "\(result)", sourceLocation: location)
        let answer = Answer(members: members, text: result.stdout)
        #expect(answer["changed"]?.bool != nil, sourceLocation: location)
        #expect(result.status == (answer["failed"] == true ? 1 : 0), "\(result)", sourceLocation: location)
        #expect(answer["failed"] == .bool(answer.failed), sourceLocation: location)
        #expect(!answer.msg.isEmpty, sourceLocation: location)
        return answer
    }
}

/// The modules, with the lists that each of their results has.
enum ModuleContract: String, CaseIterable {
    case requestTokens = "acme_request_tokens"
    case finalize = "acme_finalize"
    case publishTXT = "acme_publish_txt"
    case writeHiera = "acme_write_hiera"
    case plan = "acme_plan"
    case account = "acme_account"
    case revoke = "acme_revoke"
    case info = "acme_certificate_info"

    var lists: [String] {
        switch self {
        case .requestTokens: ["txt_required", "certificates"]
        case .finalize: ["certificates", "updated"]
        case .publishTXT: ["added", "removed", "kept", "visible_on"]
        case .writeHiera: ["hosts", "updated", "orphaned"]
        case .plan: ["certificates", "domains", "accounts", "new_accounts", "name_sets", "exceeded", "first_run"]
        case .account: ["contacts"]
        case .revoke: ["domains", "deactivated"]
        case .info: ["certificates", "endpoints", "orders", "problems"]
        }
    }

    func expectLists(in answer: RealProgram.Answer, at location: SourceLocation = #_sourceLocation) {
        for list in lists {
            #expect(answer[list]?.array != nil, "\(rawValue) returned no list \(list)", sourceLocation: location)
        }
    }
}

/// Options that reach nothing outside a directory and need neither root nor a group of their own.
func hermetic(_ directory: String, _ more: [String: JSONValue]) -> JSONValue {
    let base: [String: JSONValue] = [
        "acme_directory": "https://127.0.0.1:9/directory", "cert_path": .string(directory + "/certs"),
        "state_path": .string(directory + "/state"), "owner": .string(String(geteuid())),
        "group": .string(String(getegid())), "timeout": 20,
    ]
    return .object(base.merging(more) { $1 })
}

/// Everything below a directory: paths with kinds, sizes and access, files with their bytes.
func listing(_ directory: String) throws -> [String] {
    try Files.list(directory).flatMap { name in
        let path = directory + "/" + name
        let status = try #require(try Files.status(path))
        let line = "\(path) \(status)"
        switch status.kind {
        case .directory: return [line] + (try listing(path))
        case .file: return ["\(line) \(try Files.read(path) ?? [])"]
        case .link: return ["\(line) -> \(Files.target(ofLink: path) ?? "")"]
        case .other: return [line]
        }
    }
}
