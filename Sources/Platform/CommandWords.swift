/// Splits a line into words as a POSIX shell would (quotes and backslashes; no variables, patterns or operators). A quote
/// is one whatever follows it, an accent that Swift would make one character of with it too.
package enum CommandWords {
    package enum Failure: Error, Equatable, CustomStringConvertible {
        case openQuote(Unicode.Scalar)
        case openBackslash

        package var description: String {
            switch self {
            case .openQuote(let quote): "has a \(quote) without its partner"
            case .openBackslash: "ends in a backslash"
            }
        }
    }

    package static func split(_ text: String) throws(Failure) -> [String] {
        var words: [String] = []
        var word: String?
        var rest = Substring(text).unicodeScalars
        while let scalar = rest.popFirst() {
            switch scalar {
            case "'", "\"":
                word = (word ?? "") + (try quoted(by: scalar, &rest))
            case "\\":
                guard let next = rest.popFirst() else { throw .openBackslash }
                if next != "\n" { word = (word ?? "") + String(next) }
            case "\r" where rest.first == "\n": break
            case " ", "\t", "\n":
                if let word { words.append(word) }
                word = nil
            default:
                word = (word ?? "") + String(scalar)
            }
        }
        if let word { words.append(word) }
        return words
    }

    /// The text up to the closing quote, which is taken off `rest` too.
    private static func quoted(
        by quote: Unicode.Scalar, _ rest: inout Substring.UnicodeScalarView
    ) throws(Failure) -> String {
        var text = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            if scalar == quote { return String(text) }
            guard scalar == "\\", quote == "\"" else {
                text.append(scalar)
                continue
            }
            guard let next = rest.popFirst() else { break }
            // Inside double quotes a backslash is only special before these.
            switch next {
            case "\n": break
            case "\"", "\\", "$", "`": text.append(next)
            default: text += [scalar, next]
            }
        }
        throw .openQuote(quote)
    }

    /// The words as one line that `split` takes apart into the same words.
    package static func join(_ words: [String]) -> String {
        words.map(quote).joined(separator: " ")
    }

    private static func quote(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-_./:=,@%+{}".utf8.contains(byte)
                }
            }
        if isPlain { return word }
        let parts = word.unicodeScalars.split(separator: "'", omittingEmptySubsequences: false).map { String($0) }
        return "'" + parts.joined(separator: "'\\''") + "'"
    }
}
