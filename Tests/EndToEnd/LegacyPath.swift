import Foundation
import TestSupport

/// The bastion and the hosts whose keys come from hiera, as an operator would have them in an inventory.
///
/// Names in `certificates` are completed with the domain that the stand-in for Rackspace Cloud DNS holds.
struct LegacyPath {
    static let area = "/etc/letsencrypt-rackspace"
    static let user = "letsencrypt-rackspace"

    /// Host to certificate key to names, or to a mapping with `domains` and more.
    var certificates: [String: [String: any Sendable]]
    /// Variables of all hosts beside what the lab needs.
    var variables: [String: any Sendable] = [:]

    /// `name` in the domain; a name with a dot at its end is whole.
    static func complete(_ name: String) throws -> String {
        name.hasSuffix(".") ? String(name.dropLast()) : "\(name).\(try Lab.current()["LEGACY_ZONE"])"
    }

    /// Makes a bastion that has what root has to prepare, and the credentials, and nothing else.
    func prepareBastion() throws {
        try Host.bridge.run("rm -rf \(Self.area)")
        let run = try play("letsencrypt-bastion.yaml")
        guard run.isFine else { throw Lab.Unexpected("\(run)") }
        let lab = try Lab.current()
        let credentials = "username: \(try lab["RACKSPACE_USERNAME"])\napi_key: \(try lab["RACKSPACE_API_KEY"])\n"
        try Host.bridge.run(
            "umask 077; cat >\(Self.area)/rackspace.yaml; chown \(Self.user): \(Self.area)/rackspace.yaml",
            input: credentials)
    }

    /// Runs `letsencrypt-rackspace.yaml` as the user that owns the storage area.
    func obtain(_ arguments: String...) throws -> PlaybookRun {
        try play(
            "letsencrypt-rackspace.yaml",
            ["-e", "ansible_become=true", "-e", "ansible_become_user=\(Self.user)"] + arguments)
    }

    /// Runs `base.yaml` on the bastion itself, as root, as production does.
    func base(_ arguments: String...) throws -> PlaybookRun { try playThere("base.yaml", arguments, as: "root") }

    /// Runs `letsencrypt-rackspace.yaml` on the bastion itself, as its documentation says.
    func obtainThere() throws -> PlaybookRun { try playThere("letsencrypt-rackspace.yaml", [], as: Self.user) }

    /// The user has to come as far as the checkout and its Python, wherever these are.
    private func playThere(_ playbook: String, _ arguments: [String], as user: String) throws -> PlaybookRun {
        let path = "/etc/lab-inventory.json"
        let json = try JSONSerialization.data(withJSONObject: document(overSSH: false), options: [.sortedKeys])
        try Host.bridge.run("cat >\(path)", input: String(decoding: json, as: UTF8.self))
        let words = (["-i", path, "\(Lab.root)/playbooks/\(playbook)"] + arguments).map { "'\($0)'" }
        let output = try Host.bridge.run(
            """
            for file in "$1" "$(readlink -f "$1/.venv/bin/python")"; do
                while [ "$file" != / ]; do chmod a+rX "$file"; file=$(dirname "$file"); done
            done
            cd /
            status=0
            runuser -u \(user) -- env PATH="$1/.venv/bin:$PATH" ANSIBLE_CONFIG="$1/ansible/ansible.cfg" ANSIBLE_NOCOLOR=1 \\
                ansible-playbook \(words.joined(separator: " ")) 2>&1 || status=$?
            echo "status=$status"
            """, Lab.root)
        let status = output.components(separatedBy: "\nstatus=").last?.trimmingCharacters(in: .newlines)
        return PlaybookRun(status: status.flatMap { Int32($0) } ?? -1, output: output)
    }

    private func play(_ playbook: String, _ arguments: [String] = []) throws -> PlaybookRun {
        try written { inventory in
            try Inventory.run(
                ["ansible-playbook", "-i", inventory, "\(Lab.root)/playbooks/\(playbook)"] + arguments)
        }
    }

    /// Writes it, reached over ssh, for the time of `body`, which gets the inventory's path.
    func written<Result>(_ body: (String) throws -> Result) throws -> Result {
        try withTemporaryDirectory { directory in
            let inventory = directory + "/hosts.json"
            try JSONSerialization.data(withJSONObject: document(overSSH: true)).write(
                to: URL(fileURLWithPath: inventory))
            return try body(inventory)
        }
    }

    private func document(overSSH: Bool) throws -> [String: Any] {
        let lab = try Lab.current()
        let common = try Inventory([:]).variables.mapValues { $0 as Any }
        let address = try Host.bridge.address
        let provider = ["identity_url": try lab["RACKSPACE"], "ca_path": "/etc/ssl/lab-acme-ca.pem"]
        let own: [String: Any] = [
            "letsencrypt_rackspace_domains": [try lab["LEGACY_ZONE"]], "letsencrypt_rackspace_provider": provider,
        ]
        let hosts = try certificates.map { host, certificates in
            let wanted = try certificates.mapValues(Self.completed)
            let address = try Host(name: host).address
            return (host, ["ansible_host": address, "letsencrypt_rackspace_certs": wanted] as [String: Any])
        }
        return [
            "all": [
                "vars": common.merging(own) { $1 }.merging(variables.mapValues { $0 as Any }) { $1 },
                "hosts": ["bridge": overSSH ? ["ansible_host": address, "ansible_connection": "ssh"] : [:]],
            ],
            "letsencrypt_rackspace": ["hosts": Dictionary(uniqueKeysWithValues: hosts)],
        ]
    }

    private static func completed(_ value: Any) throws -> Any {
        if let names = value as? [String] { return try names.map(complete) }
        var mapping = value as? [String: Any] ?? [:]
        mapping["domains"] = try (mapping["domains"] as? [String])?.map(complete)
        return mapping
    }

    // MARK: What came of it

    static func file(_ host: Host) -> String { "\(area)/hiera/\(host.name).certs.yaml" }

    /// Every file for hiera on the bastion with its bytes and times, by host.
    static func files() throws -> [String: String] {
        try Dictionary(
            uniqueKeysWithValues: [Host.legacy01, .legacy02].map { ($0.name, try Host.bridge.state(of: file($0))) })
    }

    /// How often the stand-in for Rackspace Cloud DNS was asked so far.
    static func requests() throws -> Int { try log().split(separator: "\n").count }

    /// The tokens that it was shown so far.
    static func tokens() throws -> Set<String> {
        Set(try log().matches(of: /"X-Auth-Token": "([^"]+)"/.ignoresCase()).map { String($0.1) })
    }

    private static func log() throws -> String {
        try String(contentsOfFile: try Lab.current()["RACKSPACE_DIR"] + "/requests.jsonl", encoding: .utf8)
    }
}
