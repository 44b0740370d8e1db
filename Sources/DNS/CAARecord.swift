package import Names

/// One property of a CAA record set (RFC 8659, section 4.1): who may issue certificates for its owner.
package struct CAARecord: Sendable, Hashable, CustomStringConvertible {
    package let flags: UInt8
    /// In lower case: tags have no case.
    package let tag: String
    package let value: [UInt8]

    package init(flags: UInt8, tag: String, value: [UInt8]) {
        self.flags = flags
        self.tag = tag.lowercased()
        self.value = value
    }

    /// Reads a record's data; nil where it breaks off.
    init?(data: [UInt8]) {
        guard data.count >= 2, data[1] > 0, data.count >= 2 + Int(data[1]) else { return nil }
        let end = 2 + Int(data[1])
        self.init(flags: data[0], tag: String(decoding: data[2..<end], as: UTF8.self), value: Array(data[end...]))
    }

    /// Whether a CA that does not know the tag must not issue.
    package var isCritical: Bool { flags & 128 != 0 }

    /// The data as in a zone file (RFC 8659, section 4.1.1): `0 issue "ca.example"`.
    package var description: String { "\(flags) \(tag) \"\(value.map(Self.escaped).joined())\"" }

    private static func escaped(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): return "\\" + String(UnicodeScalar(byte))
        case 0x20...0x7e: return String(UnicodeScalar(byte))
        default:
            let digits = String(byte)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
    }
}

/// The CAA records of one name.
package struct CAARecordSet: Sendable, Equatable {
    /// Where the records stand: the end of the aliases that the name is.
    package let owner: DNSName
    package let records: [CAARecord]

    package init(owner: DNSName, records: [CAARecord]) {
        self.owner = owner
        self.records = records
    }

    /// A record of the set as a line of a zone file.
    func line(_ record: CAARecord) -> String { "\(owner). IN CAA \(record)" }
}
