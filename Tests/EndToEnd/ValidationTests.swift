import Foundation
import Testing

extension TheFiveSteps {
    /// What an operator looks at in the morning: is what is served what is installed, and will it last?
    @Suite struct Validating {
        private static let host = Host.web03
        private static let watcher = Host.web02

        private static func inventory() throws -> Inventory {
            var inventory = try Inventory([
                host.name: ["site": ["n84"]], watcher.name: [:], "old01": ["gone": ["n85:25", "*.n86", "n86"]],
            ])
            inventory.disabled = ["old01"]
            return inventory
        }

        @Test func `a service that was not reloaded is stale, and certcheck reports services as they are`() throws {
            var inventory = try Self.inventory()
            let first = try inventory.play()
            try #require(first.isFine, "\(first)")
            try Self.start()
            defer { Self.stop() }
            #expect(try Self.states(inventory) == ["current", "current"])
            try Self.expectReport(inventory)

            inventory.variables["letsencrypt_force"] = true
            let renewed = try inventory.play()
            try #require(renewed.isFine, "\(renewed)")
            #expect(try Self.states(inventory).first == "stale")
            try Self.host.run("nginx -c /run/validating.conf -s reload; postfix reload 2>/dev/null")
            // nginx has new processes a moment after it was told, and the old ones may still take a connection.
            let deadline = Date.now.addingTimeInterval(20)
            while try Self.states(inventory).first == "stale", Date.now < deadline {}
            #expect(try Self.states(inventory) == ["current", "current"])
        }

        /// nginx and postfix with the files of the certificate.
        private static func start() throws {
            try host.run("cat >/run/validating-root.pem", input: CA.main.root)
            try host.run(
                """
                files=/etc/letsencrypt-certs/$2/
                cat >/run/validating.conf <<.
                pid /run/validating.pid;
                events {}
                http { server { listen $1:8447 ssl; ssl_certificate $files/fullchain.cer;
                                ssl_certificate_key $files/$2.key; } }
                .
                nginx -c /run/validating.conf >/dev/null 2>&1
                postconf inet_interfaces=loopback-only inet_protocols=ipv4 maillog_file=/var/log/postfix.log \\
                    "smtpd_tls_chain_files=$files/$2.key, $files/fullchain.cer" smtpd_tls_security_level=may
                postconf -MX smtp/inet
                postconf -M "$1:25/inet=$1:25 inet n - y - - smtpd"
                postfix start >/dev/null 2>&1
                """, try host.address, try Inventory.complete("n84"))
        }

        private static func stop() {
            _ = try? host.run("nginx -c /run/validating.conf -s stop || :; postfix stop 2>/dev/null || :")
        }

        /// What `acme_certificate_info` says of nginx and of postfix.
        private static func states(_ inventory: Inventory) throws -> [String] {
            let address = try host.address
            let said = try inventory.call(
                "acme_certificate_info", on: host.name,
                """
                {"certs": {"site": ["\(try Inventory.complete("n84"))"]}, "ca_path": "/run/validating-root.pem", "timeout": 10,
                 "endpoints": [{"host": "\(address):8447", "certificate": "site"},
                               {"host": "\(address)", "protocol": "smtp", "certificate": "site"}]}
                """)
            #expect(said.status == 0, "\(said)")
            return said.output.matches(of: #/"?state"?: "?([a-z]+)/#).map { String($0.1) }
        }

        /// Installs certcheck, in a run that is limited to its own host, and has it look at a good service and at none.
        private static func expectReport(_ inventory: Inventory) throws {
            let playbook = Lab.root + "/playbooks/letsencrypt-certcheck.yaml"
            func play(_ arguments: String...) throws -> PlaybookRun {
                try inventory.written { path in
                    try Inventory.run(
                        [
                            "ansible-playbook", "-i", path, playbook, "--limit", watcher.name, "-e",
                            "letsencrypt_certcheck_on=\(watcher.name) letsencrypt_certcheck_scheduler=cron",
                        ] + arguments)
                }
            }
            let checked = try play("--check")
            #expect(checked.isFine, "\(checked)")
            let run = try play()
            try #require(run.isFine, "\(run)")
            #expect(run.recap == checked.recap)
            #expect(try play().changedNothing)
            let late = try play("-e", "letsencrypt_certcheck_days=30")
            #expect(
                !late.isFine && late.sentences.contains("set it lower, so that one missed run is no alert"), "\(late)")

            let zone = try Lab.current().mainZone
            let list = try watcher.run("cat /var/lib/certcheck/ssldomains")
            #expect(list == "n84.\(zone) 443\nn85.\(zone) 25\nn86.\(zone) 443\n")
            let address = try host.address
            let said = try watcher.run(
                """
                cat >/run/services
                rm -f /var/spool/postfix/maildrop/*
                status=0; runuser -u certcheck -- acme-certcheck /run/services 2>&1 || status=$?
                echo "status $status"
                cat /var/spool/postfix/maildrop/* | tr -d '\\000'
                """, input: "\(address) 8447\n\(address) 25\n\(address) 8448\n")
            let parts = said.components(separatedBy: "status 1\n")
            try #require(parts.count == 2, "\(said)")
            #expect(
                parts[0].contains(#/(?m)^\S+:8447 +Valid /#) && parts[0].contains(#/(?m)^\S+:25 +Valid /#), "\(said)")
            #expect(parts[0].contains(#/(?m)^\S+:8448 +Connection refused /#), "\(said)")
            #expect(parts[1].contains("Subject: Certificates on") && parts[1].contains(":8448"), "\(said)")
            #expect(!parts[1].contains(":8447"), "\(said)")
        }
    }
}
