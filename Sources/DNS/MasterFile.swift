internal import Names

/// The records of a zone file (RFC 1035, section 5): owners and names made whole, `$ORIGIN` and `$TTL` obeyed.
/// `$INCLUDE` and `$GENERATE` are not followed, only listed: what they would bring is not in this file.
struct MasterFile {
    struct Record: Equatable {
        /// Fully qualified, lower case, without the trailing dot; may be no name of ours (`*.example.org`).
        let owner: String
        /// Upper case.
        let type: String
        /// The words after the type, with what a relative name in them is relative to.
        let words: [MasterFileLexer.Word]
        let origin: String
        let comment: ArraySlice<UInt8>
        let line: Int

        /// The words one after the other, escapes resolved.
        var content: String {
            guard words.count != 1 else { return String(decoding: words[0].value, as: UTF8.self) }
            return String(decoding: words.flatMap(\.value), as: UTF8.self)
        }

        /// The name that a word of the record stands for, escapes left as they are.
        func name(_ index: Int) throws(ZoneSyntaxError) -> String {
            guard words.indices.contains(index) else {
                throw ZoneSyntaxError(line: line, problem: "the \(type) record is too short")
            }
            return MasterFile.absolute(words[index].text, origin)
        }
    }

    private(set) var records: [Record] = []
    /// The directives that bring records from elsewhere, in their own words.
    private(set) var bringing: [String] = []
    private var origin: String
    private var owner: String

    init(_ text: [UInt8], origin: DNSName) throws(ZoneSyntaxError) {
        self.origin = origin.description
        owner = origin.description
        var lexer = MasterFileLexer(text)
        while let line = try lexer.next() { try take(line) }
    }

    private mutating func take(_ line: MasterFileLexer.Line) throws(ZoneSyntaxError) {
        var words = line.words[...]
        if !line.isIndented, let first = words.first, first.raw.first == UInt8(ascii: "$") {
            try obey(first.text.uppercased(), Array(words.dropFirst()), line.number)
            return
        }
        if !line.isIndented, let first = words.popFirst() { owner = Self.absolute(first.text, origin) }
        while let word = words.first?.text, Self.seconds(word) != nil || Self.isClass(word) { words.removeFirst() }
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
        case "$TTL": break
        case "$INCLUDE", "$GENERATE": bringing.append(([directive] + words.map(\.text)).joined(separator: " "))
        default: throw ZoneSyntaxError(line: line, problem: "has the unknown directive \(directive)")
        }
    }

    private static func isClass(_ word: String) -> Bool {
        switch word.uppercased() {
        case "IN", "CH", "HS": true
        default: false
        }
    }

    /// A time in seconds, or with units as BIND writes it: `1h30m`. Nil for other words.
    static func seconds(_ word: String) -> UInt32? {
        var total: UInt64 = 0
        var number: UInt64?
        guard word.utf8.count <= 20 else { return nil }
        for byte in word.utf8 {
            if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                let (next, overflow) = (number ?? 0).multipliedReportingOverflow(by: 10)
                if overflow || next > UInt64(UInt32.max) * 10 { return nil }
                number = next + UInt64(byte - UInt8(ascii: "0"))
            } else {
                guard let unit = unit(byte), let count = number else { return nil }
                total += count * unit
                number = nil
            }
        }
        return word.isEmpty ? nil : UInt32(exactly: total + (number ?? 0))
    }

    private static func unit(_ letter: UInt8) -> UInt64? {
        switch letter {
        case UInt8(ascii: "s"), UInt8(ascii: "S"): 1
        case UInt8(ascii: "m"), UInt8(ascii: "M"): 60
        case UInt8(ascii: "h"), UInt8(ascii: "H"): 3600
        case UInt8(ascii: "d"), UInt8(ascii: "D"): 86_400
        case UInt8(ascii: "w"), UInt8(ascii: "W"): 604_800
        default: nil
        }
    }

    /// A name made whole, lower case and without the trailing dot; the root is the empty text.
    static func absolute(_ text: String, _ origin: String) -> String {
        let name = text.lowercased()
        if name == "@" { return origin }
        if name.utf8.last == UInt8(ascii: ".") {
            let rest = name.utf8.dropLast()
            let isEscaped = rest.reversed().prefix { $0 == UInt8(ascii: "\\") }.count % 2 == 1
            if !isEscaped { return String(Substring(rest)) }
        }
        return origin.isEmpty ? name : "\(name).\(origin)"
    }
}
