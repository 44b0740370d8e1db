import Foundation
import Testing

/// What a run in check mode said that the same run would do.
struct Prediction {
    private let run: PlaybookRun

    init(_ run: PlaybookRun) { self.run = run }

    /// With FORETOLD in the environment each run of the playbooks by the tests is tried in check mode before.
    static func wanted(before arguments: [String], _ play: ([String]) throws -> PlaybookRun) rethrows -> Prediction? {
        let environment = ProcessInfo.processInfo.environment
        guard environment["FORETOLD"] != nil, !arguments.contains("--check") else { return nil }
        return Prediction(try play(["--check"]))
    }

    /// What the run then did is what was said, as far as anybody could know. A run that fails does what the CA or a
    /// server lets it, and handlers are the tests' own.
    func expect(_ done: PlaybookRun, sourceLocation: SourceLocation = #_sourceLocation) {
        guard done.isFine else { return }
        #expect(run.isFine, "\(run)", sourceLocation: sourceLocation)
        let fresh = Set(done.changes.filter { $0.task.hasSuffix(" : Copy the agent") }.map(\.host))
        let missed = done.changes.subtracting(run.changes).filter { !fresh.contains($0.host) || !$0.isOfModules }
        #expect(missed == [], "not foretold: \(run)", sourceLocation: sourceLocation)
        // Whether authorizations are still valid only the CA knows, and it is not asked.
        let wrong = run.changes.subtracting(done.changes).filter {
            !$0.task.hasSuffix(" : Publish the tokens of all hosts")
        }
        #expect(wrong == [], "foretold, and not done: \(done)", sourceLocation: sourceLocation)
    }
}

/// A task that changed something on a host.
struct Change: Hashable {
    let host: String
    let task: String

    /// Without the agent a module can say nothing.
    fileprivate var isOfModules: Bool { !task.hasPrefix("letsencrypt_install : ") }
}

extension PlaybookRun {
    /// What the roles changed.
    var changes: Set<Change> {
        var changes: Set<Change> = []
        var task = ""
        for line in output.split(separator: "\n") {
            if let match = line.firstMatch(of: /^(?:TASK|RUNNING HANDLER) \[(.*)\] \*/) { task = String(match.1) }
            if let match = line.firstMatch(of: /^changed: \[([^\] ]+)/), task.hasPrefix("letsencrypt_") {
                changes.insert(Change(host: String(match.1), task: task))
            }
        }
        return changes
    }
}
