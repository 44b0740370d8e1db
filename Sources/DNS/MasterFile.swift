internal import Names

/// The records of a zone file (RFC 1035, section 5): owners and names made whole, `$ORIGIN` and `$TTL` obeyed.
/// `$INCLUDE` and `$GENERATE` are passed over: what they would bring is not in this file.
struct MasterFile {
    struct Record: Equatable {
        /// Fully qualified, lower case, without the trailing dot; may be no name of ours (`*.example.org`).
        let owner: String
        /// Upper case.
        let type: String
        /// The words after the type, with what a relative name in them is relative to.
        let words: [MasterFileLexer.Word]
        let origin: String
        let comment: String
        let line: Int

        /// The name that a word of the record stands for, escapes left as they are.
        func name(_ index: Int) throws(ZoneSyntaxError) -> String {
            guard words.indices.contains(index) else {
                throw ZoneSyntaxError(line: line, problem: "the \(type) record is too short")
            }
            return MasterFile.absolute(words[index].text, origin)
        }
    }

    private(set) var records: [Record] = []
    private var origin: String
    private var owner: String

    init(_ text: [UInt8], origin: DNSName) throws(ZoneSyntaxError) {
        self.origin = origin.description
        owner = origin.description
        for line in try MasterFileLexer.lines(of: text) { try take(line) }
    }

    private mutating func take(_ line: MasterFileLexer.Line) throws(ZoneSyntaxError) {
        var words = line.words[...]
        if !line.isIndented, let first = words.first?.text, first.hasPrefix("$") {
            try obey(first.uppercased(), Array(words.dropFirst()), line.number)
            return
        }
        if !line.isIndented, let first = words.popFirst() { owner = Self.absolute(first.text, origin) }
        while let word = words.first?.text, Self.seconds(word) != nil || Self.isClass(word) {
            words = words.dropFirst()
        }
        guard let type = words.popFirst() else {
            throw ZoneSyntaxError(line: line.number, problem: "has no record type")
        }
        records.append(
            Record(
                owner: owner, type: type.text.uppercased(), words: Array(words), origin: origin,
                comment: line.comment, line: line.number))
    }

    private mutating func obey(
        _ directive: String, _ words: [MasterFileLexer.Word], _ line: Int
    ) throws(ZoneSyntaxError) {
        switch directive {
        case "$ORIGIN":
            guard let name = words.first else { throw ZoneSyntaxError(line: line, problem: "$ORIGIN names nothing") }
            origin = Self.absolute(name.text, origin)
        case "$TTL", "$INCLUDE", "$GENERATE": break
        default: throw ZoneSyntaxError(line: line, problem: "has the unknown directive \(directive)")
        }
    }

    private static func isClass(_ word: String) -> Bool {
        ["IN", "CH", "HS"].contains(word.uppercased())
    }

    /// A time in seconds, or with units as BIND writes it: `1h30m`. Nil for other words.
    static func seconds(_ word: String) -> UInt32? {
        var total: UInt64 = 0
        var number: UInt64?
        guard word.utf8.count <= 20 else { return nil }
        for character in word.lowercased() {
            if let digit = character.wholeNumberValue, character.isASCII {
                let (next, overflow) = (number ?? 0).multipliedReportingOverflow(by: 10)
                if overflow || next > UInt64(UInt32.max) * 10 { return nil }
                number = next + UInt64(digit)
            } else {
                let units: [Character: UInt64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
                guard let unit = units[character], let count = number else { return nil }
                total += count * unit
                number = nil
            }
        }
        return word.isEmpty ? nil : UInt32(exactly: total + (number ?? 0))
    }

    /// A name made whole, lower case and without the trailing dot; the root is the empty text.
    static func absolute(_ text: String, _ origin: String) -> String {
        let name = text.lowercased()
        if name == "@" { return origin }
        let isEscaped = name.dropLast().reversed().prefix { $0 == "\\" }.count % 2 == 1
        if name.hasSuffix(".") && !isEscaped { return String(name.dropLast()) }
        return origin.isEmpty ? name : "\(name).\(origin)"
    }
}
