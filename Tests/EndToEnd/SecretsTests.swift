import Foundation
import TestSupport
import Testing

extension TheFiveSteps {
    /// Secrets stay in the files that are theirs.
    @Suite(
        .enabled(if: SecondCA.isAvailable && Booted.isPossible, "make deps, root, and a kernel that lets systemd run"))
    struct KeepingSecrets {
        private static let passphrase = "correct horse battery staple"

        @Test func `no output, log, journal, command line or readable file holds a secret, however much is told`()
            throws
        {
            try Booted.run { host in
                try withCustomers(of: .init(), ["booted": ["secret": ["d8"]]]) { server, inventory in
                    try prepare(&inventory, host)
                    var told = try inventory.written { try watch("base.yaml", $0, on: [host, .nameServer]) }
                    told["the journal"] = try host.run("journalctl -o cat")
                    #expect(told["the hosts' command lines"]?.contains("nsupdate") == true)
                    try expectNone(of: secrets(of: host), in: told, on: [host, .nameServer])
                }
            }
        }

        @Test func `nor does a run of the legacy path, of the API key, its tokens and the private keys`() throws {
            var path = LegacyPath(certificates: ["legacy01": ["secret": ["secret"]]])
            try path.prepareBastion()
            path.variables["ansible_port"] = ExecutionTrace.port
            try Host.bridge.run("touch /run/before")
            let before = try LegacyPath.tokens()
            let user = ["-e", "ansible_become=true", "-e", "ansible_become_user=\(LegacyPath.user)"]
            let told = try path.written { try watch("letsencrypt-rackspace.yaml", $0, user, on: [.bridge]) }
            let tokens = try LegacyPath.tokens().subtracting(before)
            #expect(!tokens.isEmpty)
            let keys = try Host.bridge.run(
                "find \(LegacyPath.area) -type f -exec sed -n '/BEGIN.*PRIVATE KEY/,/END/{/-----/!s/^ *//p}' {} +")
            let lines = Set(keys.split(separator: "\n").map(String.init))
            #expect(lines.count > 4)
            let secrets = lines.union(tokens).union([try Lab.current()["RACKSPACE_API_KEY"]])
            try expectNone(of: Array(secrets), in: told, on: [.bridge])
        }

        private func prepare(_ inventory: inout Inventory, _ host: Host) throws {
            inventory.variables["ansible_port"] = ExecutionTrace.port
            try host.run("umask 077; cat >/etc/ssl/passphrase", input: Self.passphrase)
            inventory.variables["letsencrypt_signing_domain"] = try Lab.current()["DYNAMIC_ZONE"]
            inventory.variables["letsencrypt_formats"] = ["combined", "pkcs12", "jks", "der"]
            inventory.variables["letsencrypt_passphrase_file"] = "/etc/ssl/passphrase"
            inventory.variables["letsencrypt_external_account_binding"] = [
                "kid": SecondCA.customer, "key": SecondCA.customerKey,
            ]
            inventory.hostVariables[Host.nameServer.name] = [
                "letsencrypt_txt_provider": [
                    "rfc2136": ["server": try Lab.current()["PRIMARY"], "key_file": "/etc/bind/update.key"]
                ]
            ]
            for place in [host, .nameServer] { try place.run("touch /run/before") }
        }

        /// Runs a playbook with all that Ansible can tell; returns what can be seen by others, and where.
        private func watch(_ playbook: String, _ inventory: String, _ arguments: [String] = [], on hosts: [Host])
            throws -> [String: String]
        {
            try withTemporaryDirectory { directory in
                let log = directory + "/ansible.log"
                let own = directory + "/own"
                let traces = try hosts.map(ExecutionTrace.init)
                let run = try Inventory.run(
                    [
                        "strace", "-f", "--seccomp-bpf", "-e", "trace=execve", "-s", "1000000", "-o", own,
                        "ansible-playbook", "-vvvv", "--diff", "-i", inventory, "\(Lab.root)/playbooks/\(playbook)",
                    ] + arguments,
                    settings: [
                        "ANSIBLE_LOG_PATH": log, "ANSIBLE_HOST_KEY_CHECKING": "false",
                        // strace waits for the connections that Ansible leaves open.
                        "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=1",
                    ])
                let executed = try traces.map { try $0.stop() }.joined()
                try #require(run.isFine, "\(run)")
                #expect(executed.contains("acme_finalize"))
                return [
                    "the output": run.output, "Ansible's log": try String(contentsOfFile: log, encoding: .utf8),
                    "the hosts' command lines": executed, "Ansible's": try String(contentsOfFile: own, encoding: .utf8),
                ]
            }
        }

        private func expectNone(of secrets: [String], in told: [String: String], on hosts: [Host]) throws {
            #expect(secrets.count > 5)
            for (place, text) in told {
                #expect(text.count > 100, "nothing to see in \(place)")
                for secret in secrets { #expect(!text.contains(secret), "a secret is in \(place)") }
            }
            for host in hosts { try expectNoneReadable(secrets, on: host) }
        }

        /// Each line of each private key, and whatever else nobody is to see.
        private func secrets(of host: Host) throws -> [String] {
            let keys = try host.run(
                "cat /etc/ssl/organisation.key /etc/letsencrypt-certs/*/*.key; find /var/lib/acme-modules -name '*.key' -exec cat {} +"
            )
            let lines = keys.split(separator: "\n").filter { !$0.hasPrefix("-----") }.map(String.init)
            let update = try Host.nameServer.run("cat /etc/bind/update.key")
            let shared = try #require(update.firstMatch(of: /secret "([^"]+)"/)).1
            return lines + [String(shared), Self.passphrase, SecondCA.customerKey]
        }

        /// Looks at all files that changed since, and into shared directories whoever may read what is there.
        private func expectNoneReadable(_ secrets: [String], on host: Host) throws {
            let found = try host.run(
                """
                cat >/run/secrets-of-this-test
                chmod 0600 /run/secrets-of-this-test
                find /etc /home /opt /root /srv /usr/local /var -newer /run/before -type f -perm /o+r \\
                    -exec grep -lFf /run/secrets-of-this-test {} + || :
                find /tmp /run -newer /run/before -type f ! -name secrets-of-this-test \\
                    -exec grep -lFf /run/secrets-of-this-test {} + || :
                rm /run/secrets-of-this-test
                """, input: secrets.joined(separator: "\n") + "\n")
            #expect(found == "", "on \(host.name)")
        }
    }
}
