/// Why a zone file cannot be read.
package struct ZoneSyntaxError: Error, Equatable, CustomStringConvertible {
    /// Counted from one.
    package let line: Int
    package let problem: String

    package var description: String { "line \(line): \(problem)" }
}

/// Takes a master file apart into logical lines of words (RFC 1035, section 5.1): comments, quotes, escapes, and
/// parentheses that join lines. Words and comments are slices of the file's bytes.
struct MasterFileLexer {
    struct Word: Equatable {
        /// As it is written, quotes off, escapes left.
        let raw: ArraySlice<UInt8>

        var text: String { String(decoding: raw, as: UTF8.self) }

        /// With `\X` and `\DDD` resolved.
        var value: ArraySlice<UInt8> {
            guard raw.contains(UInt8(ascii: "\\")) else { return raw }
            var value: [UInt8] = []
            var rest = raw
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "\\"), let next = rest.first else {
                    value.append(byte)
                    continue
                }
                let escaped = rest.prefix(MasterFileLexer.isDigit(next) ? 3 : 1)
                value.append(escaped.count == 3 ? UInt8(String(decoding: escaped, as: UTF8.self)) ?? next : next)
                rest = rest.dropFirst(escaped.count)
            }
            return value[...]
        }
    }

    struct Line: Equatable {
        var number: Int
        /// The line begins with a space: its owner is that of the line before.
        var isIndented = false
        var words: [Word] = []
        /// The last comment in it, without the semicolon.
        var comment: ArraySlice<UInt8> = []
    }

    private let text: [UInt8]
    private var position = 0
    private var number = 1
    private var depth = 0
    private var line = Line(number: 1)

    init(_ text: [UInt8]) {
        self.text = text
    }

    private var byte: UInt8? { position < text.count ? text[position] : nil }

    /// The next line that has words; nil at the end of the file.
    mutating func next() throws(ZoneSyntaxError) -> Line? {
        line = Line(number: number)
        var isAtStart = true
        while let byte {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                position += 1
                if isAtStart { line.isIndented = true }
            case UInt8(ascii: "\n"): if endsLine() { return line }
            case UInt8(ascii: ";"): takeComment()
            case UInt8(ascii: "("):
                position += 1
                depth += 1
            case UInt8(ascii: ")"):
                position += 1
                depth -= 1
                guard depth >= 0 else { throw error("has a ) without a (") }
            case UInt8(ascii: "\""): try takeQuoted()
            default: try takeWord()
            }
            isAtStart = byte == UInt8(ascii: "\n") && depth == 0
        }
        guard depth == 0 else { throw error("the file ends inside parentheses") }
        return line.words.isEmpty ? nil : line
    }

    private func error(_ problem: String) -> ZoneSyntaxError {
        ZoneSyntaxError(line: number, problem: problem)
    }

    /// Passes the end of a line, and says whether it ends one with words; after one without, a new line begins.
    private mutating func endsLine() -> Bool {
        position += 1
        number += 1
        guard depth == 0 else { return false }
        if line.words.isEmpty { line = Line(number: number) }
        return !line.words.isEmpty
    }

    private mutating func takeComment() {
        let start = position + 1
        while let byte, byte != UInt8(ascii: "\n") { position += 1 }
        line.comment = text[start..<position]
    }

    private mutating func takeQuoted() throws(ZoneSyntaxError) {
        position += 1
        let start = position
        while let byte, byte != UInt8(ascii: "\n") {
            if byte == UInt8(ascii: "\"") {
                line.words.append(Word(raw: text[start..<position]))
                position += 1
                return
            }
            position += 1
            if byte == UInt8(ascii: "\\") { try passEscaped() }
        }
        throw error("has a quote without its partner")
    }

    private mutating func takeWord() throws(ZoneSyntaxError) {
        let start = position
        while let byte, !Self.endsWord(byte) {
            position += 1
            if byte == UInt8(ascii: "\\") { try passEscaped() }
        }
        line.words.append(Word(raw: text[start..<position]))
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: ";"),
            UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\""):
            true
        default: false
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// What follows a backslash: one character, or three digits.
    private mutating func passEscaped() throws(ZoneSyntaxError) {
        let digits = text[position...].prefix(3)
        if digits.count == 3 && digits.allSatisfy(Self.isDigit) {
            guard UInt8(String(decoding: digits, as: UTF8.self)) != nil else {
                throw error("has an escape past \\255")
            }
            position += 3
        } else if let next = byte, next != UInt8(ascii: "\n"), !Self.isDigit(next) {
            position += 1
        } else {
            throw error("has a broken escape")
        }
    }
}
