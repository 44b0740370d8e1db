import Foundation
import TestSupport
import Testing

extension TheFiveSteps {
    /// Certificates on the bastion through Rackspace Cloud DNS (S17 to S20), one story after another.
    @Suite(.serialized) struct Legacy {
        private static let two: [String: [String: any Sendable]] = [
            // YAML would read some of the keys as something else than text.
            "legacy01": [
                "foo": ["foo", "static"], "balanced": ["www"], "null": ["n0"], "0x1F": ["n1"], "1_000": ["n2"],
                "on": ["n3"],
            ],
            "legacy02": ["y": ["y", "*.y"], "www-main": ["www"]],
        ]

        @Test func `two hosts, a shared certificate, and nothing to do the second time`() throws {
            let path = LegacyPath(certificates: Self.two)
            try path.prepareBastion()
            let log = try CALog(.main)
            let predicted = try path.obtain("--check", "--diff")
            #expect(predicted.isFine, "\(predicted)")
            #expect(try log.orders == 0)
            let first = try path.obtain("-vvv")
            try #require(first.isFine, "\(first)")
            #expect(predicted.recap == first.recap)
            #expect(try log.orders == 7)
            try expectNoSecrets(in: first)
            let owner = "letsencrypt-rackspace:letsencrypt-rackspace"
            let access = try Host.bridge.run("stat -c '%a %U:%G' \(LegacyPath.area) \(LegacyPath.file(.legacy01))")
            #expect(access == "700 \(owner)\n600 \(owner)\n")
            #expect(try value("balanced_ssl_cert", .legacy01) == (try value("www_main_ssl_cert", .legacy02)))

            let (files, requests) = (try LegacyPath.files(), try LegacyPath.requests())
            let second = try path.obtain()
            #expect(second.changedNothing, "\(second)")
            #expect(try LegacyPath.files() == files)
            #expect(try LegacyPath.requests() == requests)
            // A part of the hosts orders nothing else for the name that they share with another.
            let one = try path.obtain("-e", #"{"letsencrypt_rackspace_hosts": ["legacy02"]}"#)
            #expect(one.changedNothing, "\(one)")
            let there = try path.obtainThere()
            #expect(there.changedNothing, "\(there)")
            #expect(try log.orders == 7)
        }

        @Test func `base.yaml copies the files, and Puppet makes of them what openssl accepts`() throws {
            let path = LegacyPath(certificates: Self.two)
            for host in [Host.legacy01, .legacy02] { try host.run("rm -rf /etc/puppet/hieradata /root/applied") }
            let first = try path.base("-vvv", "--diff")
            try #require(first.isFine, "\(first)")
            try expectNoSecrets(in: first)
            let second = try path.base()
            #expect(second.changedNothing, "\(second)")
            try Host.legacy01.run(
                """
                mkdir /root/applied
                cat >/root/applied/site.pp
                puppet apply /root/applied/site.pp
                """,
                input: """
                    $keys = ['foo', 'null', '0x1F', '1_000', 'on']
                    $keys.each |$key| {
                      file { "/root/applied/${key}.cer": content => hiera("${key}_ssl_cert") }
                      file { "/root/applied/${key}.key":
                        content => lookup("cert_${key}")['key_contents'], mode => '0600', show_diff => false,
                      }
                    }
                    file { '/root/applied/ca.cer': content => lookup('foo_ssl_chain') }

                    """)
            let verified = try Host.legacy01.run(
                """
                cd /root/applied
                cat >root.cer
                openssl verify -CAfile root.cer -untrusted ca.cer foo.cer
                [ "$(openssl x509 -in foo.cer -noout -pubkey)" = "$(openssl pkey -in foo.key -pubout)" ] && echo ours
                """, input: try CA.main.root)
            #expect(verified == "foo.cer: OK\nours\n")
            for (key, name) in [("foo", "foo"), ("null", "n0"), ("0x1F", "n1"), ("1_000", "n2"), ("on", "n3")] {
                let file = try LegacyPath.complete(name)
                let stem = "\(LegacyPath.area)/certs/legacy01/\(file)/\(file)"
                let made = try Host.bridge.run("cat \(stem).cer \(stem).key")
                #expect(try Host.legacy01.run("cd /root/applied; cat \(key).cer \(key).key") == made)
            }
        }

        @Test func `a renewal changes the file of its host alone`() throws {
            var path = LegacyPath(certificates: Self.two)
            let files = try LegacyPath.files()
            path.certificates["legacy01"]?["foo"] =
                ["domains": ["foo", "static"], "force": true] as [String: any Sendable]
            let run = try path.obtain()
            try #require(run.isFine, "\(run)")
            #expect(try LegacyPath.files()["legacy02"] == files["legacy02"])
            #expect(try LegacyPath.files()["legacy01"] != files["legacy01"])
            let base = try path.base()
            #expect(base.recap["legacy01"]?.changed == 1, "\(base)")
            #expect(base.recap["legacy02"] == .unchanged, "\(base)")
        }

        @Test func `a certificate that fails leaves its host's file, and the other host gets its own`() throws {
            var path = LegacyPath(certificates: Self.two)
            let files = try LegacyPath.files()
            path.certificates["legacy01"]?["foo"] =
                ["domains": ["foo", "static"], "force": true] as [String: any Sendable]
            path.certificates["legacy02"]?["y"] = ["y", "*.y", "blocked.example.test."]
            let run = try path.obtain()
            #expect(run.status != 0)
            #expect(
                run.sentences.contains(
                    "certificate legacy02/y: cannot order a certificate for y.example-legacy.test"), "\(run)")
            #expect(run.sentences.contains("rejectedIdentifier"), "\(run)")
            #expect(try LegacyPath.files()["legacy02"] == files["legacy02"])
            #expect(try LegacyPath.files()["legacy01"] != files["legacy01"])
        }

        @Test func `what is wrong with one host keeps nothing from the others`() throws {
            var path = LegacyPath(certificates: Self.two)
            let files = try LegacyPath.files()
            path.certificates["legacy01"]?["foo"] =
                ["domains": ["foo", "static"], "force": true] as [String: any Sendable]
            path.certificates["legacy02"] = ["a.b": ["y"], "a-b": ["other.elsewhere.test."]]
            let log = try CALog(.main)
            let run = try path.obtain()
            #expect(run.status != 0)
            #expect(
                run.sentences.contains(
                    "host legacy02: certificates a-b and a.b would both be the variable cert_a_b; rename one of them"),
                "\(run)")
            #expect(try log.orders == 1)
            #expect(try LegacyPath.files()["legacy02"] == files["legacy02"])
            #expect(try LegacyPath.files()["legacy01"] != files["legacy01"])
        }

        @Test func `a host that leaves the inventory has its file reported, and keeps it`() throws {
            var path = LegacyPath(certificates: Self.two)
            let files = try LegacyPath.files()
            path.certificates["legacy02"] = nil
            let run = try path.obtain()
            #expect(run.isFine, "\(run)")
            #expect(
                run.sentences.contains("\(LegacyPath.file(.legacy02)) belongs to no host of the inventory"), "\(run)")
            #expect(try LegacyPath.files()["legacy02"] == files["legacy02"])
        }

        @Test func `an area that others can look into, or another's, is refused before anything is done`() throws {
            var path = LegacyPath(certificates: Self.two)
            let area = LegacyPath.area
            let before = try Host.bridge.state(of: area + "/hiera", area + "/certs")
            try Host.bridge.run("install -d -m 0777 /srv/open; install -d -o \(LegacyPath.user) -m 0700 /srv/open/area")
            for (change, place, words) in [
                ("chmod 0755 \(area)", area, "has mode 755, so that others can look into it or write to it"),
                ("chmod 0700 \(area); chown operator \(area)", area, "not to user"),
                ("chown \(LegacyPath.user) \(area)", "/srv/open/area", "/srv/open, which is above /srv/open/area,"),
            ] {
                try Host.bridge.run(change)
                path.variables["letsencrypt_rackspace_path"] = place
                let run = try path.obtain()
                #expect(run.status != 0)
                #expect(run.sentences.contains(words), "\(run)")
            }
            #expect(try Host.bridge.state(of: area + "/hiera", area + "/certs") == before)
            #expect(try Host.bridge.run("ls -A /srv/open/area").isEmpty)
        }

        /// Neither the API key nor a line of a private key.
        private func expectNoSecrets(in run: PlaybookRun) throws {
            #expect(try !run.output.contains(Lab.current()["RACKSPACE_API_KEY"]))
            let keys = try Host.bridge.run("cat \(LegacyPath.area)/certs/*/*/*.key")
            let lines = keys.split(separator: "\n").filter { !$0.hasPrefix("-----") }
            #expect(lines.count > 5)
            for line in lines { #expect(!run.output.contains(line)) }
        }

        /// A variable as PyYAML reads it.
        private func value(_ variable: String, _ host: Host) throws -> String {
            try Host.bridge.run(
                "\(Lab.root)/.venv/bin/python -c 'import sys, yaml; print(yaml.safe_load(sys.stdin)[sys.argv[1]])' $1",
                variable, input: try Host.bridge.run("cat \(LegacyPath.file(host))"))
        }
    }
}
