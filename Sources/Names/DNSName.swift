/// A fully qualified name in the DNS (RFC 1035, section 2.3), lower case, without the trailing dot: what a TXT record
/// or a server may be called. Underscores are allowed, as in `_acme-challenge.example.org` (RFC 8552).
package struct DNSName: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let description: String

    /// Reads a name with or without the trailing dot. Throws what is wrong with it.
    package init(_ text: String) throws(InvalidName) {
        var name = text.utf8.last == UInt8(ascii: ".") ? String(text.dropLast()) : text
        guard name.utf8.count <= 253 else { throw InvalidName(text, "is longer than 253 bytes") }
        if let problem = name.withUTF8({ Self.problem($0) }) { throw InvalidName(text, problem) }
        let hasCapitals = name.withUTF8 { $0.contains { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) } }
        description = hasCapitals ? name.lowercased() : name
    }

    /// What is wrong with the first label that cannot be one.
    private static func problem(_ name: UnsafeBufferPointer<UInt8>) -> String? {
        var start = name.startIndex
        while true {
            let end = name[start...].firstIndex(of: UInt8(ascii: ".")) ?? name.endIndex
            let label = name[start..<end]
            if label.isEmpty { return "has an empty label" }
            if label.count > 63 { return "has a label longer than 63 bytes" }
            if !label.allSatisfy(isAllowed) { return "has a character other than letters, digits, '-' and '_'" }
            if end == name.endIndex { return nil }
            start = end + 1
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

    /// The first eight bytes as one number: names whose numbers differ are in the order of the numbers.
    package var head: UInt64 {
        let bytes = description.utf8.prefix(8)
        return bytes.reduce(0) { $0 << 8 | UInt64($1) } << UInt64(8 * (8 - bytes.count))
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
