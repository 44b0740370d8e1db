internal import DNS
internal import Names

/// What this machine has put into a DNS service, and when: the service itself does not say. Only what is noted here is
/// ever removed there.
package struct RecordNotes: Codable, Equatable {
    package struct Note: Equatable {
        /// Seconds since 1970 at which it was last asked for.
        var written: Int64
        /// False from the moment before a request until the service has taken it: a run that was killed in between
        /// leaves its records to be removed all the same. False too where a server was seen to answer without it.
        var isConfirmed: Bool
    }

    /// On disk.
    private struct Line: Codable {
        let name: String
        let value: String
        let written: Int64
        let confirmed: Bool
    }

    var records: [TXTRecord: Note] = [:]

    init() {}

    package init(from decoder: any Decoder) throws {
        var lines = try decoder.unkeyedContainer()
        while !lines.isAtEnd {
            let line = try lines.decode(Line.self)
            let record = TXTRecord(name: try DNSName(line.name), value: try TXTValue(line.value))
            records[record] = Note(written: line.written, isConfirmed: line.confirmed)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var lines = encoder.unkeyedContainer()
        for (record, note) in records.sorted(by: { $0.key < $1.key }) {
            let line = Line(
                name: record.name.description, value: record.value.text, written: note.written,
                confirmed: note.isConfirmed)
            try lines.encode(line)
        }
    }
}
