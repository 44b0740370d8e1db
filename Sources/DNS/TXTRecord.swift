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
        (left.name, left.value.text) < (right.name, right.value.text)
    }

    /// The names that have so many of these values that an answer with all of them is larger than the 512 bytes which
    /// every resolver takes over UDP without EDNS (RFC 1035, section 4.2.1), with how many they have.
    package static func crowded(_ records: some Sequence<TXTRecord>) -> [(name: DNSName, count: Int)] {
        Dictionary(grouping: records, by: \.name).compactMap { name, records in
            // Header and question; then for each record a pointer, type, class, TTL, two lengths and the text.
            let question = 12 + name.description.utf8.count + 6
            let size = records.reduce(question) { $0 + 13 + $1.value.text.utf8.count }
            return size > 512 ? (name, records.count) : nil
        }.sorted { $0.name < $1.name }
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
        guard text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
            throw Invalid(description: "has a character that is not printable ASCII")
        }
        self.text = text
    }

    package var description: String { text }

    /// The value as a quoted string of a zone file (RFC 1035, section 5.1).
    var quoted: String {
        "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
    }
}
