package import Names

/// One TXT record as the modules publish it: a name and one character-string.
package struct TXTRecord: Sendable, Hashable, Comparable {
    package let name: DNSName
    package let value: TXTValue

    package init(name: DNSName, value: TXTValue) {
        self.name = name
        self.value = value
    }

    package static func < (left: TXTRecord, right: TXTRecord) -> Bool {
        left.name < right.name || left.name == right.name && left.value.text < right.value.text
    }

    /// Bytes that an answer over UDP may have everywhere, without being cut into fragments that get lost (RFC 9715).
    private static let largestAnswer = 1232

    /// A sentence for each name whose values do not fit into one answer over UDP. One value always does. To be called on
    /// records in order.
    package static func crowdingWarnings(_ records: [TXTRecord]) -> [String] {
        records.sharingNames.compactMap { records in
            let name = records[records.startIndex].name
            // Header, question and EDNS; then for each record a pointer, type, class, TTL, two lengths and the text.
            let overhead = 12 + name.description.utf8.count + 6 + 11
            let size = records.reduce(overhead) { $0 + 13 + $1.value.text.utf8.count }
            guard size > largestAnswer else { return nil }
            return
                "\(name) has \(records.count) TXT values: their answer is larger than the \(largestAnswer) bytes that "
                + "pass everywhere over UDP; let each _acme-challenge name be a CNAME to a label of its own"
        }
    }
}

extension Array<TXTRecord> {
    /// Each record once, in order.
    package var unique: [TXTRecord] {
        if isInOrder { return self }
        let records = inOrder
        if records.isInOrder { return records }
        return records.indices.filter { $0 == 0 || records[$0 - 1] != records[$0] }.map { records[$0] }
    }

    /// The same as `sorted()`. Most pairs are told apart by how their names begin, without a look at the texts.
    private var inOrder: [TXTRecord] {
        let keys = indices.map { (head: self[$0].name.head, index: $0) }
        let order = keys.sorted { left, right in
            left.head == right.head ? self[left.index] < self[right.index] : left.head < right.head
        }
        return order.map { self[$0.index] }
    }

    /// Whether each record is less than the next.
    private var isInOrder: Bool { indices.dropFirst().allSatisfy { self[$0 - 1] < self[$0] } }

    /// The records that share their name with others, together for each such name. To be called on records in order.
    package var sharingNames: [ArraySlice<TXTRecord>] {
        var groups: [ArraySlice<TXTRecord>] = []
        var start = startIndex
        for index in indices where index + 1 == endIndex || self[index + 1].name != self[start].name {
            if index > start { groups.append(self[start...index]) }
            start = index + 1
        }
        return groups
    }
}

/// What a TXT record of ours can say: 1 to 255 printable ASCII characters (one character-string; RFC 1035, section
/// 3.3.14). The tokens of RFC 8555, section 8.4 are 43 of them.
package struct TXTValue: Sendable, Hashable, CustomStringConvertible {
    package struct Invalid: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    package let text: String

    package init(_ text: String) throws(Invalid) {
        guard !text.isEmpty else { throw Invalid(description: "is empty") }
        guard text.utf8.count <= 255 else {
            throw Invalid(description: "has \(text.utf8.count) bytes; a TXT record's string holds 255")
        }
        var text = text
        guard text.withUTF8({ $0.allSatisfy { (0x20...0x7e).contains($0) } }) else {
            throw Invalid(description: "has a character that is not printable ASCII")
        }
        self.text = text
    }

    package var description: String { text }

    /// The value as a quoted string of a zone file (RFC 1035, section 5.1).
    package var quoted: String {
        var text: [UInt8] = []
        quote(into: &text)
        return String(decoding: text, as: UTF8.self)
    }

    func quote(into zone: inout [UInt8]) {
        var text = text
        zone.append(UInt8(ascii: "\""))
        text.withUTF8 { bytes in
            var rest = bytes[...]
            while let special = rest.firstIndex(where: Self.isSpecial) {
                zone += rest[..<special]
                zone += [UInt8(ascii: "\\"), rest[special]]
                rest = rest[(special + 1)...]
            }
            zone += rest
        }
        zone.append(UInt8(ascii: "\""))
    }

    private static func isSpecial(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") }
}
