package import Names
package import Platform

/// Asks every authoritative server of a zone directly until each shows every value that was published.
package struct Visibility {
    /// What one server does not show, or how it failed to answer.
    package enum Lack: Sendable, Equatable {
        case values([String])
        /// It answered, without the values, that the zone is not its own.
        case notAuthoritative
        case failed(DNSError)
    }

    /// How a wait ended.
    package struct Outcome: Sendable {
        /// The servers that showed everything, in the order in which they were given.
        package let visible: [AuthoritativeServer]
        package let lacking: [VisibilityError.Entry]
        /// Seconds from the first question to the end.
        package let waited: Double

        /// The values that a server answered without. One that gave no answer may well have them.
        package var unseen: [DNSName: Set<String>] {
            lacking.reduce(into: [:]) { unseen, entry in
                if case .values(let values) = entry.lack { unseen[entry.name, default: []].formUnion(values) }
            }
        }

        /// The sentence for what is lacking; nil where nothing is.
        package var error: VisibilityError? {
            lacking.isEmpty ? nil : VisibilityError(entries: lacking, waited: waited)
        }
    }

    /// One name to be seen on one server; `asked` is where its aliases have led so far.
    private struct Sight {
        let server: AuthoritativeServer
        let name: DNSName
        let values: [String]
        var asked: DNSName
        /// Where the aliases end that the server answered with; nil where the name is none.
        var alias: DNSName?
        var lack: Lack?
        /// Whether a server has said something of it; silence at the very end does not hide that.
        var isAnswered = false
    }

    /// Aliases that are followed on one server.
    private static let hops = 8
    private static let firstPause = 0.05
    private static let longestPause = 2.0
    /// Seconds that the last look may take past the deadline: cut off, it would see nothing.
    private static let grace = 0.5

    private let zone: DNSName
    private let values: [DNSName: [String]]
    private let servers: [AuthoritativeServer]

    /// `values` are the TXT values that each name must have; others beside them do not matter.
    package init(zone: DNSName, values: [DNSName: [String]], servers: [AuthoritativeServer]) {
        self.zone = zone
        self.values = values
        self.servers = servers
    }

    /// Looks at once, then again and again, soon at first and less often later, until all is visible or the deadline
    /// has passed. Servers and names are asked in parallel; what was seen once is not asked again.
    package func wait(until deadline: Deadline) -> Outcome {
        let start = deadline.clock.uptime
        var sights = sights
        var pause = Self.firstPause
        look(at: &sights, deadline)
        while sights.contains(where: { $0.lack != nil }) && !deadline.hasPassed {
            deadline.pause(seconds: pause)
            pause = min(pause * 1.5, Self.longestPause)
            look(at: &sights, deadline)
        }
        return outcome(of: sights, waited: deadline.clock.uptime - start)
    }

    /// Looks once; what has not answered by the deadline has failed.
    package func look(until deadline: Deadline) -> Outcome {
        let start = deadline.clock.uptime
        var sights = sights
        look(at: &sights, deadline)
        return outcome(of: sights, waited: deadline.clock.uptime - start)
    }

    private var sights: [Sight] {
        servers.flatMap { server in
            values.sorted { $0.key < $1.key }.map { name, values in
                Sight(server: server, name: name, values: values, asked: name, lack: .values(values))
            }
        }
    }

    private func outcome(of sights: [Sight], waited: Double) -> Outcome {
        let lacking = sights.compactMap { sight in
            sight.lack.map {
                VisibilityError.Entry(server: sight.server, name: sight.name, alias: sight.alias, lack: $0)
            }
        }
        let blind = Set(lacking.map(\.server))
        return Outcome(visible: servers.filter { !blind.contains($0) }, lacking: lacking, waited: waited)
    }

    /// One look at everything that is still lacking, following aliases.
    private func look(at sights: inout [Sight], _ deadline: Deadline) {
        var open = sights.indices.filter { sights[$0].lack != nil }
        for index in open { sights[index].asked = sights[index].name }
        let end = Deadline(seconds: max(deadline.remaining, Self.grace), clock: deadline.clock)
        for _ in 0..<Self.hops where !open.isEmpty {
            let errands = open.map { index in
                Transport.Errand(
                    question: Question(sights[index].asked, .txt, recursion: false),
                    server: sights[index].server.address)
            }
            let results = Transport.run(errands, deadline: end)
            open = zip(open, results).compactMap { index, result in
                judge(result, &sights[index], isLast: deadline.hasPassed) ? index : nil
            }
        }
    }

    /// Notes what an answer shows; true where it leads to another name of the zone that is to be asked for.
    private func judge(_ result: Result<Answer, DNSError>, _ sight: inout Sight, isLast: Bool) -> Bool {
        do throws(DNSError) {
            let answer = try result.get()
            sight.isAnswered = true
            guard answer.code == .noError || answer.code == .noSuchName else {
                let question = Question(sight.asked, .txt, recursion: false)
                throw .answered(server: sight.server.address, question: question, code: answer.code)
            }
            let end = try answer.end(of: sight.asked)
            sight.alias = end == sight.name ? nil : end
            let texts = Set(answer.texts(of: end).map { String(decoding: $0, as: UTF8.self) })
            let missing = sight.values.filter { !texts.contains($0) }
            if missing.isEmpty {
                sight.lack = nil
            } else {
                sight.lack = answer.isAuthoritative ? .values(missing) : .notAuthoritative
            }
            guard end != sight.asked, texts.isEmpty, end.isInside(zone) else { return false }
            sight.asked = end
            return true
        } catch {
            if case .timedOut = error, sight.isAnswered, isLast { return false }
            sight.lack = .failed(error)
            return false
        }
    }
}

/// Values that some servers do not show, each server with what it lacks or how it answered.
package struct VisibilityError: Error, Sendable, CustomStringConvertible {
    package struct Entry: Sendable, Equatable {
        package let server: AuthoritativeServer
        package let name: DNSName
        /// What the name is an alias of there; nil where it is none.
        package let alias: DNSName?
        package let lack: Visibility.Lack

        /// What it has in common with other names at the same server: one sentence does for all of them.
        fileprivate var kind: [String] {
            switch lack {
            case .values: [server.description, "values"]
            case .notAuthoritative: [server.description, "not authoritative"]
            case .failed(.timedOut): [server.description, "timed out"]
            case .failed(.answered(_, _, let code)): [server.description, "answered", code.description]
            case .failed(.unreachable(_, _, let reason)): [server.description, "unreachable", reason]
            case .failed(.malformed(_, _, let reason)): [server.description, "malformed", reason]
            case .failed(.noRecord): [server.description, "no record"]
            case .failed(.endlessAliases): [server.description, "endless aliases"]
            case .failed(.unaskable): [server.description, "unaskable"]
            case .failed(.noServers): ["no servers"]
            }
        }
    }

    /// Complaints that are written out, one for each server and kind of failure.
    private static let most = 10
    /// Names that are written out where values are lacking; a fleet has many.
    private static let mostNames = 3

    package let entries: [Entry]
    package let waited: Double

    package var description: String {
        let complaints = groups.map(Self.describe)
        let shown = complaints.prefix(Self.most).joined(separator: "; ")
        let rest = complaints.count > Self.most ? "; and \(complaints.count - Self.most) more" : ""
        return "after \(Int(waited.rounded())) s, not every name server shows the published records: "
            + shown + rest + advice
    }

    /// The entries of each server and kind, in the order of the first of each.
    private var groups: [[Entry]] {
        var groups: [[Entry]] = []
        var places: [[String]: Int] = [:]
        for entry in entries {
            if let place = places[entry.kind] {
                groups[place].append(entry)
            } else {
                places[entry.kind] = groups.count
                groups.append([entry])
            }
        }
        return groups
    }

    /// What to do about servers that say nothing at all.
    private var advice: String {
        var silent: [AuthoritativeServer] = []
        for entry in entries {
            if case .failed(.timedOut) = entry.lack, !silent.contains(entry.server) { silent.append(entry.server) }
        }
        if silent.isEmpty { return "" }
        let places = silent.prefix(3).map { "port \($0.address.port) of \($0.address.address)" }
        let more = silent.count > 3 ? " and \(silent.count - 3) more" : ""
        return "; look whether a server listens at \(places.joined(separator: ", "))\(more) and firewalls let UDP and "
            + "TCP through from this host, name other servers in servers, or give visible_timeout more seconds"
    }

    /// One sentence for entries of one server and kind, of which there is at least one.
    private static func describe(_ entries: [Entry]) -> String {
        let first = entries[0]
        let more = entries.count > 1 ? " (and \(entries.count - 1) more names)" : ""
        switch first.lack {
        case .values:
            let shown = entries.prefix(mostNames).map(values).joined(separator: ", ")
            let rest = entries.count - mostNames
            return "\(first.server) lacks " + shown + (rest > 0 ? " and values of \(rest) more names" : "")
        case .notAuthoritative: return "\(first.server) is not authoritative for \(first.name)\(more)"
        case .failed(let error): return (first.server.name.map { "\($0): " } ?? "") + "\(error)\(more)"
        }
    }

    /// What is lacking at one name.
    private static func values(of entry: Entry) -> String {
        guard case .values(let values) = entry.lack else { return "" }
        let hint = entry.alias.map {
            ", which is an alias of \($0) there (a server takes no TXT record beside a CNAME: remove that one, or "
                + "publish at \($0))"
        }
        return "\(list(values)) at \(entry.name)\(hint ?? "")"
    }

    private static func list(_ values: [String]) -> String {
        let shown = values.prefix(3).map { "'\($0)'" }.joined(separator: ", ")
        return values.count > 3 ? shown + " and \(values.count - 3) more values" : shown
    }
}
