package import AnsibleModule
package import DNS
internal import HTTP
internal import Names
internal import Platform

/// Rackspace Cloud DNS v1: single TXT records of a domain that the account holds. The zone may be that domain or any
/// name below it.
package struct RackspaceService: RecordService {
    package static let option = "rackspace"

    /// Records that the service takes in one call, and names in one deletion.
    private static let batch = 100
    /// Records of any type that a domain may hold unless Rackspace raises it for the account.
    private static let domainLimit = 500

    private let client: CloudDNS
    private let username: String
    /// Seconds; the service takes no less than 300.
    private let ttl: Int
    private let task: PublishingTask

    package init(_ options: inout Options, for task: PublishingTask) throws(OptionError) {
        let identity = try options.string("identity_url") ?? CloudDNS.defaultIdentity
        let identityURL = try options.secureURL("identity_url", identity)
        let (username, apiKey) = try Self.credentials(&options)
        ttl = try options.integer("ttl", default: 300, in: 300...86_400)
        let transport = try options.transport(trusting: options.path("ca_path"))
        self.username = username
        self.task = task
        client = CloudDNS(
            account: .init(username: username, apiKey: apiKey, identityURL: identityURL), transport: transport,
            deadline: task.deadline)
    }

    /// What stands in the options, or in the file that they name: one of the two.
    private static func credentials(_ options: inout Options) throws(OptionError) -> (String, Secret<String>) {
        let username = try options.string("username")
        let apiKey = try options.secret("api_key")
        guard try options.string("auth_file") != nil else { return try account(&options) }
        guard username == nil, apiKey == nil else {
            throw options.invalid("auth_file", "cannot stand beside username and api_key: give one or the other")
        }
        guard var file = try options.credentials("auth_file") else { throw options.missing("auth_file") }
        let account = try account(&file)
        try file.rejectUnknown()
        return account
    }

    private static func account(_ options: inout Options) throws(OptionError) -> (String, Secret<String>) {
        let username = try options.requiredString("username")
        guard let apiKey = try options.secret("api_key") else { throw options.missing("api_key") }
        guard !apiKey.revealed.isEmpty else { throw options.invalid("api_key", "must not be empty") }
        return (username, apiKey)
    }

    package var identity: String { "\(Self.option).\(username)" }

    package func held(among records: [TXTRecord]) throws(PublishError) -> Set<TXTRecord>? {
        try attempt { () throws(CloudDNSError) in
            try Set(client.textRecords(of: client.domain(of: task.zone)).map(\.record)).intersection(records)
        }
    }

    package func change(adding: [TXTRecord], removing: [TXTRecord]) throws(PublishError) -> Removal {
        try attempt { () throws(CloudDNSError) in
            let domain = try client.domain(of: task.zone)
            let removal = removing.isEmpty ? Removal() : remove(removing, from: domain)
            for batch in Self.batches(of: adding) { try add(batch, to: domain) }
            return removal
        }
    }

    // MARK: Adding

    /// A call adds all of its records or none, and none where one is there already: another run may have added it, or
    /// an earlier try whose answer was lost. What is there is looked at, and the rest is added.
    private func add(_ batch: [TXTRecord], to domain: CloudDNS.Domain) throws(CloudDNSError) {
        var missing = batch
        while !missing.isEmpty {
            do throws(CloudDNSError) {
                return try client.add(missing, ttl: ttl, to: domain)
            } catch {
                guard error.isRefusal else { throw error }
                let held = try Set(client.textRecords(of: domain).map(\.record))
                let rest = missing.filter { !held.contains($0) }
                guard rest.count < missing.count else { throw try explain(error, rest.count, domain) }
                missing = rest
            }
        }
    }

    /// The refusal, or the limit where that explains it: a full domain is told by counting, not by the words of the
    /// fault, which are those of any limit.
    private func explain(
        _ refusal: CloudDNSError, _ wanted: Int, _ domain: CloudDNS.Domain
    ) throws(CloudDNSError) -> CloudDNSError {
        let total = try client.recordCount(of: domain)
        guard total + wanted > Self.domainLimit else { return refusal }
        return CloudDNSError(
            "the domain \(domain.name) holds \(total) records and \(wanted) more are wanted, but Cloud DNS allows "
                + "\(Self.domainLimit) in a domain: remove records that nobody needs, or have Rackspace raise the "
                + "limit (\(refusal))")
    }

    // MARK: Removing

    /// What cannot be removed is left for the next call: it stands in nobody's way.
    private func remove(_ records: [TXTRecord], from domain: CloudDNS.Domain) -> Removal {
        var removal = Removal()
        do throws(CloudDNSError) {
            let wanted = Set(records)
            let entries = try client.textRecords(of: domain).filter { wanted.contains($0.record) }
            for batch in Self.batches(of: entries) { try remove(batch, from: domain, &removal) }
        } catch {
            removal.left = Set(records)
            removal.warnings.append("\(error)")
        }
        guard !removal.left.isEmpty else { return Removal() }
        removal.warnings = removal.warnings.map {
            "\($0); \(removal.left.count) old TXT records may stay in \(domain.name) until the next call"
        }
        return removal
    }

    /// A deletion may remove some of its records and not others: what is still there after a refusal counts.
    private func remove(
        _ entries: [CloudDNS.TextRecord], from domain: CloudDNS.Domain, _ removal: inout Removal
    ) throws(CloudDNSError) {
        do throws(CloudDNSError) {
            try client.remove(entries, from: domain)
        } catch {
            guard error.isRefusal else { throw error }
            let ids = Set(entries.map(\.id))
            let left = try client.textRecords(of: domain).filter { ids.contains($0.id) }
            guard !left.isEmpty else { return }
            removal.left.formUnion(left.map(\.record))
            removal.warnings.append("\(error)")
        }
    }

    private static func batches<Element>(of elements: [Element]) -> [[Element]] {
        stride(from: 0, to: elements.count, by: batch).map { Array(elements[$0...].prefix(batch)) }
    }

    private func attempt<Result>(_ body: () throws(CloudDNSError) -> Result) throws(PublishError) -> Result {
        do throws(CloudDNSError) {
            return try body()
        } catch {
            throw PublishError("the zone \(task.zone) was not published: \(error)")
        }
    }
}
