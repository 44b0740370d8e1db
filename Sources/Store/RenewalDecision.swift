package import FoundationEssentials
package import Names
package import PKI

/// What an operator wants of one certificate, as far as it decides whether the installed one will do.
package struct WantedCertificate: Sendable {
    package let names: [DomainName]
    package let keyType: KeyType
    package let authority: Authority
    /// Renew with fewer days left than this; at most a third of the certificate's lifetime counts.
    package let remainingDays: Int
    package let force: Bool
    /// The kind of certificate; nil for the CA's default.
    package let profile: String?
    /// What the CA says of the certificate that is installed; nil where it said nothing.
    package let suggestion: RenewalSuggestion?

    package init(
        names: [DomainName], keyType: KeyType, authority: Authority, remainingDays: Int, force: Bool,
        profile: String? = nil, suggestion: RenewalSuggestion? = nil
    ) {
        self.names = names
        self.keyType = keyType
        self.authority = authority
        self.remainingDays = remainingDays
        self.force = force
        self.profile = profile
        self.suggestion = suggestion
    }

    /// When a certificate is due: at the moment within the CA's window, or else `remainingDays` before its end, but
    /// never before two thirds of its lifetime are over, so that certificates of 45 and of 6 days work with the same
    /// setting. A window past the end is not obeyed.
    package func renewalTime(of leaf: Certificate) -> Date {
        if let moment = suggestedMoment(for: leaf) { return moment }
        let lifetime = leaf.notAfter.timeIntervalSince(leaf.notBefore)
        return leaf.notAfter.addingTimeInterval(-min(Double(remainingDays) * 86_400, lifetime / 3))
    }

    fileprivate func suggestedMoment(for leaf: Certificate) -> Date? {
        guard let suggestion, suggestion.moment < leaf.notAfter else { return nil }
        // Runs are a day apart: a moment in the last day, or near the end of a short life, would come too late.
        let lifetime = leaf.notAfter.timeIntervalSince(leaf.notBefore)
        let margin = min(max(86_400, lifetime / 10), lifetime / 3)
        return min(suggestion.moment, leaf.notAfter.addingTimeInterval(-margin))
    }
}

/// Whether a certificate is to be obtained, and why, as a sentence without its full stop.
package enum RenewalDecision: Sendable, Equatable {
    case keep(reason: String)
    case obtain(reason: String)

    package init(for wanted: WantedCertificate, given installation: Installation, now: Date) {
        switch installation {
        case .unusable(let reason): self = .obtain(reason: reason)
        case .complete(let installed):
            if let reason = Self.reasonToReplace(installed, wanted, now) {
                self = .obtain(reason: reason)
            } else {
                self = .keep(reason: Self.reasonToKeep(installed.chain.leaf, wanted, now))
            }
        }
    }

    private static func reasonToKeep(_ leaf: Certificate, _ wanted: WantedCertificate, _ now: Date) -> String {
        let reason = "valid for another \(days(from: now, to: leaf.notAfter)) days"
        guard let suggestion = wanted.suggestion, let moment = wanted.suggestedMoment(for: leaf) else { return reason }
        let date = moment.formatted(.iso8601)
        return reason + ", and by the CA's suggestion to be renewed on \(date)\(suggestion.explanation)"
    }

    private static func reasonToReplace(
        _ installed: InstalledCertificate, _ wanted: WantedCertificate, _ now: Date
    ) -> String? {
        if let revocation = installed.revocation { return revocation.clause(about: installed.chain.leaf) }
        if wanted.force { return "force is set" }
        return changedNames(installed.chain.leaf, wanted) ?? changedKey(installed.chain.leaf, wanted)
            ?? changedAuthority(installed, wanted) ?? changedProfile(installed, wanted)
            ?? tooOld(installed.chain.leaf, wanted, now)
    }

    private static func changedNames(_ leaf: Certificate, _ wanted: WantedCertificate) -> String? {
        let old = Set(leaf.names)
        let new = Set(wanted.names)
        guard old != new else { return nil }
        let added = new.subtracting(old).sorted().map { "+\($0)" }
        let gone = old.subtracting(new).sorted().map { "-\($0)" }
        return "its names have changed: " + (added + gone).joined(separator: " ")
    }

    private static func changedKey(_ leaf: Certificate, _ wanted: WantedCertificate) -> String? {
        guard leaf.keyType != wanted.keyType else { return nil }
        return "its key is \(leaf.keyType?.rawValue ?? "of another kind"), and \(wanted.keyType.rawValue) is wanted"
    }

    private static func changedAuthority(_ installed: InstalledCertificate, _ wanted: WantedCertificate) -> String? {
        guard let issuance = installed.issuance else {
            switch (wanted.authority, installed.chain.leaf.isSelfIssued) {
            case (.directory, true): return "it is self-signed, and one of a CA is wanted"
            case (.selfSigned, false): return "it was not signed by this host, and a self-signed one is wanted"
            case (.directory, false), (.selfSigned, true): return nil
            }
        }
        guard issuance.authority != wanted.authority else { return nil }
        switch (issuance.authority, wanted.authority) {
        case (.selfSigned, .directory(let url)): return "it is self-signed, and one of \(url) is wanted"
        case (.directory(let url), .selfSigned): return "it is from \(url), and a self-signed one is wanted"
        case (.directory(let old), .directory(let new)): return "it is from \(old), and one of \(new) is wanted"
        case (.selfSigned, .selfSigned): return nil
        }
    }

    private static func changedProfile(_ installed: InstalledCertificate, _ wanted: WantedCertificate) -> String? {
        guard let issuance = installed.issuance, issuance.directory != nil, issuance.profile != wanted.profile else {
            return nil
        }
        let name = { (profile: String?) in profile.map { "profile \($0)" } ?? "the CA's default profile" }
        return "it has \(name(issuance.profile)), and \(name(wanted.profile)) is wanted"
    }

    private static func tooOld(_ leaf: Certificate, _ wanted: WantedCertificate, _ now: Date) -> String? {
        if leaf.notAfter <= now { return "it expired on \(leaf.notAfter.formatted(.iso8601))" }
        let due = wanted.renewalTime(of: leaf)
        guard due <= now else { return nil }
        if let suggestion = wanted.suggestion, due == suggestion.moment {
            let window = "\(suggestion.start.formatted(.iso8601)) and \(suggestion.end.formatted(.iso8601))"
            return "the CA suggests to renew it between \(window)\(suggestion.explanation)"
        }
        return "it expires in \(days(from: now, to: leaf.notAfter)) days, and is renewed from "
            + "\(due.formatted(.iso8601)) on"
    }

    private static func days(from now: Date, to end: Date) -> Int { Int(end.timeIntervalSince(now) / 86_400) }
}

extension RenewalSuggestion {
    /// The CA's page about it, in parentheses; empty where there is none.
    fileprivate var explanation: String { explanationURL.map { " (\($0))" } ?? "" }
}
