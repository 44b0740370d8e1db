internal import AnsibleModule
internal import Platform

/// The options of `acme_write_hiera`, read and checked as a whole before anything is touched. What is wrong with the
/// certificates of one host is that host's own failure.
struct WriteHieraOptions {
    let plan: HieraPlan
    /// The directory that the files are in.
    let path: String
    /// The hosts that this call is about; nil for all.
    let only: Set<String>?
    /// Whether no file is looked at or written.
    let isPlanOnly: Bool
    /// Seconds for the whole module.
    let timeout: Int

    init(_ invocation: Invocation) throws(OptionError) {
        var options = invocation.options
        path = try options.requiredPath("path")
        let certPath = try options.path("cert_path", default: "/etc/letsencrypt-certs")
        only = try options.strings("only").map(Set.init)
        isPlanOnly = try options.boolean("plan", default: false)
        timeout = try options.timeout()
        guard var hosts = try options.mapping("hosts") else { throw options.missing("hosts") }
        plan = HieraPlan(hosts.names.map { HieraHost($0, hosts.value($0), certPath: certPath) })
        try options.checkPrivatePath(isCheckMode: invocation.checkMode)
        try options.rejectUnknown()
    }

    /// The hosts that this call is about and that want certificates.
    var hosts: [PlannedFile] { plan.hosts.filter { only?.contains($0.name) ?? true } }
}

/// One host with the certificates that it wants, in the form of `certs` of the other modules.
struct HieraHost {
    /// A certificate as it was read, and as it was given.
    struct Wish {
        let certificate: CertificateOptions
        let given: JSONValue
    }

    let name: String
    let wishes: Result<[Wish], OptionError>

    static let suffix = ".certs.yaml"

    /// Its certificates are below `certPath`, in a directory of the host's own.
    init(_ name: String, _ given: JSONValue?, certPath: String) {
        self.name = name
        wishes = Result { () throws(OptionError) in try Self.read(name, given, certPath: certPath) }
    }

    private static func read(_ name: String, _ given: JSONValue?, certPath: String) throws(OptionError) -> [Wish] {
        guard canNameFile(name) else {
            throw OptionError("its name cannot name a file: host names have no /, no space and no leading dot")
        }
        var options = Options(["certificates": given ?? .null])
        guard let certs = try options.mapping("certificates") else { return [] }
        let all = try CertificateOptions.read(certs, .standard(in: "\(certPath)/\(name)"))
        try checkVariables(all)
        return all.map { certificate in
            var certs = certs
            return Wish(certificate: certificate, given: certs.value(certificate.key) ?? .null)
        }
    }

    /// Two keys may not lead to one variable: `a.b` and `a-b` do, and so do `a_ssl_cert` and `cert_a`.
    private static func checkVariables(_ certificates: [CertificateOptions]) throws(OptionError) {
        var seen: [String: String] = [:]
        for certificate in certificates {
            for variable in HieraVariables(key: certificate.key).all {
                if let other = seen.updateValue(certificate.key, forKey: variable) {
                    throw OptionError(
                        "certificates \(other) and \(certificate.key) would both be the variable \(variable); "
                            + "rename one of them")
                }
            }
        }
    }

    private static func canNameFile(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".") && name.utf8.count <= 200
            && name.unicodeScalars.allSatisfy { $0 != "/" && $0.value > 0x20 && $0.value != 0x7f }
    }
}
