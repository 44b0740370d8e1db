/// Reads a JSON text (RFC 8259) in one pass over its bytes. Strict: the text is UTF-8 and one value with nothing but white
/// space around it (and perhaps the mark of the byte order before it). Of members with the same name the first counts.
struct JSONParser {
    /// The bytes are no JSON text, or one that nests deeper or has a number larger than this program takes.
    struct Malformed: Error {}

    /// Arrays and objects inside each other.
    private static let deepest = 512

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    /// The number of members of the last object: the next one of a list is mostly like it.
    private var usualSize = 0

    static func value(of bytes: [UInt8]) throws(Malformed) -> JSONValue {
        guard bytes.isUTF8 else { throw Malformed() }
        var parser = JSONParser(bytes: bytes)
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { parser.position = 3 }
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else { throw Malformed() }
        return value
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The byte to be read next; zero, which the grammar has nowhere, at the end.
    private var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private mutating func skipSpace() {
        while next == 0x20 || next == 0x0a || next == 0x0d || next == 0x09 { position += 1 }
    }

    /// Whether the next byte was this one; it is passed then.
    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func value() throws(Malformed) -> JSONValue {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return .object(try nested { parser throws(Malformed) in try parser.members() })
        case UInt8(ascii: "["): return .array(try nested { parser throws(Malformed) in try parser.elements() })
        case UInt8(ascii: "\""): return .string(try text())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func nested<Content>(
        _ content: (inout JSONParser) throws(Malformed) -> Content
    ) throws(Malformed) -> Content {
        position += 1
        depth += 1
        guard depth <= Self.deepest else { throw Malformed() }
        let content = try content(&self)
        depth -= 1
        return content
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Malformed) -> JSONValue {
        for offset in 0..<word.utf8CodeUnitCount {
            guard take(word.utf8Start[offset]) else { throw Malformed() }
        }
        return value
    }

    private mutating func elements() throws(Malformed) -> [JSONValue] {
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return elements }
        while true {
            elements.append(try value())
            skipSpace()
            if take(UInt8(ascii: "]")) { return elements }
            guard take(UInt8(ascii: ",")) else { throw Malformed() }
        }
    }

    private mutating func members() throws(Malformed) -> [String: JSONValue] {
        var members = [String: JSONValue](minimumCapacity: usualSize)
        skipSpace()
        if take(UInt8(ascii: "}")) { return members }
        while true {
            skipSpace()
            let name = try text()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw Malformed() }
            if let first = members.updateValue(try value(), forKey: name) { members[name] = first }
            skipSpace()
            if take(UInt8(ascii: "}")) {
                usualSize = members.count
                return members
            }
            guard take(UInt8(ascii: ",")) else { throw Malformed() }
        }
    }
}

// MARK: - Texts (section 7)

extension JSONParser {
    private mutating func text() throws(Malformed) -> String {
        guard take(UInt8(ascii: "\"")) else { throw Malformed() }
        let start = position
        skipPlain()
        if take(UInt8(ascii: "\"")) { return String(decoding: bytes[start..<position - 1], as: UTF8.self) }
        var content = Array(bytes[start..<position])
        while !take(UInt8(ascii: "\"")) {
            guard take(UInt8(ascii: "\\")) else { throw Malformed() }
            try takeEscape(into: &content)
            let start = position
            skipPlain()
            content += bytes[start..<position]
        }
        return String(decoding: content, as: UTF8.self)
    }

    /// Passes what stands for itself: up to a quote, a backslash, a control character or the end.
    private mutating func skipPlain() {
        while next >= 0x20 && next != UInt8(ascii: "\"") && next != UInt8(ascii: "\\") { position += 1 }
    }

    /// What follows a backslash.
    private mutating func takeEscape(into content: inout [UInt8]) throws(Malformed) {
        let letter = next
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(letter)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0c)
        case UInt8(ascii: "n"): content.append(0x0a)
        case UInt8(ascii: "r"): content.append(0x0d)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"): content += String(try scalar()).utf8
        default: throw Malformed()
        }
    }

    /// A character in hexadecimal: one unit of UTF-16, or two where it lies past U+FFFF.
    private mutating func scalar() throws(Malformed) -> Unicode.Scalar {
        let high = try unit()
        guard UTF16.isLeadSurrogate(high) else {
            guard let scalar = Unicode.Scalar(high) else { throw Malformed() }
            return scalar
        }
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw Malformed() }
        let low = try unit()
        guard UTF16.isTrailSurrogate(low) else { throw Malformed() }
        return UTF16.decode(UTF16.EncodedScalar([high, low]))
    }

    private mutating func unit() throws(Malformed) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(next)).hexDigitValue else { throw Malformed() }
            unit = unit << 4 | UInt16(digit)
            position += 1
        }
        return unit
    }
}

// MARK: - Numbers (section 6)

extension JSONParser {
    private mutating func number() throws(Malformed) -> JSONValue {
        let start = position
        _ = take(UInt8(ascii: "-"))
        let whole = try digits()
        guard whole.count == 1 || whole.first != UInt8(ascii: "0") else { throw Malformed() }
        let fraction = take(UInt8(ascii: ".")) ? try digits() : []
        var exponent = ""
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if take(UInt8(ascii: "-")) { exponent = "-" } else { _ = take(UInt8(ascii: "+")) }
            exponent += String(decoding: try digits(), as: UTF8.self)
        }
        let sign = bytes[start] == UInt8(ascii: "-") ? "-" : ""
        if let power = exponent.isEmpty ? 0 : Int32(exponent),
            let integer = Self.integer(sign, Array(whole + fraction), power: Int(power) - fraction.count)
        {
            return .integer(integer)
        }
        guard let number = Double(String(decoding: bytes[start..<position], as: UTF8.self)), number.isFinite else {
            throw Malformed()
        }
        return number == 0 ? .integer(0) : .number(number)
    }

    /// One digit or more.
    private mutating func digits() throws(Malformed) -> ArraySlice<UInt8> {
        let start = position
        while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) { position += 1 }
        guard position > start else { throw Malformed() }
        return bytes[start..<position]
    }

    /// The digits times a power of ten where that is a whole number, however it was written, and an `Int` holds it.
    private static func integer(_ sign: String, _ digits: [UInt8], power: Int) -> Int? {
        let zeros = digits.reversed().prefix { $0 == UInt8(ascii: "0") }.count
        if zeros == digits.count { return 0 }
        guard power >= -zeros, power < 20 else { return nil }
        let moved = power < 0 ? digits.dropLast(-power) : digits + Array(repeating: UInt8(ascii: "0"), count: power)
        return Int(sign + String(decoding: moved, as: UTF8.self))
    }
}

extension [UInt8] {
    var isUTF8: Bool {
        do {
            _ = try UTF8Span(validating: span)
            return true
        } catch {
            return false
        }
    }
}
