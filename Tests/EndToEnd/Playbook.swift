import Foundation
import TestSupport
import Testing

/// What a run of `ansible-playbook` did to a host, as its recap tells.
struct Recap: Equatable {
    let changed: Int
    let unreachable: Int
    let failed: Int

    static let unchanged = Recap(changed: 0, unreachable: 0, failed: 0)

    var isFine: Bool { unreachable == 0 && failed == 0 }
}

/// A run of `ansible-playbook` that has ended.
struct PlaybookRun: CustomStringConvertible {
    let status: Int32
    let output: String

    var description: String { "status \(status)\n\(output)" }

    /// The output in one line: sentences are found in it however they were folded.
    var sentences: String { output.split(whereSeparator: \.isWhitespace).joined(separator: " ") }

    /// By host, those that had something to do.
    var recap: [String: Recap] {
        let recaps = output.matches(
            of: #/(?m)^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+) /#)
        return Dictionary(
            recaps.map { match in
                let numbers = [match.2, match.3, match.4].map { Int($0) ?? 0 }
                return (String(match.1), Recap(changed: numbers[0], unreachable: numbers[1], failed: numbers[2]))
            }, uniquingKeysWith: { $1 })
    }

    /// It ran, and no host failed.
    var isFine: Bool { status == 0 && !recap.isEmpty && recap.values.allSatisfy { $0.isFine } }
    var changedNothing: Bool { isFine && recap.values.allSatisfy { $0 == .unchanged } }

    /// The handlers that ran, `letsencrypt updated balanced` as `web01: balanced`.
    var handlers: Set<String> {
        var ran: Set<String> = []
        var handler: Substring?
        for line in output.split(separator: "\n") {
            if let match = line.firstMatch(of: /^RUNNING HANDLER \[(?:.* : )?(?:letsencrypt updated )?([^\]]+)\]/) {
                handler = match.1
            } else if line.hasPrefix("TASK [") || line.hasPrefix("PLAY ") {
                handler = nil
            } else if let handler, let match = line.firstMatch(of: /^(?:ok|changed): \[([^\]]+)\]/) {
                ran.insert("\(match.1): \(handler)")
            }
        }
        return ran
    }

    /// The sentence that a host failed with at the end; empty where it did not.
    func report(of host: String) -> String {
        let report = output.components(separatedBy: "TASK [letsencrypt_create_certs : Say which certificates failed]")
        guard report.count > 1 else { return "" }
        let words = report[1].split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let begin = "Action failed: \(host): "
        guard let start = words.range(of: begin)?.upperBound else { return "" }
        return words[start...].components(separatedBy: " Origin: ")[0]
    }
}

extension Inventory {
    /// Runs `playbooks/base.yaml` over the inventory; `isForeseeable` where nothing depends on what only the CA knows.
    func play(_ arguments: String..., python: String = ".venv", isForeseeable: Bool = true) throws -> PlaybookRun {
        try play(arguments, python: python, isForeseeable)
    }

    private func play(
        _ arguments: [String], python: String = ".venv", _ isForeseeable: Bool = true
    ) throws -> PlaybookRun {
        try written { inventory in
            let words = ["ansible-playbook", "-i", inventory, Lab.root + "/playbooks/base.yaml"] + arguments
            let predict = { try Self.run(words + $0, python: python) }
            let predicted = try isForeseeable ? Prediction.wanted(before: arguments, predict) : nil
            let run = try Self.run(words, python: python)
            predicted?.expect(run)
            return run
        }
    }

    /// The same on a thread of its own.
    func playInParallel(_ arguments: String...) async throws -> PlaybookRun {
        try await withCheckedThrowingContinuation { continuation in
            let inventory = self
            Thread.detachNewThread {
                continuation.resume(with: Result { try inventory.play(arguments) })
            }
        }
    }

    /// Runs one module on a host, ad hoc.
    func call(_ module: String, on host: String, _ arguments: String) throws -> PlaybookRun {
        try written { inventory in
            try Self.run(["ansible", "-i", inventory, host, "-m", module, "-a", arguments])
        }
    }

    /// From the checkout's own Python environment, with the checkout's configuration.
    static func run(_ arguments: [String], python: String = ".venv", settings: [String: String] = [:]) throws
        -> PlaybookRun
    {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        // The threads of tests block signals, and what they start would too: Ansible's timeouts need this one.
        let ended = try Program.run(
            ["--default-signal=ALRM"] + arguments,
            environment: [
                "PATH": "\(Lab.root)/\(python)/bin:\(path)",
                "ANSIBLE_CONFIG": Lab.root + "/ansible/ansible.cfg",
                "ANSIBLE_NOCOLOR": "1",
            ].merging(settings) { $1 })
        return PlaybookRun(status: ended.status, output: ended.stdout + ended.stderr)
    }
}
