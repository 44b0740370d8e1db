internal import AnsibleModule

/// All TXT records of one name, as Designate lists them. A deleted set is listed no more, and another can be made at
/// once, though the name servers may still show the old one.
struct RecordSet: Equatable {
    enum State: Equatable {
        case active
        /// Taken, and not yet on the name servers.
        case pending
        case error
    }

    let id: String
    /// As on the wire, each one or more quoted strings: `"\"v\""`.
    let records: [String]
    let state: State

    init(id: String, records: [String], state: State) {
        self.id = id
        self.records = records
        self.state = state
    }

    /// Nil where a member is missing.
    init?(_ json: JSONValue) {
        guard let id = json["id"]?.string, let records = json["records"]?.array else { return nil }
        let state: State =
            switch json["status"]?.string {
            case "ERROR": .error
            case "PENDING": .pending
            default: .active
            }
        self.init(id: id, records: records.compactMap(\.string), state: state)
    }

    /// The value of a record that is one quoted string (RFC 1035, section 5.1); nil for what is none of ours.
    static func value(of record: String) -> String? {
        guard record.utf8.count > 1, record.hasPrefix("\""), record.hasSuffix("\"") else { return nil }
        var value = ""
        var rest = record.dropFirst().dropLast()
        while let character = rest.popFirst() {
            switch character {
            case "\"": return nil
            case "\\":
                guard let next = rest.popFirst(), !next.isNumber else { return nil }
                value.append(next)
            default: value.append(character)
            }
        }
        return value
    }

    static func contains(_ value: String, in records: [String]) -> Bool {
        records.contains { Self.value(of: $0) == value }
    }
}

/// What is to become of one name's record set, and how far that is.
///
/// Designate has no precondition for a write: of two writers that read the same set, the second takes the first one's
/// values away. So a set is read right before each write and again afterwards, and is done when it still has all
/// values some time after the write: by then a writer who had read it before has written too.
struct RecordSetWork {
    enum Step: Equatable {
        case done
        /// Read it again in a moment.
        case wait
        /// These records; none deletes the set.
        case write([String])
        case failed
    }

    /// Seconds that another writer may take from reading to writing.
    static let settling = 1.0

    var adding: [String] = []
    var removing: Set<String> = []
    /// The time (uptime) of the write that has not been overwritten since.
    private var written: Double?
    private var losses = 0
    private var notBefore = -Double.infinity

    /// Decides by what was read at the time `now` (uptime).
    mutating func step(after set: RecordSet?, now: Double) -> Step {
        let records = set?.records ?? []
        let wanted = merged(records)
        guard wanted == records else { return overwrite(with: wanted, now) }
        switch set?.state ?? .active {
        case .active: return now - (written ?? -.infinity) < Self.settling ? .wait : .done
        case .pending: return .wait
        case .error: return written == nil ? .write(wanted) : .failed
        }
    }

    private mutating func overwrite(with records: [String], _ now: Double) -> Step {
        if written != nil { lose(now) }
        return now < notBefore ? .wait : .write(records)
    }

    mutating func noteWrite(at now: Double) { written = now }

    /// Another writer was quicker: a pause of random length keeps the two apart the next time.
    mutating func lose(_ now: Double) {
        written = nil
        losses += 1
        notBefore = now + Double.random(in: 0...min(4, 0.25 * Double(1 << min(losses, 4))))
    }

    private func merged(_ records: [String]) -> [String] {
        let kept = records.filter { record in
            guard let value = RecordSet.value(of: record) else { return true }
            return !removing.contains(value)
        }
        return kept + adding.filter { !RecordSet.contains($0, in: kept) }.map(Self.quoted)
    }

    private static func quoted(_ value: String) -> String {
        "\"" + value.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
    }
}
