internal import AnsibleModule
internal import DNS
internal import Names

extension ZoneFileSettings {
    /// Reads the mapping `zone_file`.
    init(_ options: inout Options) throws(OptionError) {
        let path = try options.requiredPath("path")
        let hostmaster = try options.string("hostmaster")
        self.init(
            path: path,
            nameServers: try Self.nameServers(&options),
            hostmaster: try hostmaster.map { text throws(OptionError) in
                do {
                    return try Self.mailbox(text)
                } catch {
                    throw options.invalid("hostmaster", "cannot be used: \(error)")
                }
            },
            ttl: UInt32(try options.integer("ttl", default: 60, in: 1...86_400)),
            mostValues: try options.integer("max_records_per_type", default: 100, in: 0...1_000_000),
            checkCommand: try options.command("check_command", default: ["named-checkzone", "{zone}", "{file}"]),
            reloadCommand: try options.command("reload_command", default: ["rndc", "reload", "{zone}"]))
    }

    /// A list of names, or a mapping from names to an address or a list of addresses.
    private static func nameServers(_ options: inout Options) throws(OptionError) -> [NameServer]? {
        guard options.isMapping("nameservers"), var members = try options.mapping("nameservers") else {
            guard let names = try options.strings("nameservers") else { return nil }
            var servers: [NameServer] = []
            for name in names { servers.append(NameServer(name: try options.dnsName(name, in: "nameservers"))) }
            return servers.isEmpty ? nil : servers
        }
        var servers: [NameServer] = []
        for text in members.names {
            let name = try options.dnsName(text, in: "nameservers")
            let addresses = try members.serverAddresses(text)
            guard addresses.allSatisfy({ $0.port == 53 }) else {
                throw members.invalid(text, "must hold addresses without ports")
            }
            servers.append(NameServer(name: name, addresses: addresses))
        }
        return servers.isEmpty ? nil : servers
    }
}
