package import AnsibleModule
package import DNS

/// A DNS service that takes and drops single TXT records, and knows no time at which they were written. It becomes a
/// provider as `RecordPublisher<Service>` in `Providers.all`.
package protocol RecordService {
    /// The option of `acme_publish_txt` that holds the service's own options.
    static var option: String { get }

    /// Reads the service's options; nothing is asked of it yet.
    init(_ options: inout Options, for task: PublishingTask) throws(OptionError)

    /// What the notes on this service are told apart by, beside the zone: a server's address, an account's name.
    var identity: String { get }

    /// Those of the records, of which there is at least one, that the service holds now; nil where it cannot be asked, so that the notes must do.
    func held(among records: [TXTRecord]) throws(PublishError) -> Set<TXTRecord>?

    /// The zone's serial now; nil where the service has none, or does not say.
    func serial() -> UInt32?

    /// Removes, then adds, in as few requests as the service takes: what is old makes room for what is new. A record
    /// that is added and is there already, or is removed and is not there, is no error. Throws where not all were added;
    /// what was not removed is in the result, for the next call.
    func change(adding: [TXTRecord], removing: [TXTRecord]) throws(PublishError) -> Removal
}

extension RecordService {
    package func serial() -> UInt32? { nil }

    /// For a service that takes removals and additions together, and none where one of them cannot be done: where that
    /// fails, the additions alone, for an old record stands in nobody's way.
    func change(
        adding: [TXTRecord], removing: [TXTRecord],
        together body: (_ adding: [TXTRecord], _ removing: [TXTRecord]) throws(PublishError) -> Void
    ) throws(PublishError) -> Removal {
        var removal = Removal()
        do throws(PublishError) {
            try body(adding, removing)
        } catch {
            guard !removing.isEmpty else { throw error }
            if !adding.isEmpty { try body(adding, []) }
            removal.left = Set(removing)
            removal.warnings = [
                "old TXT records (\(removing.count)) could not be removed, which the next call tries again (\(error))"
            ]
        }
        return removal
    }
}

/// What is left of records that were to be removed.
package struct Removal: Sendable, Equatable {
    package var left: Set<TXTRecord> = []
    /// Why, a sentence each.
    package var warnings: [String] = []

    package init() {}
}
