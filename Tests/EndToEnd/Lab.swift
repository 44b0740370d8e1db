import Foundation
import TestSupport

/// The world that `make lab-up` started: where its parts are, as its file of shell assignments tells.
struct Lab: Sendable {
    struct NotRunning: Error, CustomStringConvertible {
        let description = "no lab is running; make lab-up, or make test"
    }

    /// A test found something else than it needs to go on.
    struct Unexpected: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) { self.description = description }
    }

    /// The top of the repository.
    static let root = #filePath.components(separatedBy: "/Tests/EndToEnd/")[0]

    /// Nil where none is running.
    static let running: Lab? = try? Lab()

    /// Takes away, once, what an earlier run of the tests left on the hosts and in the signing zone.
    static let emptied = Result {
        for host in [Host.web01, .web02, .web03] {
            try host.forgetAgent()
            try host.run("rm -f /etc/nginx/sites-enabled/*")
        }
        try Zone.clear()
    }

    private let values: [String: String]

    private init() throws {
        let file = ProcessInfo.processInfo.environment["LAB_ENV"] ?? Self.root + "/.lab/lab.env"
        guard FileManager.default.fileExists(atPath: file) else { throw NotRunning() }
        let assigned = try Program.run(["env", "-i", "sh", "-c", #"set -a; . "$1"; /usr/bin/env"#, "sh", file])
        let pairs = assigned.stdout.split(separator: "\n").compactMap { line -> (String, String)? in
            let parts = line.split(separator: "=", maxSplits: 1)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
        values = Dictionary(pairs) { $1 }
    }

    static func current() throws -> Lab {
        guard let running else { throw NotRunning() }
        return running
    }

    /// The value of a name in lab.env.
    subscript(_ name: String) -> String {
        get throws {
            guard let value = values["LAB_" + name] else { throw Unexpected("lab.env does not assign LAB_\(name)") }
            return value
        }
    }

    var mainZone: String { get throws { try self["MAIN_ZONE"] } }
    var signingZone: String { get throws { try self["SIGNING_ZONE"] } }

    /// The program under test.
    static var program: String {
        get throws {
            let machine = try Program.run(["uname", "-m"]).stdout.trimmingCharacters(in: .newlines)
            let found = ProcessInfo.processInfo.environment["ACME_MODULES"]
            return found ?? "\(root)/build/\(machine)/acme-modules"
        }
    }
}

/// A CA of the lab.
enum CA: String, Sendable, CaseIterable {
    case main = ""
    case reuseNone = "_REUSE_NONE"
    case reuseHalf = "_REUSE_HALF"
    case reuseAll = "_REUSE_ALL"
    /// Its certificates last 30 seconds.
    case short = "_SHORT"

    /// The ones that refuse 30 per cent of good nonces, and reuse no, half of and all authorizations.
    static let difficult: [CA] = [.reuseNone, .reuseHalf, .reuseAll]

    var directory: String {
        get throws { try Lab.current()["ACME_DIRECTORY" + rawValue] }
    }

    /// The root that its chains end in, as PEM.
    var root: String {
        get throws {
            let lab = try Lab.current()
            let url = try lab["ACME_ROOTS" + rawValue]
            let fetched = try Program.run(["curl", "-sSf", "--noproxy", "*", "--cacert", try lab["ACME_CA"], url])
            guard fetched.status == 0 else { throw Lab.Unexpected("cannot fetch \(url): \(fetched.stderr)") }
            return fetched.stdout
        }
    }
}
