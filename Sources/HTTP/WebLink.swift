extension HTTPResponse {
    /// The targets of the `Link` fields with this relation, in their order (RFC 8288, section 3): fields may be repeated,
    /// and one may hold several links. What cannot be read is passed over.
    package func links(_ relation: String) -> [String] {
        headers("Link").flatMap(WebLink.parse).filter { $0.relations.contains(relation) }.map(\.target)
    }
}

/// One link of a `Link` field.
private struct WebLink {
    let target: String
    /// In lower case.
    let relations: [String]

    static func parse(_ field: String) -> [WebLink] {
        split(field, at: ",").compactMap { text in
            let parts = split(text, at: ";").map(trimmed)
            guard let target = parts.first, target.hasPrefix("<"), target.hasSuffix(">") else { return nil }
            let relations = parts.dropFirst().compactMap(relationTypes).first ?? []
            return WebLink(target: String(target.dropFirst().dropLast()), relations: relations)
        }
    }

    private static func relationTypes(_ parameter: String) -> [String]? {
        let parts = parameter.split(separator: "=", maxSplits: 1).map { trimmed(String($0)) }
        guard parts.count == 2, parts[0].lowercased() == "rel" else { return nil }
        let value = parts[1].filter { $0 != "\"" }.lowercased()
        return value.split(separator: " ").map(String.init)
    }

    /// At a separator that stands neither in `<...>` nor in quotes.
    private static func split(_ text: String, at separator: Character) -> [String] {
        var parts = [""]
        var isTarget = false
        var isQuoted = false
        for character in text {
            switch character {
            case "<" where !isQuoted: isTarget = true
            case ">" where !isQuoted: isTarget = false
            case "\"" where !isTarget: isQuoted.toggle()
            case separator where !isTarget && !isQuoted:
                parts.append("")
                continue
            default: break
            }
            parts[parts.count - 1].append(character)
        }
        return parts
    }

    private static func trimmed(_ text: String) -> String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
