package import AnsibleModule
package import DNS
internal import Names
internal import Platform

/// An operator's own program, which brings records to a DNS service that no other provider knows (S16).
package struct CommandService: RecordService {
    package static let option = "command"

    /// How often the program is called.
    private enum Calls: String, CaseIterable {
        /// Once, with all records as JSON on standard input.
        case run
        /// For each record, with `ACME_ACTION`, `ACME_NAME`, `ACME_VALUE` and `ACME_ZONE` in its environment.
        case record
    }

    private let program: Command
    private let calls: Calls
    private let environment: Secret<[String: String]>
    private let task: PublishingTask

    package init(_ options: inout Options, for task: PublishingTask) throws(OptionError) {
        guard let program = try options.command("run", default: []) else { throw options.missing("run") }
        self.program = program
        calls = try options.choice("per", default: .run)
        environment = Secret(try Self.environment(&options))
        self.task = task
    }

    private static func environment(_ options: inout Options) throws(OptionError) -> [String: String] {
        guard var given = try options.mapping("environment") else { return [:] }
        var environment: [String: String] = [:]
        for name in given.names {
            guard name.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil else {
                throw given.invalid(name, "cannot be the name of a variable: those are letters, digits and _")
            }
            environment[name] = try given.secret(name)?.revealed
        }
        return environment
    }

    /// The words of the program may change while the records that it wrote stay the same.
    package var identity: String { Self.option }

    /// A program is told what to do, not asked.
    package func held(among records: [TXTRecord]) -> Set<TXTRecord>? { nil }

    package func change(adding: [TXTRecord], removing: [TXTRecord]) throws(PublishError) -> Removal {
        switch calls {
        case .run: return try change(adding: adding, removing: removing, together: changeAll)
        case .record:
            // The remove of many a script takes the whole set of the name away.
            let removal = remove(removing)
            for record in adding { try change("add", record) }
            return removal
        }
    }

    private func changeAll(adding: [TXTRecord], removing: [TXTRecord]) throws(PublishError) {
        let document: JSONValue = [
            "zone": .string(task.zone.description), "add": Self.list(adding), "remove": Self.list(removing),
        ]
        try run(program, input: Array(document.rendered.utf8) + [0x0a], environment: [:])
    }

    private static func list(_ records: [TXTRecord]) -> JSONValue {
        .array(records.map { ["name": .string($0.name.description), "value": .string($0.value.text)] })
    }

    private func change(_ action: String, _ record: TXTRecord) throws(PublishError) {
        let facts = [
            "action": action, "name": record.name.description, "value": record.value.text,
            "zone": task.zone.description,
        ]
        let filled: Command
        do throws(SystemError) {
            filled = try program.filling(facts)
        } catch {
            throw failure(program, "cannot be run: \(error)")
        }
        let variables = facts.map { ("ACME_" + $0.key.uppercased(), $0.value) }
        try run(filled, input: [], environment: Dictionary(uniqueKeysWithValues: variables))
    }

    /// What cannot be removed is left for the next call: it stands in nobody's way.
    private func remove(_ records: [TXTRecord]) -> Removal {
        var removal = Removal()
        for record in records {
            do throws(PublishError) {
                try change("remove", record)
            } catch {
                removal.left.insert(record)
                removal.warnings.append("\(error); \(record.name) keeps an old value until the next call")
            }
        }
        return removal
    }

    private func run(_ command: Command, input: [UInt8], environment more: [String: String]) throws(PublishError) {
        let outcome: Command.Outcome
        do throws(SystemError) {
            outcome = try command.run(
                input: input, environment: environment.revealed.merging(more) { $1 }, deadline: task.deadline)
        } catch {
            throw failure(command, "cannot be run: \(error)")
        }
        guard outcome.succeeded else { throw failure(command, outcome.description) }
    }

    /// Characters from which on a value of the environment is taken for a secret: shorter ones stand in many a word.
    private static let shortestSecret = 6

    /// What a program says of itself may hold what it was given to keep.
    private func failure(_ command: Command, _ problem: String) -> PublishError {
        let secrets = environment.revealed.values.filter { $0.count >= Self.shortestSecret }.sorted {
            $0.utf8.count > $1.utf8.count
        }
        let shown = secrets.reduce(problem) { $0.replacing($1, with: "(hidden)") }
        return PublishError("the zone \(task.zone) was not published: \(command) \(shown)")
    }
}
