internal import AnsibleModule
internal import DNS
internal import Names
internal import Platform
internal import Publishers

/// The options of `acme_publish_txt`, read and checked as a whole before anything is touched.
struct PublishTXTOptions {
    let zone: DNSName
    /// Those that are wanted without a look at whose they are.
    let records: [TXTRecord]
    /// What hosts want; nil where `records` says all.
    let claims: HostClaims?
    let publisher: any Publisher
    /// Seconds for which tokens of earlier calls stay.
    let keep: Int64
    /// The servers to ask; nil for those of the zone's NS records.
    let servers: [ServerReference]?
    /// The resolvers that find them; none for the system's.
    let resolvers: [ServerAddress]
    /// Seconds to wait for the records to be visible; zero not to wait.
    let visibleTimeout: Int

    init(_ invocation: consuming Invocation) throws(OptionError) {
        var options = (consume invocation).options
        zone = try options.dnsName("zone")
        claims = try HostClaims(&options, zone: zone)
        records = try Self.records(&options, isNeeded: claims == nil)
        keep = Int64(try options.integer("keep", default: 3600, in: 0...31_536_000))
        servers = try Self.servers(&options)
        resolvers = try options.serverAddresses("dns_servers")
        visibleTimeout = try options.integer("visible_timeout", default: 120, in: 0...86_400)
        let task = PublishingTask(
            zone: zone, statePath: try options.statePath(),
            deadline: Deadline(seconds: Double(try options.timeout()), clock: SystemClock()))
        publisher = try Providers.chosen(&options, for: task)
        try options.rejectUnknown()
    }

    /// Each once, sorted. Members that are not needed here are passed over: `acme_request_tokens` returns more.
    private static func records(_ options: inout Options, isNeeded: Bool) throws(OptionError) -> [TXTRecord] {
        guard let entries = try options.mappings("records") else {
            if isNeeded { throw options.missing("records") }
            return []
        }
        guard isNeeded else { throw options.invalid("records", "and hosts exclude each other: give one of them") }
        var records: [TXTRecord] = []
        records.reserveCapacity(entries.count)
        for var entry in entries {
            let member = try entry.string("target") == nil ? "record" : "target"
            guard member == "target" || entry.has(member) else { throw entry.missing("target") }
            let name = try entry.dnsName(member)
            let text = try entry.requiredString("value")
            do throws(TXTValue.Invalid) {
                records.append(TXTRecord(name: name, value: try TXTValue(text)))
            } catch {
                throw entry.invalid("value", "cannot be a TXT record of \(name): it \(error)")
            }
        }
        return records.unique
    }

    private static func servers(_ options: inout Options) throws(OptionError) -> [ServerReference]? {
        guard let texts = try options.strings("servers") else { return nil }
        guard !texts.isEmpty else {
            throw options.invalid("servers", "names none; leave it out for the zone's own, or set visible_timeout to 0")
        }
        var servers: [ServerReference] = []
        for text in texts {
            guard let server = ServerReference(text) else {
                throw options.invalid("servers", "holds '\(text)', which is neither an address nor a name of a server")
            }
            servers.append(server)
        }
        return servers
    }
}
