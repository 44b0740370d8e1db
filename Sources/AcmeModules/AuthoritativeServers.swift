internal import DNS
internal import Names
internal import Platform

/// The servers that must show what was published: those given, or every address of the zone's NS records.
struct AuthoritativeServers {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let servers: [AuthoritativeServer]
    /// Addresses that were left out because this machine cannot reach them.
    let warnings: [String]

    init(of zone: DNSName, given: [ServerReference]?, resolver: Resolver) throws(Failure) {
        let references: [ServerReference]
        if let given { references = given } else { references = try Self.references(of: zone, resolver) }
        let names = references.compactMap { if case .name(let name, _) = $0 { name } else { nil } }
        let addresses = names.isEmpty ? [:] : resolver.addresses(of: names)
        var servers: [AuthoritativeServer] = []
        var warnings: [String] = []
        for reference in references {
            switch reference {
            case .address(let address): servers.append(AuthoritativeServer(address: address))
            case .name(let name, let port):
                let all = try Self.found(addresses[name], name, port)
                // A name server with addresses of both families is asked over the one that this machine has.
                let usable = all.filter(\.address.isRoutable)
                servers += usable.isEmpty ? all : usable
                if !usable.isEmpty {
                    warnings += all.filter { !usable.contains($0) }
                        .map { "\($0) was not asked: this machine has no route to it" }
                }
            }
        }
        self.servers = servers
        self.warnings = warnings
    }

    private static func references(of zone: DNSName, _ resolver: Resolver) throws(Failure) -> [ServerReference] {
        do throws(DNSError) {
            return try resolver.nameServers(of: zone).map { .name($0, port: 53) }
        } catch {
            throw Failure(
                description: "cannot find the name servers of \(zone), so that nobody can be asked for the records: "
                    + "\(error); give them in servers, or resolvers in dns_servers")
        }
    }

    private static func found(
        _ addresses: Result<[ServerAddress], DNSError>?, _ name: DNSName, _ port: UInt16
    ) throws(Failure) -> [AuthoritativeServer] {
        do throws(DNSError) {
            let addresses = try addresses?.get() ?? []
            return addresses.map { AuthoritativeServer(name: name, address: $0.with(port: port)) }
        } catch {
            throw Failure(description: "cannot find an address of the name server \(name): \(error)")
        }
    }
}
