package import DNS
package import Names

/// A place where the TXT records of a signing domain can be put.
package protocol Publisher {
    /// The zone that the records go into.
    var zone: DNSName { get }

    /// Brings the records in, beside those of the last `keep` seconds. Where `dryRun` is set nothing is touched
    /// anywhere, and the result is what would have been.
    func publish(_ records: [TXTRecord], keep: Int64, dryRun: Bool) throws(PublishError) -> Publication

    /// Notes that servers were seen to answer without these records, so that the next call does its part again.
    func doubt(_ records: [TXTRecord]) throws(PublishError)
}

/// What a publication did.
package struct Publication: Sendable, Equatable {
    package var changed = false
    /// The zone's serial after it; nil where there is no zone or the provider has no serials.
    package var serial: UInt32?
    package var added: [TXTRecord] = []
    package var removed: [TXTRecord] = []
    /// Records that were there before and still are.
    package var kept: [TXTRecord] = []
    /// The zone's text, for a person to compare.
    package var before = ""
    package var after = ""
    /// What the texts are of: a file's path.
    package var place = ""
    /// What the next call does about records that are doubted; nil where this one has seen that all is well here.
    package var remedy: String?
    /// Sentences on what an operator should know though it is no failure.
    package var warnings: [String] = []

    package init() {}
}

/// Why records could not be published: one sentence.
package struct PublishError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

extension Publisher {
    /// Refuses, before anything is touched, records that do not belong into the zone.
    package func checkInside(_ records: [TXTRecord]) throws(PublishError) {
        let strangers = Set(records.lazy.map(\.name).filter { !$0.isInside(zone) }).sorted()
        guard let first = strangers.first else { return }
        let more = strangers.count > 1 ? " (and \(strangers.count - 1) more names)" : ""
        throw PublishError(
            "\(first)\(more) is not inside the zone \(zone); records are published only there: "
                + "is the CNAME of its _acme-challenge name missing?")
    }
}
