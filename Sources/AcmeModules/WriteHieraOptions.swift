internal import AnsibleModule
internal import Names
internal import Store

/// The options of `acme_write_hiera`, read and checked as a whole before anything is touched.
struct WriteHieraOptions {
    let hosts: [HieraHost]
    /// The directory that the files are in.
    let path: String
    /// Hosts that have a file though this call does not write it.
    let knownHosts: Set<String>
    /// Seconds for the whole module.
    let timeout: Int

    init(_ invocation: Invocation) throws(OptionError) {
        var options = invocation.options
        path = try options.requiredPath("path")
        let certPath = try options.path("cert_path", default: "/etc/letsencrypt-certs")
        knownHosts = Set(try options.strings("known_hosts") ?? [])
        timeout = try options.timeout()
        guard var mapping = try options.mapping("hosts") else { throw options.missing("hosts") }
        hosts = try mapping.names.map { (name) throws(OptionError) in
            guard let certificates = try mapping.mapping(name) else {
                throw mapping.invalid(name, "must be a mapping of certificates, not null")
            }
            guard HieraHost.canNameFile(name) else {
                throw mapping.invalid(name, "cannot name a file: host names have no /, no space and no leading dot")
            }
            return try HieraHost(name: name, certificates, certPath: certPath)
        }
        try options.checkPrivatePath(isCheckMode: invocation.checkMode)
        try options.rejectUnknown()
    }
}

/// One host with the certificates that its file holds.
struct HieraHost {
    struct Entry {
        let key: String
        let variables: HieraVariables
        let names: [DomainName]
        let certPath: String
    }

    let name: String
    let entries: [Entry]

    var fileName: String { name + Self.suffix }

    static let suffix = ".certs.yaml"

    init(name: String, _ certificates: Options, certPath: String) throws(OptionError) {
        self.name = name
        var certificates = certificates
        entries = try certificates.names.map { (key) throws(OptionError) in
            var own = certPath
            let domains: [String]
            if certificates.isMapping(key), var entry = try certificates.mapping(key) {
                own = try entry.path("cert_path", default: certPath)
                domains = try entry.strings("domains") ?? []
                try entry.rejectUnknown()
            } else {
                domains = try certificates.strings(key) ?? []
            }
            let names = try CertificateOptions.names(domains, of: key)
            return Entry(key: key, variables: HieraVariables(key: key), names: names, certPath: own)
        }
        guard !entries.isEmpty else { throw OptionError("host \(name) has no certificates; leave it out of hosts") }
        try checkVariables()
    }

    /// Two keys may not lead to one variable: `a.b` and `a-b` do, and so do `a_ssl_cert` and `cert_a`.
    private func checkVariables() throws(OptionError) {
        var seen: [String: String] = [:]
        for entry in entries {
            for variable in entry.variables.all {
                if let other = seen.updateValue(entry.key, forKey: variable) {
                    throw OptionError(
                        "host \(name): certificates \(other) and \(entry.key) would both be the variable "
                            + "\(variable); rename one of them")
                }
            }
        }
    }

    static func canNameFile(_ name: String) -> Bool {
        !name.hasPrefix(".") && name.utf8.count <= 200
            && name.unicodeScalars.allSatisfy { $0 != "/" && $0.value > 0x20 && $0.value != 0x7f }
    }
}
