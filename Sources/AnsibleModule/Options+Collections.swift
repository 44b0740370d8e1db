extension Options {
    /// A list of texts: a JSON list, or a string that is split at commas (or is itself a JSON list).
    package mutating func strings(_ name: String) throws(OptionError) -> [String]? {
        guard let value = value(name) else { return nil }
        guard let elements = Coercion.list(value) else {
            throw invalid(name, "must be a list, not \(value.kind)")
        }
        var texts: [String] = []
        for element in elements {
            guard let text = Coercion.text(element) else {
                throw invalid(name, "must be a list of texts, not of \(element.kind)")
            }
            guard !text.isEmpty else { throw invalid(name, "must not hold an empty text") }
            texts.append(text)
        }
        return texts
    }

    /// A list of words of an enumeration; the error lists those that there are.
    package mutating func choices<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, of type: Choice.Type = Choice.self
    ) throws(OptionError) -> [Choice]? {
        try strings(name)?.map { (word) throws(OptionError) in
            if let choice = Choice(rawValue: word) { return choice }
            let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw invalid(name, "must be a list of any of \(words), not of '\(word)'")
        }
    }

    /// A mapping, whose own names are read and checked through what is returned. In ad-hoc use a JSON object.
    package mutating func mapping(_ name: String) throws(OptionError) -> Options? {
        guard let value = value(name) else { return nil }
        guard let members = Coercion.mapping(value) else {
            throw invalid(name, "must be a mapping, not \(value.kind)")
        }
        return Options(members, path: path(of: name))
    }

    /// A list of mappings, of texts, or of both, in which each text is the mapping that `expand` makes of it.
    package mutating func mappings(
        _ name: String, expanding expand: (String) -> [String: JSONValue]
    ) throws(OptionError) -> [Options]? {
        guard let value = value(name) else { return nil }
        guard let elements = Coercion.list(value) else {
            throw invalid(name, "must be a list, not \(value.kind)")
        }
        let path = path(of: name)
        return try elements.enumerated().map { (index, element) throws(OptionError) in
            if case .object(let members) = element { return Options(members, path: path, index: index) }
            guard let text = Coercion.text(element) else {
                throw OptionError("\(path).\(index)", "must be text or a mapping, not \(element.kind)")
            }
            return Options(expand(text), path: path, index: index)
        }
    }

    /// Whether an option is a mapping, for those that may be a list or a mapping. Does not make the name known.
    package func isMapping(_ name: String) -> Bool {
        given(name).map { Coercion.mapping($0) != nil } ?? false
    }

    /// A list of mappings; the paths of their options count from zero: `records.0.value`.
    package mutating func mappings(_ name: String) throws(OptionError) -> [Options]? {
        guard let value = value(name) else { return nil }
        guard let elements = Coercion.jsonList(value) else {
            throw invalid(name, "must be a list of mappings, not \(value.kind)")
        }
        var mappings: [Options] = []
        mappings.reserveCapacity(elements.count)
        let path = path(of: name)
        for (index, element) in elements.enumerated() {
            guard case .object(let members) = element else {
                throw OptionError("\(path).\(index)", "must be a mapping, not \(element.kind)")
            }
            mappings.append(Options(members, path: path, index: index))
        }
        return mappings
    }
}
