/// A fully qualified name in the DNS (RFC 1035, section 2.3), lower case, without the trailing dot: what a TXT record
/// or a server may be called. Underscores are allowed, as in `_acme-challenge.example.org` (RFC 8552).
package struct DNSName: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let description: String

    /// Reads a name with or without the trailing dot. Throws what is wrong with it.
    package init(_ text: String) throws(InvalidName) {
        let name = text.utf8.last == UInt8(ascii: ".") ? String(text.dropLast()) : text
        guard name.utf8.count <= 253 else { throw InvalidName(text, "is longer than 253 bytes") }
        var label = Label()
        var hasCapitals = false
        for byte in name.utf8 {
            if byte == UInt8(ascii: ".") {
                if let problem = label.problem { throw InvalidName(text, problem) }
                label = Label()
            } else {
                label.take(byte)
                hasCapitals = hasCapitals || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            }
        }
        if let problem = label.problem { throw InvalidName(text, problem) }
        description = hasCapitals ? name.lowercased() : name
    }

    /// What was seen of one label so far.
    private struct Label {
        private var length = 0
        private var isPlain = true

        mutating func take(_ byte: UInt8) {
            length += 1
            if !DNSName.isAllowed(byte) { isPlain = false }
        }

        /// Why it cannot be one, now that it is at its end; nil for a good one.
        var problem: String? {
            if length == 0 { return "has an empty label" }
            if length > 63 { return "has a label longer than 63 bytes" }
            return isPlain ? nil : "has a character other than letters, digits, '-' and '_'"
        }
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    package var labels: [Substring] { description.split(separator: ".") }

    /// Whether this is `zone` or a name below it.
    package func isInside(_ zone: DNSName) -> Bool {
        let name = description.utf8
        let end = zone.description.utf8.count
        guard name.count > end else { return self == zone }
        let start = name.index(name.endIndex, offsetBy: -end)
        return name[name.index(before: start)] == UInt8(ascii: ".") && description[start...] == zone.description
    }

    /// The name one label up; nil for a top-level domain.
    package var parent: DNSName? {
        guard let dot = description.firstIndex(of: ".") else { return nil }
        return DNSName(trusted: String(description[description.index(after: dot)...]))
    }

    private init(trusted: String) {
        description = trusted
    }

    package static func < (left: DNSName, right: DNSName) -> Bool { left.description < right.description }
}

/// A name that cannot be one, and why.
package struct InvalidName: Error, Equatable, CustomStringConvertible {
    package let name: String
    package let reason: String

    package init(_ name: String, _ reason: String) {
        self.name = name
        self.reason = reason
    }

    package var description: String { "'\(name)' is not a valid name: it \(reason)" }
}
