package import AnsibleModule
package import DNS
internal import Names
internal import Platform

/// A name server that takes dynamic updates (RFC 2136), signed with TSIG (RFC 8945). BIND's `nsupdate` sends them.
package struct DynamicUpdateService: RecordService {
    package static let option = "rfc2136"

    /// Bytes of records in one update: a message has 65,535 (RFC 1035, section 4.2.2), and needs room for the rest.
    private static let largestUpdate = 60_000
    /// Seconds that a server may take to say what it holds.
    private static let lookPatience: Double = 10
    /// Seconds that it may take to say the serial, which nothing depends on.
    private static let serialPatience: Double = 2

    private let server: ServerAddress
    private let keyFile: String?
    private let ttl: Int
    private let task: PublishingTask

    package init(_ options: inout Options, for task: PublishingTask) throws(OptionError) {
        let text = try options.requiredString("server")
        do {
            server = try ServerAddress(text)
        } catch {
            throw options.invalid("server", "cannot be used: \(error)")
        }
        keyFile = try options.secretFile("key_file")?.path
        ttl = try options.integer("ttl", default: 60, in: 1...86_400)
        self.task = task
    }

    package var identity: String { "\(Self.option).\(server)" }

    /// Asks the server itself; nil where it answers nobody but its secondaries, or not at all.
    package func held(among records: [TXTRecord]) -> Set<TXTRecord>? {
        let values = Dictionary(grouping: records, by: \.name).mapValues { $0.map(\.value.text) }
        let seconds = min(Self.lookPatience, task.deadline.remaining)
        let outcome = Visibility(zone: task.zone, values: values, servers: [AuthoritativeServer(address: server)])
            .look(until: Deadline(seconds: seconds, clock: SystemClock()))
        var held = Set(records)
        for entry in outcome.lacking {
            guard case .values(let texts) = entry.lack else { return nil }
            held = held.filter { $0.name != entry.name || !texts.contains($0.value.text) }
        }
        return held
    }

    package func serial() -> UInt32? {
        let seconds = min(Self.serialPatience, task.deadline.remaining)
        return ZoneSerial.ask(
            of: task.zone, at: server, until: Deadline(seconds: seconds, clock: SystemClock()))
    }

    /// Adding what is there, and removing what is not, are no errors (RFC 2136, section 3.4.2).
    package func change(adding: [TXTRecord], removing: [TXTRecord]) throws(PublishError) -> Removal {
        // Without input nsupdate only reads its key. It would go on without one, and send the updates unsigned.
        if keyFile != nil { try run("") }
        return try change(adding: adding, removing: removing) { (adding, removing) throws(PublishError) in
            try run(script(adding: adding, removing: removing))
        }
    }

    // MARK: The script

    private struct Update {
        let record: TXTRecord
        /// What follows `update` in nsupdate's language.
        let words: String

        /// Bytes on the wire, without compression: name, type, class, TTL, length, and the string with its own.
        var size: Int { record.name.description.utf8.count + 2 + 10 + 1 + record.value.text.utf8.count }
    }

    /// As few updates as the records fit into. A server does what an update says from its head to its end.
    private func script(adding: [TXTRecord], removing: [TXTRecord]) -> String {
        let updates =
            removing.map { Update(record: $0, words: "delete \($0.name). TXT \($0.value.quoted)") }
            + adding.map { Update(record: $0, words: "add \($0.name). \(ttl) TXT \($0.value.quoted)") }
        var script = "server \(server.address) \(server.port)\nzone \(task.zone).\n"
        var size = 0
        for update in updates {
            if size + update.size > Self.largestUpdate {
                script += "send\n"
                size = 0
            }
            script += "update \(update.words)\n"
            size += update.size
        }
        return script + "send\n"
    }

    private func run(_ script: String) throws(PublishError) {
        let seconds = String(max(1, Int(task.deadline.remaining)))
        let words = ["nsupdate", "-v", "-t", seconds] + (keyFile.map { ["-k", $0] } ?? [])
        let outcome: Command.Outcome
        do throws(SystemError) {
            outcome = try Command(words).run(input: Array(script.utf8), deadline: task.deadline)
        } catch {
            throw failure("nsupdate cannot be run: \(error); install bind9-dnsutils (or bind-utils)")
        }
        // What it says of a key that it cannot use quotes the file, secret and all: it is not repeated.
        let said = String(decoding: outcome.errors, as: UTF8.self)
        if let keyFile, ["could not ", "unknown key type"].contains(where: said.contains) {
            throw failure("nsupdate finds no usable TSIG key in \(keyFile); tsig-keygen writes such a file")
        }
        guard outcome.succeeded else {
            throw failure("nsupdate to \(server) \(outcome.description)\(hint(on: outcome))")
        }
    }

    private func failure(_ problem: String) -> PublishError {
        PublishError("the zone \(task.zone) was not published: \(problem)")
    }

    /// What to do about the response code (RFC 2136, section 2.2; RFC 8945, section 5.2) that nsupdate names.
    private func hint(on outcome: Command.Outcome) -> String {
        let said = String(decoding: outcome.errors, as: UTF8.self)
        let key = keyFile.map { "the key of \($0)" } ?? "updates without a key (rfc2136.key_file)"
        let unreachable =
            "; does a name server listen at port \(server.port) of \(server.address), and do firewalls let TCP through "
            + "from this host?"
        let hints = [
            ("BADKEY", "; the server does not know the name of \(key)"),
            ("BADSIG", "; the server has another secret under the name of \(key)"),
            ("BADTIME", "; the clocks of this host and of the server differ"),
            ("NOTAUTH", "; is it the primary server of \(task.zone), and does it know \(key)?"),
            ("NOTZONE", "; the server has no zone \(task.zone)"),
            ("REFUSED", "; let \(key) change TXT records of \(task.zone) there (BIND: update-policy)"),
            ("Communication with", unreachable), ("end of file", unreachable),
            ("SERVFAIL", "; its log says why (BIND holds max-records-per-type values at one name, 100 by default)"),
        ]
        return hints.first { said.contains($0.0) }?.1 ?? ""
    }
}
