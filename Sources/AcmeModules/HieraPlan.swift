internal import AnsibleModule
internal import Names

/// Which certificates all hosts together need. Hosts that want exactly the same names share one certificate and its key:
/// that of the first of them, in the order of their names.
struct HieraPlan {
    private struct Owner {
        let host: String
        let certificate: CertificateOptions
    }

    /// Hosts that want no certificate are left out.
    let hosts: [PlannedFile]
    /// As `acme_request_tokens` takes them, by "host/key".
    private let certs: [String: JSONValue]

    init(_ hosts: [HieraHost]) {
        var owners: [Set<DomainName>: Owner] = [:]
        var certs: [String: JSONValue] = [:]
        self.hosts = hosts.compactMap { host in
            do throws(OptionError) {
                let wishes = try host.wishes.get()
                let shared = try wishes.map { (wish) throws(OptionError) in
                    let own = Owner(host: host.name, certificate: wish.certificate)
                    return try Self.owner(of: own, owners[Set(wish.certificate.names)])
                }
                for (wish, owner) in zip(wishes, shared) {
                    owners[Set(wish.certificate.names)] = owner
                    Self.add(wish, of: owner, to: &certs)
                }
                let entries = zip(wishes, shared).map { wish, owner in
                    PlannedFile.Entry(
                        key: wish.certificate.key, certificate: owner.certificate, shared: Self.name(owner))
                }
                return entries.isEmpty ? nil : PlannedFile(name: host.name, content: .success(entries))
            } catch {
                return PlannedFile(name: host.name, content: .failure(error))
            }
        }
        self.certs = certs
    }

    /// What has to be requested for these hosts.
    func requests(for hosts: [PlannedFile]) -> JSONValue {
        let wanted = Set(hosts.flatMap(\.certificates))
        return .object(certs.filter { wanted.contains($0.key) })
    }

    private static func name(_ owner: Owner) -> String { "\(owner.host)/\(owner.certificate.key)" }

    private static func owner(of own: Owner, _ first: Owner?) throws(OptionError) -> Owner {
        guard let first else { return own }
        guard first.certificate.settings.wishesTheSame(as: own.certificate.settings) else {
            throw OptionError(
                "certificate \(own.certificate.key) has the names of \(name(first)), but other options; hosts share a "
                    + "certificate with the same names: give both the same options")
        }
        return first
    }

    /// A wish to renew now counts, whichever of the hosts has it.
    private static func add(_ wish: HieraHost.Wish, of owner: Owner, to certs: inout [String: JSONValue]) {
        let given = wish.given.object ?? [:]
        var options = certs[name(owner)]?.object ?? given
        options["domains"] = .strings(owner.certificate.names.map(\.description))
        // Forms are for the host that serves the certificate; what is made here only goes into its file.
        options["formats"] = nil
        options["passphrase_file"] = nil
        options["cert_path"] = .string(owner.certificate.settings.certPath)
        if wish.certificate.settings.force { options["force"] = true }
        certs[name(owner)] = .object(options)
    }
}

/// The file of one host.
struct PlannedFile {
    struct Entry {
        let key: String
        /// The certificate, which may be that of another host.
        let certificate: CertificateOptions
        /// Its name in `certs`.
        let shared: String

        var variables: HieraVariables { HieraVariables(key: key) }
    }

    let name: String
    /// Why the host's certificates cannot be what they are said to be, where they cannot.
    let content: Result<[Entry], OptionError>

    var entries: [Entry] { (try? content.get()) ?? [] }
    var fileName: String { name + HieraHost.suffix }

    /// The names in `certs` that the file needs.
    var certificates: [String] { entries.map(\.shared) }
}
