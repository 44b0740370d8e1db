/// The options of one call, or of one mapping among them. Every getter takes real JSON types and the strings of
/// ad-hoc use, notes the option as known, treats null as absent, and throws a sentence that names the option.
package struct Options: Sendable {
    private let values: [String: JSONValue]
    /// The path of the mapping that holds these options, or of the list of mappings; empty at the top.
    private let base: String
    /// The place of the mapping in that list.
    private let index: Int?
    /// The names asked for so far, in that order.
    private var known: [String] = []

    package init(_ values: [String: JSONValue], path: String = "", index: Int? = nil) {
        self.values = values
        base = path
        self.index = index
    }

    /// The names that are given (null ones too), sorted, without Ansible's own `_ansible_*`.
    package var names: [String] {
        values.keys.filter { !$0.hasPrefix("_ansible_") }.sorted()
    }

    /// The name of an option with the mappings around it: `certs.web01.key_type`.
    package func path(of name: String) -> String {
        let around = base.isEmpty ? "" : base + "."
        return around + (index.map { "\($0)." } ?? "") + name
    }

    /// Whether an option is given, be it as null. Does not make the name known.
    package func has(_ name: String) -> Bool { values[name] != nil }

    /// An option as it was given.
    package mutating func value(_ name: String) -> JSONValue? {
        if known.isEmpty { known.reserveCapacity(4) }
        if !known.contains(name) { known.append(name) }
        return given(name)
    }

    /// The same without making the name known.
    func given(_ name: String) -> JSONValue? {
        guard let value = values[name], value != .null else { return nil }
        return value
    }

    /// Throws where an option is given that no getter has asked for. To be called after the last getter.
    package func rejectUnknown() throws(OptionError) {
        guard let unknown = names.first(where: { !known.contains($0) }) else { return }
        let hint = Spelling.nearest(to: unknown, among: known).map { " (did you mean \($0)?)" } ?? ""
        throw OptionError(path(of: unknown), "is unknown\(hint); known options: \(known.joined(separator: ", "))")
    }

    /// The error for an option that must be given; it points out a given name that looks like it.
    package func missing(_ name: String) -> OptionError {
        let strangers = names.filter { !known.contains($0) }
        let hint = Spelling.nearest(to: name, among: strangers).map { "; \(path(of: $0)) is unknown" } ?? ""
        return OptionError(path(of: name), "is missing\(hint)")
    }

    /// The error "option x problem" for an option of this mapping.
    package func invalid(_ name: String, _ problem: String) -> OptionError {
        OptionError(path(of: name), problem)
    }
}
