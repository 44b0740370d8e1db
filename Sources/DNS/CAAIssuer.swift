package import Names

/// A CA as CAA records see it, and the way in which it would issue to us: by dns-01, to one account.
package struct CAAIssuer: Sendable {
    /// Tags that no CA for DNS names trips over, critical or not (RFC 8659, section 4; RFC 9495 is about e-mail).
    private static let knownTags = ["issue", "issuewild", "iodef", "issuemail"]
    private static let method = "dns-01"

    /// The CA's names, in lower case.
    private let identities: [String]
    /// The account's URL; nil where it is not known yet, and then records about accounts are not judged.
    private let account: String?

    package init(identities: [String], account: String?) {
        self.identities = identities.map { $0.lowercased() }
        self.account = account
    }

    /// The same CA for another account.
    package func with(account: String?) -> CAAIssuer { CAAIssuer(identities: identities, account: account) }

    /// Whether the CA says how CAA records name it: otherwise nothing can be judged.
    package var isKnown: Bool { !identities.isEmpty }

    /// Why the records forbid a certificate for `name`, which record says so and what to change; nil where they permit.
    package func objection(of set: CAARecordSet, to name: DomainName) -> String? {
        guard isKnown else { return nil }
        if let record = set.records.first(where: { $0.isCritical && !Self.knownTags.contains($0.tag) }) {
            return "\(name): every CA must refuse it because of the critical CAA record  \(set.line(record))  whose "
                + "tag none knows; remove the record, or let its first number be 0"
        }
        let records = Self.relevant(set, isWildcard: name.isWildcard)
        let faults = records.map(fault)
        guard let record = records.first, !faults.contains(where: { $0 == nil }) else { return nil }
        let reasons = zip(records, faults).map { "\(set.line($0))  (\($1.map(explanation) ?? ""))" }
        return "\(name): CAA records forbid \(identities[0]) to issue:  \(reasons.joined(separator: ", "))  ; "
            + remedy(set, records, tag: record.tag)
    }

    /// For a wildcard the `issuewild` properties where there are any; else the `issue` properties (section 4.3).
    private static func relevant(_ set: CAARecordSet, isWildcard: Bool) -> [CAARecord] {
        let wild = isWildcard ? set.records.filter { $0.tag == "issuewild" } : []
        return wild.isEmpty ? set.records.filter { $0.tag == "issue" } : wild
    }

    private enum Fault {
        case malformed
        case nobody
        case otherCA
        case method
        case account
    }

    /// What keeps a property from permitting us; nil where it does.
    private func fault(_ record: CAARecord) -> Fault? {
        guard let permission = CAAPermission(record.value) else { return .malformed }
        guard !permission.issuer.isEmpty else { return .nobody }
        guard identities.contains(permission.issuer) else { return .otherCA }
        let methods = permission.values(of: "validationmethods")
        guard methods.isEmpty || methods.count == 1 && Self.names(methods[0]).contains(Self.method) else {
            return .method
        }
        let accounts = permission.values(of: "accounturi")
        guard accounts.count < 2, account == nil || accounts.isEmpty || accounts[0] == account else { return .account }
        return nil
    }

    private static func names(_ list: String) -> [String] {
        list.lowercased().split(separator: ",").map(String.init)
    }

    private func explanation(_ fault: Fault) -> String {
        switch fault {
        case .malformed: "not written as RFC 8659 wants, so that it permits nobody"
        case .nobody: "permits nobody"
        case .otherCA: "permits another CA"
        case .method: "does not permit the method \(Self.method)"
        case .account: "permits another account" + (account.map { " than ours, \($0)" } ?? "")
        }
    }

    /// The record of ours put right, or one that is added to those of other CAs.
    private func remedy(_ set: CAARecordSet, _ records: [CAARecord], tag: String) -> String {
        let ours = records.first { CAAPermission($0.value).map { identities.contains($0.issuer) } ?? false }
        guard let ours, let permission = CAAPermission(ours.value) else {
            let line = set.line(CAARecord(flags: 0, tag: tag, value: Array(identities[0].utf8)))
            return "add, in the zone of \(set.owner):  \(line)"
        }
        var parts = [permission.issuer]
        var seen: Set<String> = []
        for (tag, value) in permission.parameters where seen.insert(tag).inserted {
            switch tag {
            case "validationmethods" where !Self.names(value).contains(Self.method):
                parts.append("\(tag)=\(value.isEmpty ? "" : value + ",")\(Self.method)")
            case "accounturi": parts.append("\(tag)=\(account ?? value)")
            default: parts.append("\(tag)=\(value)")
            }
        }
        let value = Array(parts.joined(separator: "; ").utf8)
        return "put instead:  \(set.line(CAARecord(flags: ours.flags, tag: tag, value: value)))"
    }
}
