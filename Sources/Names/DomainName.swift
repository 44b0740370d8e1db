/// A host name that a certificate can cover: lower-case ASCII (A-labels), at least two labels, at most 253 bytes,
/// perhaps with a leading `*.` (RFC 8555, section 7.1.3; RFC 1123, section 2.1). Other letters than ASCII's are taken, and
/// written in A-labels. Nothing after this checks again.
package struct DomainName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The name as the CA sees it: `example.org` or `*.example.org`.
    package let description: String

    /// The name without `*.`.
    package let base: DNSName

    package init(_ text: String) throws(InvalidName) {
        let isWildcard = text.hasPrefix("*.")
        let base: DNSName
        do throws(InvalidName) {
            base = try DNSName(InternationalName.ascii(isWildcard ? String(text.dropFirst(2)) : text))
        } catch {
            throw InvalidName(text, error.reason)
        }
        try Self.check(base, text)
        self.base = base
        description = isWildcard ? "*." + base.description : base.description
        guard description.utf8.count <= 253 else { throw InvalidName(text, "is longer than 253 bytes") }
    }

    private static func check(_ base: DNSName, _ text: String) throws(InvalidName) {
        let labels = base.labels
        guard labels.count > 1 else { throw InvalidName(text, "has only one label; certificates need a full name") }
        for label in labels {
            if label.contains("_") { throw InvalidName(text, "has a '_', which host names cannot have") }
            if label.hasPrefix("-") || label.hasSuffix("-") {
                throw InvalidName(text, "has a label that begins or ends with '-'")
            }
        }
        if labels[labels.count - 1].allSatisfy(\.isNumber) {
            throw InvalidName(text, "looks like an address; certificates are for names here")
        }
    }

    /// The name as people write it: `bücher.example` for `xn--bcher-kva.example`.
    package var unicode: String { InternationalName.unicode(description) }

    package var isWildcard: Bool { description.hasPrefix("*.") }

    /// Where the CA looks for the TXT record: `_acme-challenge.` before the name without `*.`
    /// (RFC 8555, section 8.4). Throws where that would be longer than a name may be.
    package func challengeName() throws(InvalidName) -> DNSName {
        try DNSName("_acme-challenge." + base.description)
    }

    /// The name as part of a file name: `*` is written `_`.
    package var fileName: String { isWildcard ? "_." + base.description : description }

    /// Whether this wildcard covers `other`, so that a CA refuses the two together.
    package func covers(_ other: DomainName) -> Bool {
        isWildcard && !other.isWildcard && other.base.parent == base
    }

    package static func < (left: DomainName, right: DomainName) -> Bool { left.description < right.description }
}
