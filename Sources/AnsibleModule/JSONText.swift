internal import FoundationEssentials

extension JSONValue {
    /// The value that a JSON text in UTF-8 stands for; nil where the bytes are no such text.
    package static func parse(_ bytes: [UInt8]) -> JSONValue? {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        return try? JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    }

    /// The value as JSON on one line of ASCII, members sorted by name: equal values give equal bytes, and no
    /// reader takes a character of a text for the end of a line.
    package var rendered: String {
        var text: [UInt8] = []
        render(into: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private func render(into text: inout [UInt8]) {
        switch self {
        case .null: text += "null".utf8
        case .bool(let value): text += (value ? "true" : "false").utf8
        case .integer(let value): text += String(value).utf8
        case .number(let value): text += (value.isFinite ? String(value) : "null").utf8
        case .string(let value): Self.quote(value, into: &text)
        case .array(let elements): Self.render(elements, into: &text)
        case .object(let members): Self.render(members, into: &text)
        }
    }

    private static func render(_ elements: [JSONValue], into text: inout [UInt8]) {
        text += "[".utf8
        for (index, element) in elements.enumerated() {
            if index > 0 { text += ", ".utf8 }
            element.render(into: &text)
        }
        text += "]".utf8
    }

    private static func render(_ members: [String: JSONValue], into text: inout [UInt8]) {
        text += "{".utf8
        for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { text += ", ".utf8 }
            quote(member.key, into: &text)
            text += ": ".utf8
            member.value.render(into: &text)
        }
        text += "}".utf8
    }

    /// RFC 8259, section 7: what is not printable ASCII is written as `\uXXXX`, as two of them past U+FFFF.
    private static func quote(_ value: String, into text: inout [UInt8]) {
        text.append(0x22)
        for scalar in value.unicodeScalars {
            switch scalar.value {
            case 0x22: text += [0x5c, 0x22]
            case 0x5c: text += [0x5c, 0x5c]
            case 0x0a: text += [0x5c, 0x6e]
            case 0x09: text += [0x5c, 0x74]
            case 0x20..<0x7f: text.append(UInt8(truncatingIfNeeded: scalar.value))
            default: for unit in scalar.utf16 { escape(unit, into: &text) }
            }
        }
        text.append(0x22)
    }

    private static func escape(_ unit: UInt16, into text: inout [UInt8]) {
        let digits = String(unit, radix: 16)
        text += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
    }
}
