package import AnsibleModule
package import DNS
internal import HTTP
internal import Names
internal import Platform

/// OpenStack's DNS service, Designate v2, behind Keystone v3. Values of others in the same record set stay.
package struct DesignateService: RecordService {
    package static let option = "designate"

    package let identity: String
    private let zone: DesignateZone

    package init(_ options: inout Options, for task: PublishingTask) throws(OptionError) {
        let settings = try DesignateSettings(&options)
        let transport = try options.transport(trusting: settings.caPath)
        let client = DesignateClient(settings, transport, zone: task.zone, deadline: task.deadline)
        zone = DesignateZone(task.zone, client, ttl: settings.ttl)
        identity = "\(Self.option).\(settings.host)"
    }

    /// Records that Designate could not bring to its name servers are held nowhere.
    package func held(among records: [TXTRecord]) throws(PublishError) -> Set<TXTRecord>? {
        let sets = try zone.sets(of: Set(records.map(\.name)).sorted())
        var held: Set<TXTRecord> = []
        for record in records {
            guard let set = try sets[record.name]?.get() else { continue }
            switch set.state {
            case .active, .pending:
                if RecordSet.contains(record.value.text, in: set.records) { held.insert(record) }
            case .error: break
            }
        }
        return held
    }

    package func change(adding: [TXTRecord], removing: [TXTRecord]) throws(PublishError) -> Removal {
        var works: [DNSName: RecordSetWork] = [:]
        for record in adding { works[record.name, default: .init()].adding.append(record.value.text) }
        for record in removing { works[record.name, default: .init()].removing.insert(record.value.text) }
        let failures = try zone.perform(works)
        // What stays to be removed stands in nobody's way; what was not added does.
        let lacking = failures.filter { works[$0.key]?.adding.isEmpty == false }.sorted { $0.key < $1.key }
        if let first = lacking.first {
            let more = lacking.count > 1 ? " (and \(lacking.count - 1) more names failed)" : ""
            throw PublishError(first.value.description + more)
        }
        var removal = Removal()
        removal.left = Set(removing.filter { failures[$0.name] != nil })
        removal.warnings = failures.sorted { $0.key < $1.key }.map { name, error in
            "\(error); \(name) keeps an old value until the next call"
        }
        return removal
    }
}
