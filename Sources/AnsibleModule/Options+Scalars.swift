package import Platform

extension Options {
    /// Text; numbers are taken as they are written.
    package mutating func string(_ name: String) throws(OptionError) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = Coercion.text(value) else { throw invalid(name, "must be text, not \(value.kind)") }
        guard !Self.holdsNUL(text) else { throw invalid(name, "must not hold a NUL character") }
        return text
    }

    private static func holdsNUL(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { $0.contains(0) }
    }

    /// Text that must be given and not be empty.
    package mutating func requiredString(_ name: String) throws(OptionError) -> String {
        guard let text = try string(name) else { throw missing(name) }
        guard !text.isEmpty else { throw invalid(name, "must not be empty") }
        return text
    }

    /// Text that no error, result or dump may show.
    package mutating func secret(_ name: String) throws(OptionError) -> Secret<String>? {
        try string(name).map { Secret($0) }
    }

    package mutating func integer(
        _ name: String, in range: ClosedRange<Int> = .min ... .max
    ) throws(OptionError) -> Int? {
        guard let value = value(name) else { return nil }
        guard let number = Coercion.integer(value) else {
            throw invalid(name, "must be a whole number, not \(Coercion.quoted(value))")
        }
        guard range.contains(number) else { throw invalid(name, "\(Coercion.bounds(range)), not \(number)") }
        return number
    }

    package mutating func integer(
        _ name: String, default fallback: Int, in range: ClosedRange<Int> = .min ... .max
    ) throws(OptionError) -> Int {
        guard let number = try integer(name, in: range) else { return fallback }
        return number
    }

    package mutating func boolean(_ name: String) throws(OptionError) -> Bool? {
        guard let value = value(name) else { return nil }
        guard let truth = Coercion.boolean(value) else {
            throw invalid(name, "must be true or false, not \(Coercion.quoted(value))")
        }
        return truth
    }

    package mutating func boolean(_ name: String, default fallback: Bool) throws(OptionError) -> Bool {
        guard let truth = try boolean(name) else { return fallback }
        return truth
    }

    /// One of the words of an enumeration; the error lists them.
    package mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, of type: Choice.Type = Choice.self
    ) throws(OptionError) -> Choice? {
        guard let value = value(name) else { return nil }
        if let word = Coercion.text(value), let choice = Choice(rawValue: word) { return choice }
        let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw invalid(name, "must be one of \(words), not \(Coercion.quoted(value))")
    }

    package mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, default fallback: Choice
    ) throws(OptionError) -> Choice {
        guard let choice = try choice(name, of: Choice.self) else { return fallback }
        return choice
    }

    /// An absolute path, without slashes at its end.
    package mutating func path(_ name: String) throws(OptionError) -> String? {
        guard let text = try string(name) else { return nil }
        guard text.hasPrefix("/") else { throw invalid(name, "must be an absolute path") }
        let trimmed = text.reversed().drop { $0 == "/" }.reversed()
        return trimmed.isEmpty ? "/" : String(trimmed)
    }

    /// An absolute path that must be given.
    package mutating func requiredPath(_ name: String) throws(OptionError) -> String {
        guard let path = try path(name) else { throw missing(name) }
        return path
    }

    package mutating func path(_ name: String, default fallback: String) throws(OptionError) -> String {
        guard let path = try path(name) else { return fallback }
        return path
    }

    /// Permission bits: octal digits ("0640", "640"), or the number itself, as YAML reads an unquoted 0640.
    package mutating func permissions(_ name: String, default fallback: UInt32) throws(OptionError) -> UInt32 {
        guard let value = value(name) else { return fallback }
        guard let bits = Coercion.permissions(value) else {
            throw invalid(name, "must be quoted octal permission bits such as \"0640\", not \(Coercion.quoted(value))")
        }
        return bits
    }
}
