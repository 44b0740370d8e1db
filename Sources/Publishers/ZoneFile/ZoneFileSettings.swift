package import DNS
package import Names
package import Platform

/// The options of the zone file provider.
package struct ZoneFileSettings: Sendable {
    /// A name server of the zone, with its addresses where it lies in the zone.
    package struct NameServer: Sendable, Equatable {
        package let name: DNSName
        package let addresses: [String]

        package init(name: DNSName, addresses: [ServerAddress] = []) {
            self.name = name
            self.addresses = addresses.map(\.address)
        }
    }

    /// The zone file.
    package let path: String
    /// Nil to keep those of the zone that is there.
    package let nameServers: [NameServer]?
    /// The SOA record's mailbox as a name, dots of its first label escaped; nil to keep that of the zone that is there.
    package let hostmaster: String?
    /// Seconds.
    package let ttl: UInt32
    /// Values that one name may hold, 0 for any number. BIND's `max-records-per-type` is 100, and a zone with more is not
    /// loaded, although `named-checkzone` finds nothing wrong with it.
    package let mostValues: Int
    /// With `{zone}` and `{file}`; nil to run none.
    package let checkCommand: Command?
    package let reloadCommand: Command?

    package init(
        path: String, nameServers: [NameServer]? = nil, hostmaster: String? = nil, ttl: UInt32 = 60,
        mostValues: Int = 100, checkCommand: Command?, reloadCommand: Command?
    ) {
        self.path = path
        self.nameServers = nameServers
        self.hostmaster = hostmaster
        self.ttl = ttl
        self.mostValues = mostValues
        self.checkCommand = checkCommand
        self.reloadCommand = reloadCommand
    }

    /// A mailbox as the SOA record wants it, from `hostmaster.example.org` or `host.master@example.org`.
    package static func mailbox(_ text: String) throws(InvalidName) -> String {
        guard let at = text.lastIndex(of: "@") else { return try DNSName(text).description }
        let domain = try DNSName(String(text[text.index(after: at)...]))
        let local = text[..<at].lowercased()
        let label = local.split(separator: ".", omittingEmptySubsequences: false)
        guard local.utf8.count <= 63, label.allSatisfy({ (try? DNSName(String($0))) != nil }) else {
            throw InvalidName(text, "has a mailbox that a SOA record cannot hold")
        }
        return label.joined(separator: "\\.") + "." + domain.description
    }
}
