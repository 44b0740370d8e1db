import Foundation
import TestSupport
import Testing

extension TheFiveSteps {
    /// The role `letsencrypt_hiera`, with the real hiera and Puppet on the hosts.
    @Suite struct IntoHiera {
        static let path = "/etc/puppet/hieradata/production/host_vars"

        /// A host's configuration of hiera: what stands before and after the level that is added, and that level.
        struct Configuration: Sendable, CustomTestStringConvertible {
            let version: Int
            let before: String
            let level: String
            let after: String
            /// Whether the oldest Ansible edits it and the newest finds it edited, or the other way round.
            let oldestFirst: Bool

            var testDescription: String { "version \(version)" }

            static let three = Configuration(
                version: 3,
                before: """
                    ---
                    # Levels {{ of }} {% raw %}
                    :backends:
                      - yaml
                    :hierarchy:

                    """,
                level: """
                    # The certificates of this host, added by the Ansible role letsencrypt_hiera
                    - host_vars/web01.certs

                    """,
                after: """
                    # hosts first
                    - "fqdn/%{::fqdn}"

                    - 'common'    # to all
                    :yaml:
                       :datadir:  "/etc/puppet/hieradata/%{environment}"

                    """, oldestFirst: true)

            static let five = Configuration(
                version: 5,
                before: """
                    # Levels {{ of }} {% raw %}
                    version: 5
                    defaults: {datadir: data, lookup_key: eyaml_lookup_key, options: {pkcs7_private_key: /none}}
                    hierarchy:   # in this order

                    """,
                level: """
                       # The certificates of this host, added by the Ansible role letsencrypt_hiera
                       - name: Certificates in /etc/puppet/hieradata/production/host_vars/web01.certs.yaml
                         datadir: /etc/puppet/hieradata/production/host_vars
                         path: web01.certs.yaml
                         data_hash: yaml_data
                         options: {}

                    """,
                after: """
                       # hosts first
                       - name:   "Host"
                         path: 'nodes/%{trusted.certname}.yaml'
                         data_hash: yaml_data
                         options: {}
                    # the end

                    """, oldestFirst: false)
        }

        /// As certificate keys: YAML would read each as something else than text.
        static let names = ["foo", "y", "null", "0x1F", "1_000", "on"]

        @Test(arguments: [Configuration.three, .five])
        func `Puppet finds the certificates, and nothing else has changed`(_ hiera: Configuration) throws {
            try Bastion.make { bastion in
                let issued = try Dictionary(
                    uniqueKeysWithValues: Self.names.map { ($0, try IssuedCertificate(name: $0)) })
                try bastion.store(issued, for: "web01")
                bastion.hosts = ["web01": [:]]
                try Self.prepare(hiera.before + hiera.after)

                try Self.expectPrediction(bastion)
                let first = try bastion.play("-vvv", "--diff", oldest: hiera.oldestFirst)
                try #require(first.isFine, "\(first)")
                let handlers = ["Say that hiera has news", "In the play", "letsencrypt hiera updated"]
                #expect(first.handlers == Set(handlers.map { "web01: " + $0 }))
                for line in issued.values.flatMap({ $0.key.split(separator: "\n") }) where !line.hasPrefix("-") {
                    #expect(!first.output.contains(line))
                }
                #expect(try Host.web01.run("cat /etc/puppet/hiera.yaml") == hiera.before + hiera.level + hiera.after)
                #expect(try Host.web01.run("stat -c '%a %U:%G' /etc/puppet/hiera.yaml") == "640 operator:puppet\n")
                #expect(try Host.web01.run("stat -c '%a %U:%G' \(Self.path)/*") == "440 puppet:puppet\n")
                #expect(try Host.web01.run("cat \(Self.path)/*") == Self.text(bastion.file(of: "web01")))

                let before = try Host.web01.state(of: "/etc/puppet")
                let second = try bastion.play(oldest: !hiera.oldestFirst)
                #expect(second.changedNothing, "\(second)")
                #expect(second.handlers == [])
                #expect(try Host.web01.state(of: "/etc/puppet") == before)

                if hiera.version == 3 { try Self.expectHieraProgram(issued) }
                try Self.expectPuppet(issued)
            }
        }

        /// web01 with this configuration, which is not root's, and no data.
        private static func prepare(_ configuration: String) throws {
            try Host.web01.run(
                """
                rm -rf /etc/puppet/hieradata /root/applied
                cat >/etc/puppet/hiera.yaml
                chmod 0640 /etc/puppet/hiera.yaml
                chown operator:puppet /etc/puppet/hiera.yaml
                """, input: configuration)
        }

        private static func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

        /// Check mode says what a run would change, and changes nothing.
        private static func expectPrediction(_ bastion: Bastion) throws {
            let before = try Host.web01.state(of: "/etc/puppet")
            let run = try bastion.play("--check", "--diff")
            // The directory, the file, its content and hiera's configuration.
            #expect(run.recap["web01"] == Recap(changed: 4, unreachable: 0, failed: 0), "\(run)")
            #expect(try Host.web01.state(of: "/etc/puppet") == before)
        }

        private static func expectHieraProgram(_ issued: [String: IssuedCertificate]) throws {
            let hiera = "hiera -c /etc/puppet/hiera.yaml \"$1\" environment=production"
            for (name, certificate) in issued {
                #expect(try Host.web01.run(hiera, "\(name)_ssl_cert") == certificate.certificate)
            }
            #expect(try Host.web01.run(hiera, "absent_ssl_cert") == "nil\n")
        }

        /// `puppet lookup`, and a catalog that puts all of it into files, applied on the host.
        private static func expectPuppet(_ issued: [String: IssuedCertificate]) throws {
            let looked = try Host.web01.run("puppet lookup --render-as s foo_ssl_cert 2>/dev/null")
            #expect(looked.trimmingCharacters(in: .newlines) + "\n" == issued["foo"]?.certificate)

            let files = issued.keys.sorted().map { name in
                """
                file { '/root/applied/\(name).cer': content => hiera('\(name)_ssl_cert') }
                file { '/root/applied/\(name).key': content => lookup('cert_\(name)')['key_contents'], mode => '0600' }
                file { '/root/applied/\(name).ca.cer': content => lookup('\(name)_ssl_chain') }
                file { '/root/applied/\(name).full.cer': content => lookup('cert_\(name)')['full_chain_contents'] }
                """
            }
            let manifest = "file { '/root/applied': ensure => directory, mode => '0700' }\n" + files.joined()
            try Host.web01.run("cat >/root/site.pp; puppet apply /root/site.pp", input: manifest)
            for (name, certificate) in issued {
                let made = try Host.web01.run(
                    """
                    cd /root/applied
                    cat "$1.key" "$1.cer" "$1.ca.cer" "$1.full.cer"
                    openssl verify -CAfile "$1.ca.cer" "$1.cer"
                    [ "$(openssl x509 -in "$1.cer" -noout -pubkey)" = "$(openssl pkey -in "$1.key" -pubout)" ]
                    """, name)
                let promised = certificate.key + certificate.certificate + certificate.chain + certificate.fullChain
                #expect(made == promised + "\(name).cer: OK\n")
            }
        }
    }
}
