/// Who or what an order is about (RFC 8555, section 7.1.3).
package struct Identifier: Codable, Sendable, Equatable {
    package let type: String
    package let value: String
}

/// What a server says is wrong (RFC 7807), with the parts for single names (RFC 8555, section 6.7.1).
package struct Problem: Codable, Sendable, Equatable, Error, CustomStringConvertible {
    /// The types that this client acts upon (RFC 8555, section 6.7).
    package enum Kind: String, Sendable {
        case accountDoesNotExist, agreementRequired, alreadyReplaced, alreadyRevoked, badCSR, badNonce, badPublicKey,
            malformed, orderNotReady, rateLimited, unauthorized, userActionRequired
    }

    package var type: String?
    package var title: String?
    package var detail: String?
    package var status: Int?
    /// For `userActionRequired`: the URL that a human should visit (RFC 8555, section 7.3.3).
    package var instance: String?
    package var identifier: Identifier?
    package var subproblems: [Problem]?

    private static let namespace = "urn:ietf:params:acme:error:"

    package init(type: String?, detail: String? = nil, status: Int? = nil) {
        self.type = type
        self.detail = detail
        self.status = status
    }

    /// nil where the type is not one that this client acts upon.
    package var kind: Kind? {
        guard let type, type.hasPrefix(Self.namespace) else { return nil }
        return Kind(rawValue: String(type.dropFirst(Self.namespace.count)))
    }

    /// For example "rejectedIdentifier for blocked.example: policy forbids this name".
    package var description: String {
        var text = name
        if let identifier { text += " for \(identifier.value)" }
        if let words = detail ?? title { text += ": " + words }
        let parts = (subproblems ?? []).map(\.description)
        return parts.isEmpty ? text : text + " (" + parts.joined(separator: "; ") + ")"
    }

    private var name: String {
        guard let type, !type.isEmpty, type != "about:blank" else { return status.map { "error \($0)" } ?? "error" }
        return type.hasPrefix(Self.namespace) ? String(type.dropFirst(Self.namespace.count)) : type
    }
}

extension Problem {
    private enum CodingKeys: String, CodingKey {
        case type, title, detail, status, instance, identifier, subproblems
    }

    /// Reads what is readable: a member of the wrong type is left out, for a problem must not hide the problem.
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        type = try? members.decode(String.self, forKey: .type)
        title = try? members.decode(String.self, forKey: .title)
        detail = try? members.decode(String.self, forKey: .detail)
        status = try? members.decode(Int.self, forKey: .status)
        instance = try? members.decode(String.self, forKey: .instance)
        identifier = try? members.decode(Identifier.self, forKey: .identifier)
        subproblems = try? members.decode([Problem].self, forKey: .subproblems)
    }
}
