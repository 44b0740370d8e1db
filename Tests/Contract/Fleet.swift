import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// Hosts with what they say about their certificates, and the real playbook run over them, on this machine.
struct Fleet {
    /// Host to the answer of its `acme_certificate_info`; nil for one that cannot be reached.
    var answers: [String: JSONValue?] = [:]
    let directory: String

    var report: String { directory + "/report" }
    var page: String { report + "/index.html" }

    /// A whole fleet that is well: certificates `c0` and on, spread over up to ten hosts.
    static func healthy(_ count: Int, in directory: String) -> Fleet {
        var fleet = Fleet(directory: directory)
        let hosts = min(10, count)
        for host in 0..<hosts {
            let certificates = stride(from: host, to: count, by: hosts).map {
                certificate("c\($0)", left: 40 + $0 % 47)
            }
            fleet.answers["web\(host)"] = answer(certificates)
        }
        return fleet
    }

    static func answer(
        _ certificates: [JSONValue], endpoints: [JSONValue] = [], orders: [JSONValue] = [], problems: [JSONValue] = []
    ) -> JSONValue {
        [
            "changed": false, "failed": false, "msg": "ok", "orders": .array(orders), "problems": .array(problems),
            "certificates": .array(certificates), "endpoints": .array(endpoints),
        ]
    }

    /// One with this many days left, as the module describes it, but for what is added.
    static func certificate(_ name: String, left: Int, _ more: [String: JSONValue] = [:]) -> JSONValue {
        let usual: [String: JSONValue] = [
            "name": .string(name), "directory": .string("/etc/letsencrypt-certs/\(name).example.org"), "wanted": true,
            "installed": true, "domains": [.string("\(name).example.org"), .string("www.\(name).example.org")],
            "issuer": "C=US, O=Let's Encrypt, CN=R11", "serial": .string("0\(name)beef"),
            "fingerprint_sha256": .string("\(name)f00d"),
            "not_before": time(left - 90), "not_after": time(left), "renew_at": time(left - 30),
            "due": .bool(left < 30), "reason": "valid", "key_type": "ec-256", "key_matches": true,
            "chain_healthy": true, "self_signed": false, "last_failure": .null, "problems": [],
        ]
        return .object(usual.merging(more) { $1 })
    }

    /// What a host without the program says.
    static let bare: JSONValue = [
        "changed": false, "failed": true, "msg": "acme-modules is not installed", "certificates": [], "endpoints": [],
        "orders": [], "problems": [],
    ]

    static func endpoint(_ name: String, _ state: String, error: String? = nil) -> JSONValue {
        [
            "endpoint": .string(name), "protocol": "tls", "address": "192.0.2.1", "certificate": "c0",
            "state": .string(state), "fingerprint_sha256": "f00d", "serial": "0beef", "issuer": "R11",
            "not_after": time(20), "domains": ["c0.example.org"], "error": error.map(JSONValue.string) ?? .null,
        ]
    }

    /// One that a CA fulfilled so many days ago.
    static func order(_ name: String, ago: Int) -> JSONValue {
        [
            "certificate": .string(name), "directory": "https://ca.example/directory", "account": .null,
            "domains": [.string("\(name).example.org")], "serial": "0beef", "at": time(-ago),
        ]
    }

    /// So many days from now.
    static func time(_ days: Int) -> JSONValue {
        let moment = Date(timeIntervalSinceNow: Double(days) * 86400 + 3600)
        return .string(moment.formatted(.iso8601))
    }

    /// Runs the playbook, and returns how it ended. It must be set up before.
    func play(_ arguments: String..., python: String = ".venv") throws -> ProgramResult {
        let environment = "\(RealProgram.root)/\(python)/bin"
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return try Program.run(
            // The threads of tests block signals, and what they start would too: Ansible's timeouts need this one.
            ["--default-signal=ALRM", "ansible-playbook", "-i", directory + "/inventory.json"]
                + [directory + "/letsencrypt-report.yaml"] + arguments,
            environment: [
                "PATH": "\(environment):\(path)", "ANSIBLE_CONFIG": RealProgram.root + "/ansible/ansible.cfg",
                "ANSIBLE_NOCOLOR": "1", "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
            ])
    }

    /// Writes inventory and modules: each host answers with its file, and limits are counted by the program itself.
    func setUp() throws {
        let library = directory + "/library"
        try FileManager.default.createDirectory(atPath: library, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: RealProgram.root + "/playbooks/letsencrypt-report.yaml",
            toPath: directory + "/letsencrypt-report.yaml")
        try FileManager.default.createSymbolicLink(
            atPath: library + "/acme_plan", withDestinationPath: try RealProgram.path())
        try write(Self.answeringModule, to: library + "/acme_certificate_info")
        var hosts: [String: JSONValue] = [:]
        for (host, answer) in answers {
            let own = "\(directory)/hosts/\(host)"
            try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
            if let answer { try write(answer.rendered, to: own + "/answer") }
            let unreachable: JSONValue = [
                "ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": "1",
            ]
            hosts[host] = answer == nil ? unreachable : ["letsencrypt_cert_path": .string(own)]
        }
        let variables: JSONValue = [
            "ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3",
            "letsencrypt_report_path": .string(report),
        ]
        let inventory: JSONValue = ["all": ["vars": variables], "letsencrypt": ["hosts": .object(hosts)]]
        try write(inventory.rendered, to: directory + "/inventory.json")
    }

    private func write(_ text: String, to path: String) throws {
        try AtomicFile.write(Array(text.utf8), to: path, access: .own(mode: 0o755))
    }

    /// Says what is written in the host's directory for certificates.
    private static let answeringModule = """
        #!/bin/sh
        # WANT_JSON
        exec cat "$(sed -n 's/.*"cert_path": "\\([^"]*\\)".*/\\1/p' "$1")/answer"

        """
}
