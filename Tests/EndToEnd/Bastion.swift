import Foundation
import TestSupport

/// A key with its certificate and the chain above it, PEM as openssl wrote it.
struct IssuedCertificate {
    let key: String
    let certificate: String
    let chain: String

    var fullChain: String { certificate + chain }

    /// A fresh one below a fresh root, for `days`.
    init(name: String, days: Int = 90) throws {
        let parts = try withTemporaryDirectory { directory in
            let made = try Program.run(["sh", "-euc", Self.script, "sh", name, String(days)], directory: directory)
            guard made.status == 0 else { throw Lab.Unexpected("openssl: \(made)") }
            return try ["/key", "/cer", "/ca.cer"].map { try String(contentsOfFile: directory + $0, encoding: .utf8) }
        }
        (key, certificate, chain) = (parts[0], parts[1], parts[2])
    }

    private static let script = """
        new="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        $new -keyout ca.key -out ca.cer -days 365 -subj "/CN=The root of $1"
        $new -keyout key -out cer -days "$2" -subj "/CN=$1" -CA ca.cer -CAkey ca.key
        """
}

/// The private area of a bastion, which is this machine, and what `letsencrypt_hiera` makes of it on hosts of the lab.
struct Bastion {
    /// `letsencrypt_rackspace_path`.
    let area: String
    /// Hosts of the inventory to the variables of each.
    var hosts: [String: [String: any Sendable]] = [:]

    /// Runs `body` with an empty area.
    static func make<Result>(_ body: (inout Bastion) throws -> Result) throws -> Result {
        try withTemporaryDirectory { area in
            try FileManager.default.createDirectory(atPath: area + "/hiera", withIntermediateDirectories: true)
            var bastion = Bastion(area: area)
            return try body(&bastion)
        }
    }

    func file(of host: String) -> String { "\(area)/hiera/\(host).certs.yaml" }

    /// Writes the file of a host, as the daily run does; certificate keys hold nothing but letters, digits and `_`.
    func store(_ certificates: [String: IssuedCertificate], for host: String) throws {
        let text = certificates.sorted { $0.key < $1.key }.map { key, certificate in
            """
            cert_\(key):
            \(Self.block("  key_contents", certificate.key))\
            \(Self.block("  cert_contents", certificate.certificate))\
            \(Self.block("  chain_contents", certificate.chain))\
            \(Self.block("  full_chain_contents", certificate.fullChain))\
            \(Self.block("\(key)_ssl_cert", certificate.certificate))\
            \(Self.block("\(key)_ssl_key", certificate.key))\
            \(Self.block("\(key)_ssl_chain", certificate.chain))
            """
        }
        try Data(("---\n" + text.joined()).utf8).write(to: URL(fileURLWithPath: file(of: host)))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file(of: host))
    }

    /// `name: |` and the lines of `text` below it, in literal style.
    private static func block(_ name: String, _ text: String) -> String {
        let indent = String(repeating: " ", count: name.prefix { $0 == " " }.count + 2)
        return "\(name): |\n" + text.split(separator: "\n").map { "\(indent)\($0)\n" }.joined()
    }

    /// Runs the role over the hosts, with a handler of the operator's that listens in the play, and one that is called
    /// by the topic in a role of handlers; on wish with the oldest supported Ansible, where `make deps` installed it.
    func play(_ arguments: String..., oldest: Bool = false) throws -> PlaybookRun {
        let there = FileManager.default.fileExists(atPath: Lab.root + "/.venv-oldest")
        return try withTemporaryDirectory { directory in
            let (inventory, role) = (directory + "/inventory", directory + "/handlers_of_this_test")
            for path in [inventory, role + "/handlers"] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            var connections = try Inventory([:])
            connections.variables["letsencrypt_rackspace_path"] = area
            connections.variables["letsencrypt_handlers_role"] = role
            connections.hostVariables = hosts
            try connections.writeConnections(of: Array(hosts.keys), to: inventory + "/lab.json")
            let group = ["letsencrypt_rackspace": ["hosts": hosts.mapValues { _ in [String: String]() }]]
            try JSONEncoder().encode(group).write(to: URL(fileURLWithPath: inventory + "/group.json"))
            try Self.write(Self.roleHandlers, to: role + "/handlers/main.yml")
            try Self.write(Self.playbook, to: directory + "/play.yaml")
            return try Inventory.run(
                ["ansible-playbook", "-i", inventory, directory + "/play.yaml"] + arguments,
                python: oldest && there ? ".venv-oldest" : ".venv")
        }
    }

    private static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private static let playbook = """
        - hosts: letsencrypt_rackspace:!disabled
          gather_facts: false
          roles:
            - role: letsencrypt_hiera
          handlers:
            - name: In the play
              ansible.builtin.debug:
                msg: puppet apply
              listen: letsencrypt hiera updated

        """
    private static let roleHandlers = """
        - name: letsencrypt hiera updated
          ansible.builtin.debug:
            msg: puppet apply

        """
}
