import Foundation
import TestSupport

/// An inventory as an operator would write it, of the hosts that one test uses.
///
/// Names in `certificates` are completed with the lab's main zone: `n1:443` is `n1.example.test:443`.
struct Inventory: Sendable {
    /// Host to certificate key to names.
    var certificates: [String: [String: [String]]]
    /// Of the group all.
    var variables: [String: any Sendable]
    /// Variables of single hosts.
    var hostVariables: [String: [String: any Sendable]] = [:]
    var disabled: [String] = []
    /// Certificates with a handler; nil for all. A handler tells that it ran and does nothing else.
    var handlers: [String]?

    init(_ certificates: [String: [String: [String]]], from ca: CA = .main) throws {
        let lab = try Lab.current()
        try Lab.emptied.get()
        self.certificates = certificates
        variables = [
            "ansible_user": "root",
            "ansible_port": try lab["SSH_PORT"],
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_private_key_file": try lab["SSH_KEY"],
            "ansible_ssh_common_args": "-F none -o UserKnownHostsFile=\"\(try lab["SSH_KNOWN_HOSTS"])\""
                + " -o IdentitiesOnly=yes -o ConnectTimeout=5",
            "letsencrypt_binary": try Lab.program,
            "letsencrypt_account_email": "hostmaster@\(try lab.mainZone)",
            "letsencrypt_acme_directory": try ca.directory,
            "letsencrypt_ca_path": "/etc/ssl/lab-acme-ca.pem",
            "letsencrypt_signing_domain": try lab.signingZone,
        ]
    }

    /// Writes it with its handlers into a directory, for the time of `body`, which gets the inventory's path.
    func written<Result>(_ body: (String) throws -> Result) throws -> Result {
        try withTemporaryDirectory { directory in
            let role = directory + "/handlers_of_this_test"
            try FileManager.default.createDirectory(atPath: role + "/handlers", withIntermediateDirectories: true)
            try write(handlerTasks, to: role + "/handlers/main.yml")
            var inventory = self
            inventory.variables["letsencrypt_handlers_role"] = variables["letsencrypt_handlers_role"] ?? role
            try write(try inventory.document, to: directory + "/hosts.json")
            return try body(directory + "/hosts.json")
        }
    }

    /// Writes how the given hosts are reached, and which CA they ask, for an inventory that says all else itself.
    func writeConnections(of hosts: [String], to path: String) throws {
        let addresses = try Dictionary(uniqueKeysWithValues: hosts.map { ($0, try variables(of: $0)) })
        try write(["all": ["hosts": addresses, "vars": variables.mapValues { $0 as Any }]], to: path)
    }

    /// `name` in the main zone, its port kept.
    static func complete(_ name: String) throws -> String {
        let parts = name.split(separator: ":", maxSplits: 1)
        return ([parts[0] + "." + (try Lab.current().mainZone)] + parts.dropFirst()).joined(separator: ":")
    }

    // MARK: What is written

    private var document: [String: Any] {
        get throws {
            var hosts: [String: Any] = [:]
            for host in Array(certificates.keys) + disabled + [Host.nameServer.name] {
                hosts[host] = try variables(of: host)
            }
            return [
                "all": ["hosts": hosts, "vars": variables.mapValues { $0 as Any }],
                "letsencrypt": ["hosts": members(Array(certificates.keys))],
                "adns": ["hosts": members([Host.nameServer.name])],
                "disabled": ["hosts": members(disabled)],
            ]
        }
    }

    private func members(_ names: [String]) -> [String: Any] {
        Dictionary(uniqueKeysWithValues: names.map { ($0, [String: String]()) })
    }

    private func variables(of host: String) throws -> [String: Any] {
        var variables = (hostVariables[host] ?? [:]).mapValues { $0 as Any }
        // A host that the lab does not start has an address that nothing listens at.
        let nowhere = try Lab.current()["NETWORK"] + ".19"
        variables["ansible_host"] = variables["ansible_host"] ?? (try? Host(name: host).address) ?? nowhere
        if let wanted = certificates[host] {
            variables["letsencrypt_certs"] = try wanted.mapValues { try $0.map(Self.complete) }
        }
        return variables
    }

    private var handlerTasks: [[String: Any]] {
        let keys = handlers ?? Set(certificates.values.flatMap(\.keys)).sorted()
        return keys.map { ["name": "letsencrypt updated \($0)", "ansible.builtin.debug": ["msg": "\($0) is used"]] }
    }

    func write(_ value: Any, to path: String) throws {
        let text = try JSONSerialization.data(withJSONObject: value, options: [.prettyPrinted, .sortedKeys])
        try text.write(to: URL(fileURLWithPath: path))
    }
}
