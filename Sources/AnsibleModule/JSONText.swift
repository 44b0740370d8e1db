extension JSONValue {
    /// The value that a JSON text in UTF-8 stands for; nil where the bytes are no such text.
    package static func parse(_ bytes: [UInt8]) -> JSONValue? {
        try? JSONParser.value(of: bytes)
    }

    /// The value as JSON on one line of ASCII, members sorted by name: equal values give equal bytes, and no
    /// reader takes a character of a text for the end of a line.
    package var rendered: String {
        String(decoding: bytes, as: UTF8.self)
    }

    /// The same as bytes.
    var bytes: [UInt8] {
        var text: [UInt8] = []
        // Room for a long result; a page of it that is not written to costs nothing.
        text.reserveCapacity(4 << 20)
        render(into: &text)
        return text
    }

    private func render(into text: inout [UInt8]) {
        switch self {
        case .null: text += "null".utf8
        case .bool(let value): text += (value ? "true" : "false").utf8
        case .integer(let value): text += String(value).utf8
        case .number(let value): text += (value.isFinite ? String(value) : "null").utf8
        case .string(let value): Self.quote(value, into: &text)
        case .array(let elements): Self.render(elements, into: &text)
        case .object(let members): Self.render(members, members.keys.sorted(), into: &text)
        }
    }

    private static func render(_ elements: [JSONValue], into text: inout [UInt8]) {
        text += "[".utf8
        // Mappings in a list mostly have the same members: their names are sorted once.
        var names: [String] = []
        for (index, element) in elements.enumerated() {
            if index > 0 { text += ", ".utf8 }
            if case .object(let members) = element {
                if members.count != names.count || !names.allSatisfy({ members[$0] != nil }) {
                    names = members.keys.sorted()
                }
                render(members, names, into: &text)
            } else {
                element.render(into: &text)
            }
        }
        text += "]".utf8
    }

    private static func render(_ members: [String: JSONValue], _ names: [String], into text: inout [UInt8]) {
        text += "{".utf8
        for (index, name) in names.enumerated() {
            if index > 0 { text += ", ".utf8 }
            quote(name, into: &text)
            text += ": ".utf8
            members[name]?.render(into: &text)
        }
        text += "}".utf8
    }

    /// RFC 8259, section 7: what is not printable ASCII is written as `\uXXXX`, as two of them past U+FFFF.
    private static func quote(_ value: String, into text: inout [UInt8]) {
        var value = value
        text.append(0x22)
        value.withUTF8 { bytes in
            var start = 0
            var end = 0
            while end < bytes.count {
                guard isSpecial(bytes[end]) else {
                    end += 1
                    continue
                }
                text += bytes[start..<end]
                start = end
                repeat { end += 1 } while end < bytes.count && isContinuation(bytes[end])
                escape(bytes[start..<end], into: &text)
                start = end
            }
            text += bytes[start...]
        }
        text.append(0x22)
    }

    /// Whether a byte is no printable ASCII (0x20 to 0x7e), a quote or a backslash.
    private static func isSpecial(_ byte: UInt8) -> Bool {
        !(0x20..<0x7f).contains(byte) || byte == 0x22 || byte == 0x5c
    }

    /// Whether a byte is one of a character's bytes in UTF-8 after its first.
    private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xc0 == 0x80 }

    /// Escapes one character.
    private static func escape(_ character: Slice<UnsafeBufferPointer<UInt8>>, into text: inout [UInt8]) {
        switch character[character.startIndex] {
        case 0x22: text += [0x5c, 0x22]
        case 0x5c: text += [0x5c, 0x5c]
        case 0x0a: text += [0x5c, 0x6e]
        case 0x09: text += [0x5c, 0x74]
        default: for unit in String(decoding: character, as: UTF8.self).utf16 { escape(unit, into: &text) }
        }
    }

    private static func escape(_ unit: UInt16, into text: inout [UInt8]) {
        let digits = String(unit, radix: 16)
        text += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
    }
}
