/// What an option's value means. Ad-hoc use (`ansible -a "a=b"`) can give strings only: each function takes the
/// JSON type itself or its usual way of writing as a string, and answers nil for anything else.
enum Coercion {
    static func text(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .integer(let number): String(number)
        case .number(let number): String(number)
        case .null, .bool, .array, .object: nil
        }
    }

    static func integer(_ value: JSONValue) -> Int? {
        switch value {
        case .integer(let number): number
        case .number(let number): Int(exactly: number)
        case .string(let text): Int(trimmed(text))
        case .null, .bool, .array, .object: nil
        }
    }

    static func boolean(_ value: JSONValue) -> Bool? {
        switch value {
        case .bool(let truth): truth
        case .integer(0): false
        case .integer(1): true
        case .string(let text): boolean(word: trimmed(text).lowercased())
        case .null, .integer, .number, .array, .object: nil
        }
    }

    /// The words that Ansible itself takes for a boolean.
    private static func boolean(word: String) -> Bool? {
        switch word {
        case "yes", "y", "on", "true", "t", "1": true
        case "no", "n", "off", "false", "f", "0": false
        default: nil
        }
    }

    static func permissions(_ value: JSONValue) -> UInt32? {
        switch value {
        case .integer(let bits): (0...0o777).contains(bits) ? UInt32(bits) : nil
        case .string(let text):
            UInt32(text, radix: 8).flatMap { !text.hasPrefix("+") && $0 <= 0o7777 ? $0 : nil }
        case .null, .bool, .number, .array, .object: nil
        }
    }

    /// The elements of a list, of a JSON list in a string, or of a string with commas; empty parts are dropped.
    static func list(_ value: JSONValue) -> [JSONValue]? {
        if let elements = jsonList(value) { return elements }
        guard let text = text(value) else { return nil }
        return text.split(separator: ",").map { .string(trimmed(String($0))) }.filter { $0 != .string("") }
    }

    static func jsonList(_ value: JSONValue) -> [JSONValue]? {
        if case .array(let elements) = value { return elements }
        guard case .string(let text) = value, trimmed(text).hasPrefix("[") else { return nil }
        return JSONValue.parse(Array(text.utf8))?.array
    }

    static func mapping(_ value: JSONValue) -> [String: JSONValue]? {
        if case .object(let members) = value { return members }
        guard case .string(let text) = value, trimmed(text).hasPrefix("{") else { return nil }
        return JSONValue.parse(Array(text.utf8))?.object
    }

    /// A value in a sentence, for options that hold no secret: a short text in quotes, else its kind.
    static func quoted(_ value: JSONValue) -> String {
        guard let text = text(value) else { return value.kind }
        return text.count <= 40 ? "\"\(text)\"" : "\"\(text.prefix(40))...\""
    }

    static func bounds(_ range: ClosedRange<Int>) -> String {
        range.upperBound == .max
            ? "must be at least \(range.lowerBound)"
            : "must be between \(range.lowerBound) and \(range.upperBound)"
    }

    private static func trimmed(_ text: String) -> String {
        let head = text.drop(while: \.isWhitespace)
        return String(head.reversed().drop(while: \.isWhitespace).reversed())
    }
}
