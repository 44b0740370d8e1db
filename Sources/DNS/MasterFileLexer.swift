/// Why a zone file cannot be read.
package struct ZoneSyntaxError: Error, Equatable, CustomStringConvertible {
    /// Counted from one.
    package let line: Int
    package let problem: String

    package var description: String { "line \(line): \(problem)" }
}

/// Takes a master file apart into logical lines of words (RFC 1035, section 5.1): comments, quotes, escapes, and
/// parentheses that join lines.
struct MasterFileLexer {
    struct Word: Equatable {
        /// As it is written, quotes off, escapes left.
        var raw: [UInt8] = []
        /// With `\X` and `\DDD` resolved.
        var value: [UInt8] = []

        var text: String { String(decoding: raw, as: UTF8.self) }
    }

    struct Line: Equatable {
        var number: Int
        /// The line begins with a space: its owner is that of the line before.
        var isIndented = false
        var words: [Word] = []
        /// The last comment in it, without the semicolon.
        var comment = ""
    }

    private var rest: ArraySlice<UInt8>
    private var number = 1
    private var depth = 0
    private var line = Line(number: 1)
    private var lines: [Line] = []

    static func lines(of text: [UInt8]) throws(ZoneSyntaxError) -> [Line] {
        var lexer = MasterFileLexer(rest: text[...])
        try lexer.run()
        return lexer.lines
    }

    private init(rest: ArraySlice<UInt8>) {
        self.rest = rest
    }

    private mutating func run() throws(ZoneSyntaxError) {
        var isAtStart = true
        while let byte = rest.first {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                rest = rest.dropFirst()
                if isAtStart { line.isIndented = true }
            case UInt8(ascii: "\n"): endLine()
            case UInt8(ascii: ";"): takeComment()
            case UInt8(ascii: "("):
                rest = rest.dropFirst()
                depth += 1
            case UInt8(ascii: ")"):
                rest = rest.dropFirst()
                depth -= 1
                guard depth >= 0 else { throw error("has a ) without a (") }
            case UInt8(ascii: "\""): try takeQuoted()
            default: try takeWord()
            }
            isAtStart = byte == UInt8(ascii: "\n") && depth == 0
        }
        guard depth == 0 else { throw error("the file ends inside parentheses") }
        endLine()
    }

    private func error(_ problem: String) -> ZoneSyntaxError {
        ZoneSyntaxError(line: number, problem: problem)
    }

    private mutating func endLine() {
        rest = rest.dropFirst()
        number += 1
        guard depth == 0 else { return }
        if !line.words.isEmpty { lines.append(line) }
        line = Line(number: number)
    }

    private mutating func takeComment() {
        let comment = rest.dropFirst().prefix { $0 != UInt8(ascii: "\n") }
        rest = rest.dropFirst(comment.count + 1)
        let words = String(decoding: comment, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        line.comment = words.joined(separator: " ")
    }

    private mutating func takeQuoted() throws(ZoneSyntaxError) {
        rest = rest.dropFirst()
        var word = Word()
        while let byte = rest.first, byte != UInt8(ascii: "\n") {
            if byte == UInt8(ascii: "\"") {
                rest = rest.dropFirst()
                line.words.append(word)
                return
            }
            try takeCharacter(into: &word)
        }
        throw error("has a quote without its partner")
    }

    private mutating func takeWord() throws(ZoneSyntaxError) {
        var word = Word()
        while let byte = rest.first, !" \t\r\n;()\"".utf8.contains(byte) {
            try takeCharacter(into: &word)
        }
        line.words.append(word)
    }

    /// One character, or an escape: `\X` or `\DDD`.
    private mutating func takeCharacter(into word: inout Word) throws(ZoneSyntaxError) {
        guard let byte = rest.popFirst() else { return }
        word.raw.append(byte)
        guard byte == UInt8(ascii: "\\") else {
            word.value.append(byte)
            return
        }
        let isDigit: (UInt8) -> Bool = { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let digits = rest.prefix(3)
        if digits.count == 3 && digits.allSatisfy(isDigit) {
            guard let code = UInt8(String(decoding: digits, as: UTF8.self)) else {
                throw error("has an escape past \\255")
            }
            word.raw += digits
            word.value.append(code)
            rest = rest.dropFirst(3)
        } else if let next = rest.first, next != UInt8(ascii: "\n"), !isDigit(next) {
            word.raw.append(next)
            word.value.append(next)
            rest = rest.dropFirst()
        } else {
            throw error("has a broken escape")
        }
    }
}
