import Foundation
import TestSupport
import Testing

extension TheFiveSteps.IntoHiera {
    /// Configurations of hiera that are written in other ways, and hosts whose file or owner is not there. Each is of a
    /// host of its own in the inventory; all of these are web01.
    @Suite struct Odd {
        private static let directory = "/root/hiera-configurations"

        /// A configuration and what becomes of it: nil where it stays as it is.
        private struct Case {
            let host: String
            let text: String
            var expected: String?
            var variables: [String: any Sendable] = [:]
        }

        @Test func `a level is added to whatever is surely understood, once`() throws {
            try Bastion.make { bastion in
                try Self.prepare(Self.accepted, &bastion)
                try Host.web01.run("cd \(Self.directory) && mv zero.yaml real.yaml && ln -s real.yaml zero.yaml")
                let run = try bastion.play()
                try #require(run.isFine, "\(run)")
                for one in Self.accepted {
                    #expect(try Self.text(one.host) == one.expected ?? one.text, "\(one.host)")
                }
                #expect(try Host.web01.run("readlink \(Self.directory)/zero.yaml") == "real.yaml\n")
                let second = try bastion.play()
                #expect(second.recap.count == Self.accepted.count)
                #expect(second.changedNothing, "\(second)")
            }
        }

        private static let accepted = [
            Case(
                host: "empty", text: "version: 5\nhierarchy: []  # none",
                expected: "version: 5\nhierarchy:  # none\n" + level("empty", 2).dropLast()),
            Case(
                host: "windows", text: "version: 5\r\nhierarchy:\r\n\r\n  - name: a\r\n    path: a.yaml\r\n",
                expected: "version: 5\r\nhierarchy:\r\n" + level("windows", 2)
                    + "\r\n  - name: a\r\n    path: a.yaml\r\n"),
            Case(
                host: "zero", text: "---\n'hierarchy' :\n-   {name: a}\nversion: '5'\n",
                expected: "---\n'hierarchy' :\n" + level("zero", 0) + "-   {name: a}\nversion: '5'\n"),
            Case(
                host: "three",
                text: ":yaml:\n  :datadir: /etc/puppet/hieradata/%{::environment}/host_vars/\n:hierarchy: [ ]\n",
                expected: ":yaml:\n  :datadir: /etc/puppet/hieradata/%{::environment}/host_vars/\n:hierarchy:\n"
                    + "  \(comment)\n  - three.certs\n"),
            Case(
                host: "flow-has-it",
                text: "{version: 5, hierarchy: [{name: all, datadir: \(path), paths: [flow-has-it.certs.yaml]}]}\n"),
            Case(
                host: "interpolated", text: "version: 5\nhierarchy:\n- {name: a, path: 'hosts/%{facts.fqdn}.yaml'}\n",
                variables: ["letsencrypt_hiera_level": "\(directory)/data/hosts/%{facts.fqdn}.yaml"]),
            Case(
                host: "three-has-it",
                text: ":hierarchy: [a, three-has-it.certs]\n:yaml:\n  :datadir: \(path)\n"),
            Case(host: "unmanaged", text: "no configuration\n", variables: ["letsencrypt_hiera_config": ""]),
        ]

        private static let path = TheFiveSteps.IntoHiera.path
        private static let comment = "# The certificates of this host, added by the Ansible role letsencrypt_hiera"

        /// The level of a host in version 5, with `indent` spaces before each line.
        private static func level(_ host: String, _ indent: Int) -> String {
            let lines = [
                comment, "- name: Certificates in \(path)/\(host).certs.yaml", "  datadir: \(path)",
                "  path: \(host).certs.yaml", "  data_hash: yaml_data",
            ]
            return lines.map { String(repeating: " ", count: indent) + $0 + "\n" }.joined()
        }

        @Test func `where there is no configuration, one is made that Puppet reads`() throws {
            try Bastion.make { bastion in
                try Self.prepare([Case(host: "none", text: "")], &bastion)
                try Host.web01.run("rm \(Self.directory)/none.yaml")
                let run = try bastion.play()
                try #require(run.isFine, "\(run)")
                #expect(
                    try Self.text("none") == "---\nversion: 5\nhierarchy:\n" + Self.level("none", 2)
                        + "  - name: Common\n    path: common.yaml\n")
                let found = try Host.web01.run(
                    """
                    puppet lookup --hiera_config \(Self.directory)/none.yaml --render-as s odd_ssl_cert 2>&1
                    stat -c '%a %U:%G' \(Self.directory)/none.yaml
                    """)
                #expect(found.hasPrefix("-----BEGIN CERTIFICATE-----\n"), "\(found)")
                #expect(found.hasSuffix("644 root:root\n"))
                #expect(try bastion.play().changedNothing)
            }
        }

        @Test func `a configuration that is not surely understood is refused, with the lines to add`() throws {
            try Bastion.make { bastion in
                try Self.prepare(Self.refused.map(\.0), &bastion)
                let run = try bastion.play()
                #expect(run.status != 0)
                for (one, sentence) in Self.refused {
                    #expect(run.recap[one.host]?.failed == 1, "\(one.host): \(run)")
                    #expect(try Self.text(one.host) == one.text)
                    let said = "\(Self.directory)/\(one.host).yaml on \(one.host) is \(sentence)"
                    #expect(run.sentences.contains(said), "\(said): \(run)")
                    #expect(try Host.web01.run("find /etc/puppet -name '\(one.host).*'") == "")
                }
                #expect(
                    run.sentences.contains("- name: Certificates in \(Self.path)/flow.certs.yaml datadir: \(Self.path)")
                )
                #expect(run.sentences.contains("- scalar.certs"))
            }
        }

        private static let datadir = ":yaml:\n  :datadir: \(path)\n"
        private static let refused = [
            (
                Case(host: "flow", text: "version: 5\nhierarchy: [{name: a}]\n"),
                "left as it is, because its hierarchy is not a list with a line for each level"
            ),
            (
                Case(host: "twice", text: "version: 5\nhierarchy:\n- name: a\nhierarchy:\n- name: b\n"),
                "left as it is, because more than its hierarchy would change"
            ),
            (Case(host: "four", text: "version: 4\n"), "left as it is, because its version is 4"),
            (Case(host: "broken", text: "version: 5\n hierarchy: [\n"), "not a mapping in YAML"),
            (Case(host: "blank", text: ""), "not a mapping in YAML"),
            (
                Case(host: "scalar", text: ":hierarchy: common\n" + datadir),
                "left as it is, because its hierarchy is not a list with a line for each level"
            ),
            (
                Case(host: "elsewhere", text: ":hierarchy:\n- a\n:yaml:\n  :datadir: /var/lib/hiera\n"),
                "left as it is, because hiera 3 loads only what lies below :datadir: of :yaml:, /var/lib/hiera,"
            ),
            (
                Case(host: "eyaml", text: ":backends: eyaml\n:hierarchy:\n- a\n" + datadir),
                "left as it is, because yaml is not among its :backends:"
            ),
        ]

        @Test func `what is missing is said, and stops no host that has no certificates yet`() throws {
            try Bastion.make { bastion in
                let hosts: [String: [String: any Sendable]] = [
                    "without": [:],
                    "required": ["letsencrypt_hiera_required": true],
                    "unreadable": [:],
                    "ownerless": ["letsencrypt_hiera_owner": "nobody-here"],
                    "groupless": ["letsencrypt_hiera_group": "nobody-here"],
                    "ending": ["letsencrypt_hiera_warn_days": 10],
                ]
                try Self.prepare(
                    hosts.map { Case(host: $0, text: "version: 5\nhierarchy: []\n", variables: $1) }, &bastion)
                for host in ["without", "required", "unreadable"] {
                    try FileManager.default.removeItem(atPath: bastion.file(of: host))
                }
                try FileManager.default.createDirectory(
                    atPath: bastion.file(of: "unreadable"), withIntermediateDirectories: false)
                try bastion.store(
                    ["short": try IssuedCertificate(name: "a", days: 9), "long": try IssuedCertificate(name: "b")],
                    for: "ending")
                let run = try bastion.play()
                #expect(
                    run.recap.filter { !$1.isFine }.keys.sorted() == [
                        "groupless", "ownerless", "required", "unreadable",
                    ])
                #expect(run.recap["without"] == .unchanged, "\(run)")
                for said in [
                    "hiera/without.certs.yaml, the certificates of without, is not on the machine that runs Ansible",
                    "hiera/required.certs.yaml, the certificates of required, is not on the machine that runs Ansible",
                    "hiera/unreadable.certs.yaml, the certificates of unreadable, cannot be read by the user",
                    "who runs Ansible (Is a directory)",
                    "ownerless has no user nobody-here to give \(Self.path)/ownerless.certs.yaml to",
                    "groupless has no group nobody-here to give \(Self.path)/groupless.certs.yaml to",
                    "ending: the daily run has not renewed short, with less than 10 days left",
                ] {
                    #expect(run.sentences.contains(said), "\(said): \(run)")
                }
                #expect(try Host.web01.run("ls \(Self.path)") == "ending.certs.yaml\n")
            }
        }

        /// Puts the configurations on web01, and a certificate for each host into the bastion's area.
        private static func prepare(_ cases: [Case], _ bastion: inout Bastion) throws {
            let certificate = try IssuedCertificate(name: "odd")
            try Host.web01.run("rm -rf /etc/puppet/hieradata \(directory) && mkdir \(directory)")
            for one in cases {
                try Host.web01.run("cat >\"$1\"", "\(directory)/\(one.host).yaml", input: one.text)
                try bastion.store(["odd": certificate], for: one.host)
                let usual: [String: any Sendable] = [
                    "ansible_host": try Host.web01.address,
                    "letsencrypt_hiera_config": "\(directory)/\(one.host).yaml",
                ]
                bastion.hosts[one.host] = usual.merging(one.variables) { $1 }
            }
        }

        private static func text(_ host: String) throws -> String {
            try Host.web01.run("cat \(directory)/\(host).yaml")
        }
    }
}
