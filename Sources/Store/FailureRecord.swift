package import FoundationEssentials
package import Names

/// How often in a row a CA has refused a certificate, so that runs do not use up its limits: it is asked again after
/// 1, 10 and 100 minutes, and then once a day, or at the moment that it names.
package struct FailureRecord: Codable, Sendable, Equatable {
    /// The names that were refused: others are another matter.
    package let names: [String]
    package let count: Int
    package let last: Date
    /// The moment before which no new order is made.
    package private(set) var next: Date
    /// The sentence that the last try ended with.
    package let reason: String
    /// The thumbprint (RFC 7638) of the last key that the CA did not take; nil where there was none.
    package let refusedKey: String?

    /// Seconds after the first, second and third failure, and after every other one. A day is a little less, so that
    /// a run at about the same time each day is not a moment too early.
    private static let pauses = [60.0, 600, 6000, 72_000]
    private static let longestOutage = 86_400.0
    /// The longest time over which Let's Encrypt's limits count.
    private static let longestRefusal = 7 * 86_400.0

    /// What a failure means for the next tries.
    package enum Weight {
        /// The CA refused, and counts; perhaps it named a moment as well.
        case refusal(notBefore: Date?)
        /// The CA asked to be left alone, whoever asks for whatever.
        case outage(until: Date)
    }

    /// What is not to be tried.
    package enum Step: String { case ordered, finalized }

    /// One more failure, after those of `previous` for the same names.
    package init(
        of names: [DomainName], because reason: String, _ weight: Weight, refusedKey: String? = nil,
        after previous: FailureRecord?, now: Date
    ) {
        self.refusedKey = refusedKey ?? previous?.refusedKey
        let sorted = names.map(\.description).sorted()
        self.names = sorted
        let previous = previous.flatMap { $0.names == sorted && $0.isBelievable(at: now) ? $0 : nil }
        let before = previous?.count ?? 0
        last = now
        self.reason = reason
        // A mistaken year must not cost a certificate.
        switch weight {
        case .refusal(let notBefore):
            count = before + 1
            let pause = now.addingTimeInterval(Self.pauses[min(before, Self.pauses.count - 1)])
            next = max(min(notBefore ?? pause, now.addingTimeInterval(Self.longestRefusal)), pause)
        case .outage(let end):
            count = before
            // Whatever stands before the CA may have said so.
            let bounded = min(end, now.addingTimeInterval(Self.longestOutage))
            next = max(bounded, previous?.next ?? bounded)
        }
    }

    /// Why nothing is tried yet for a certificate with these names; nil where nothing speaks against it.
    package func objection(to names: [DomainName], _ step: Step, now: Date) -> String? {
        guard self.names == names.map(\.description).sorted(), isBelievable(at: now), now < next else { return nil }
        let tries = count <= 1 ? "the last try failed" : "\(count) tries in a row failed"
        return "not \(step.rawValue) again before \(next.formatted(.iso8601)), unless its own force is set, since "
            + "\(tries), on \(last.formatted(.iso8601)): \(reason)"
    }

    /// A record from the future was written while the clock was wrong, and its `next` with it.
    private func isBelievable(at now: Date) -> Bool { last <= now }

    /// The same failures, which no longer forbid anything.
    package func lifted(at now: Date) -> FailureRecord {
        var record = self
        record.next = now
        return record
    }
}
