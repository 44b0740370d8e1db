/// An option that cannot be used: one sentence that begins with the option's path, as in
/// `option certs.web01.key_type must be one of ec-256, ec-384, not "dsa"`.
package struct OptionError: Error, Equatable, CustomStringConvertible {
    package let description: String

    /// `path` names the option through the mappings around it; `problem` continues the sentence: "must be ...".
    package init(_ path: String, _ problem: String) {
        description = "option \(path) \(problem)"
    }

    /// A sentence of its own, for options that contradict each other.
    package init(_ sentence: String) {
        description = sentence
    }
}

/// Words that a person may have meant.
enum Spelling {
    /// The candidate that is nearest to `word`, where one is near enough to be a slip of the keyboard.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        let ranked = candidates.map { (distance(word, $0), $0) }
        guard let best = ranked.min(by: { $0.0 < $1.0 }) else { return nil }
        return best.0 <= max(1, word.count / 3) ? best.1 : nil
    }

    /// The number of letters to insert, remove or replace to turn one word into the other (Levenshtein).
    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.prefix(64).utf8)
        var row = Array(0...right.count)
        for (index, letter) in left.prefix(64).utf8.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in right.enumerated() {
                let replaced = diagonal + (letter == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
