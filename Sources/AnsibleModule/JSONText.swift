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
        var text = ""
        render(into: &text)
        return text
    }

    private func render(into text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value): text += value.isFinite ? String(value) : "null"
        case .string(let value): Self.quote(value, into: &text)
        case .array(let elements): Self.render(elements, into: &text)
        case .object(let members): Self.render(members, into: &text)
        }
    }

    private static func render(_ elements: [JSONValue], into text: inout String) {
        text += "["
        for (index, element) in elements.enumerated() {
            if index > 0 { text += ", " }
            element.render(into: &text)
        }
        text += "]"
    }

    private static func render(_ members: [String: JSONValue], into text: inout String) {
        text += "{"
        for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { text += ", " }
            quote(member.key, into: &text)
            text += ": "
            member.value.render(into: &text)
        }
        text += "}"
    }

    /// RFC 8259, section 7: what is not printable ASCII is written as `\uXXXX`, as two of them past U+FFFF.
    private static func quote(_ value: String, into text: inout String) {
        text += "\""
        for unit in value.utf16 {
            switch unit {
            case 0x22: text += "\\\""
            case 0x5c: text += "\\\\"
            case 0x0a: text += "\\n"
            case 0x09: text += "\\t"
            case 0x20..<0x7f: text.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            default:
                let digits = String(unit, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        text += "\""
    }
}
