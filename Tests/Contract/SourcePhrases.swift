import Foundation

/// The phrases that Sources can say: what its string literals hold, with "…" for each interpolation. Literals that `+`
/// joins are one. A phrase has two words beside each other; what has not (names, keys, formats) is none, nor is a
/// literal of several lines, which is a whole text.
struct SourcePhrases {
    private struct Literal {
        var range: Range<Int>
        var text: String
    }

    private let source: [Character]
    private var literals: [Literal] = []

    private init(_ text: String) {
        source = Array(text)
        _ = readCode(from: 0, nested: false)
        literals.sort { $0.range.lowerBound < $1.range.lowerBound }
    }

    static func phrases(of text: String) -> Set<String> {
        let scanner = SourcePhrases(text)
        let texts = scanner.joined().map { $0.text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        return Set(texts.filter { $0.contains(/[A-Za-z]+ [a-z]+/) })
    }

    static func phrases(below directory: String) throws -> Set<String> {
        let files = try FileManager.default.subpathsOfDirectory(atPath: directory).filter { $0.hasSuffix(".swift") }
        return try files.reduce(into: []) { all, file in
            all.formUnion(phrases(of: try String(contentsOfFile: "\(directory)/\(file)", encoding: .utf8)))
        }
    }

    /// Where the code ends that begins at `start`: with the text, or with the parenthesis that ends an interpolation.
    private mutating func readCode(from start: Int, nested: Bool) -> Int {
        var index = start
        var depth = 1
        while index < source.count {
            switch source[index] {
            case "\"":
                index = readLiteral(from: index)
                continue
            case "/" where index + 1 < source.count && source[index + 1] == "/":
                index = source[index...].firstIndex(where: \.isNewline) ?? source.count
            case "(": depth += 1
            case ")":
                depth -= 1
                if nested && depth == 0 { return index + 1 }
            default: break
            }
            index += 1
        }
        return index
    }

    private mutating func readLiteral(from start: Int) -> Int {
        let isText = source[start...].starts(with: "\"\"\"")
        let quote = isText ? "\"\"\"" : "\""
        var index = start + quote.count
        var text = ""
        while index < source.count, !source[index...].starts(with: quote) {
            guard source[index] == "\\" else {
                text.append(source[index])
                index += 1
                continue
            }
            if source[index + 1] == "(" {
                index = readCode(from: index + 2, nested: true)
                text.append("…")
            } else {
                text.append(source[index + 1] == "n" ? "\n" : source[index + 1])
                index += 2
            }
        }
        index += quote.count
        if !isText { literals.append(Literal(range: start..<index, text: text)) }
        return index
    }

    private func joined() -> [Literal] {
        literals.reduce(into: []) { all, literal in
            if let last = all.last, last.range.upperBound <= literal.range.lowerBound,
                source[last.range.upperBound..<literal.range.lowerBound].filter({ !$0.isWhitespace }) == ["+"]
            {
                let range = last.range.lowerBound..<literal.range.upperBound
                all[all.count - 1] = Literal(range: range, text: last.text + literal.text)
            } else {
                all.append(literal)
            }
        }
    }
}
