/// What an `issue` or `issuewild` property permits, read as strictly as CAs do (RFC 8659, section 4.2).
struct CAAPermission {
    /// The CA's name in lower case; empty where nobody is permitted.
    let issuer: String
    /// Tags in lower case.
    let parameters: [(tag: String, value: String)]

    /// Nil where the value does not follow the grammar, which permits nobody either.
    init?(_ value: [UInt8]) {
        let parts = value.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map(Self.trimmed)
        let first = parts.first ?? []
        guard
            first.isEmpty
                || first.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
                    .allSatisfy(Self.isLabel)
        else { return nil }
        var rest = parts.dropFirst()
        // A semicolon with nothing after it is allowed there, and nowhere else.
        if rest.count == 1, rest.last?.isEmpty == true { rest = [] }
        var parameters: [(tag: String, value: String)] = []
        for part in rest {
            guard let parameter = Self.parameter(part) else { return nil }
            parameters.append(parameter)
        }
        issuer = Self.text(first).lowercased()
        self.parameters = parameters
    }

    /// The values of a parameter; more than one contradict each other (RFC 8657, sections 3 and 4).
    func values(of tag: String) -> [String] { parameters.filter { $0.tag == tag }.map(\.value) }

    private static func parameter(_ part: ArraySlice<UInt8>) -> (tag: String, value: String)? {
        guard let sign = part.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let tag = trimmed(part[..<sign])
        let value = trimmed(part[(sign + 1)...])
        guard isLabel(tag), value.allSatisfy({ (0x21...0x7e).contains($0) }) else { return nil }
        return (text(tag).lowercased(), text(value))
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return bytes[first...last]
    }

    /// Letters and digits, with hyphens between them.
    private static func isLabel(_ bytes: ArraySlice<UInt8>) -> Bool {
        let hyphen = UInt8(ascii: "-")
        guard let first = bytes.first, let last = bytes.last, first != hyphen, last != hyphen else { return false }
        return bytes.allSatisfy { byte in
            let character = Character(UnicodeScalar(byte))
            return byte == hyphen || character.isASCII && (character.isLetter || character.isNumber)
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
