package import ACME
package import FoundationEssentials
package import Names
internal import PKI

/// How a CA answered the last question about the renewal of one certificate.
package struct RenewalAnswer: Codable, Sendable, Equatable {
    /// The certificate that it is about (RFC 9773, section 4.1).
    package let identifier: String
    /// What the CA suggested, the last time that it did; nil where it never has.
    package let suggestion: RenewalSuggestion?
    /// The moment before which the CA is not asked again.
    package let askAgain: Date

    package init(about identifier: String, _ suggestion: RenewalSuggestion?, askAgain: Date) {
        self.identifier = identifier
        self.suggestion = suggestion
        self.askAgain = askAgain
    }

    /// Whether the CA may be asked again. A moment further ahead than any that is written was written while the clock
    /// was wrong.
    package func isStale(at now: Date) -> Bool {
        askAgain <= now || askAgain > now.addingTimeInterval(RenewalInformation.bounds.upperBound)
    }
}

extension CertificateNotes<RenewalAnswer> {
    /// The answer to the last question, where that was about this very certificate.
    package func answer(about identifier: String, of name: DomainName) -> RenewalAnswer? {
        find(name).flatMap { $0.identifier == identifier ? $0 : nil }
    }
}

/// What a CA suggested for one certificate, and the moment that was chosen within its window.
package struct RenewalSuggestion: Codable, Sendable, Equatable {
    package let start: Date
    package let end: Date
    /// "A uniform random time within the suggested window" (section 4.2).
    package let moment: Date
    package let explanationURL: String?

    /// Chooses a moment that is the same each time for one certificate and window, and spread evenly over many.
    package init(_ information: RenewalInformation, for identifier: String) {
        start = information.start
        end = information.end
        explanationURL = information.explanationURL
        let digest = Digest.sha256(Array("\(identifier) \(start.timeIntervalSince1970)".utf8))
        let part = digest.prefix(4).reduce(0.0) { $0 * 256 + Double($1) } / 4_294_967_296
        moment = start.addingTimeInterval((end.timeIntervalSince(start) * part).rounded(.down))
    }
}
