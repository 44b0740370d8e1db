package import AnsibleModule
package import Names
package import Platform

/// One kind of DNS service. A new one is a file that conforms to this, its name in `Providers.all`, and its suboptions
/// in `ansible/library/acme_publish_txt.yml`.
package protocol Provider: Publisher {
    /// The option of `acme_publish_txt` that holds the provider's own options.
    static var option: String { get }

    /// Reads the provider's options; whether any is left over is looked at by the caller.
    init(_ options: inout Options, for task: PublishingTask) throws(OptionError)
}

/// What every provider is told beside its own options.
package struct PublishingTask: Sendable {
    package let zone: DNSName
    /// The directory, 0700, in which a provider notes what it wrote and when.
    package let statePath: String
    /// Everything ends here, whatever a service answers.
    package let deadline: Deadline

    package init(zone: DNSName, statePath: String, deadline: Deadline) {
        self.zone = zone
        self.statePath = statePath
        self.deadline = deadline
    }

    var clock: any Clock { deadline.clock }
}

package enum Providers {
    static var all: [any Provider.Type] {
        [
            ZoneFilePublisher.self, RecordPublisher<DynamicUpdateService>.self, RecordPublisher<RackspaceService>.self,
            RecordPublisher<DesignateService>.self, RecordPublisher<CommandService>.self,
        ]
    }

    /// The names of all, for a sentence and for the documentation's test.
    package static var options: [String] { all.map { $0.option } }

    /// The provider whose mapping is given: exactly one must be. All other options of the call must have been read.
    package static func chosen(
        _ options: inout Options, for task: PublishingTask
    ) throws(OptionError) -> any Publisher {
        var chosen: (provider: any Provider.Type, options: Options)?
        for provider in all {
            guard let given = try options.mapping(provider.option) else { continue }
            if let first = chosen {
                throw options.invalid(
                    provider.option, "cannot stand beside \(first.provider.option): one provider is used per call")
            }
            chosen = (provider, given)
        }
        guard var chosen else {
            try options.rejectUnknown()
            let known = Self.options.joined(separator: ", ")
            throw OptionError("zone_file", "is missing: exactly one of \(known) must be given")
        }
        let publisher = try chosen.provider.init(&chosen.options, for: task)
        try chosen.options.rejectUnknown()
        return publisher
    }
}
