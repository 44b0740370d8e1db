import Foundation
import TestSupport
import Testing

extension TheFiveSteps {
    /// What operators have already, and the other ways in which they run things.
    @Suite struct Operating {
        /// The inventory is in Tests/Inventories/production; only where the lab is is added to it.
        @Test func `an inventory written for production works unchanged`() throws {
            for host in [Host.web01, .web02] { try host.forgetAgent() }
            let run = try withTemporaryDirectory { directory in
                let production = directory + "/production"
                let inventory = production + "/inventory"
                try FileManager.default.copyItem(
                    atPath: Lab.root + "/Tests/Inventories/production", toPath: production)
                try Inventory([:]).writeConnections(of: ["web01", "web02", "adns1"], to: inventory + "/lab.json")
                return try Inventory.run(
                    ["ansible-playbook", "-i", inventory, Lab.root + "/playbooks/base.yaml"],
                    settings: ["ANSIBLE_ROLES_PATH": production + "/roles"])
            }
            try #require(run.isFine, "\(run)")
            #expect(Set(run.recap.keys) == ["web01", "web02", "adns1"])
            #expect(
                run.handlers == [
                    "web01: web01-main", "web01: balanced", "web02: balanced", "web02: Restart the mail server",
                ])
            try InstalledCertificate(.web01, "web01:443", "static", "docs").expectPromised()
            try InstalledCertificate(.web01, "www").expectPromised()
            try InstalledCertificate(.web02, "www").expectPromised()
            try InstalledCertificate(.web02, "mail").expectPromised()
            #expect(try Host.web01.run("getent group letsencrypt").hasPrefix("letsencrypt:x:3001:"))
        }

        @Test func `a user who is not root and may become root is enough`() throws {
            var inventory = try Inventory(["web02": ["by-sudo": ["n68"]]])
            inventory.variables["ansible_user"] = "operator"
            inventory.variables["ansible_become"] = true
            let run = try inventory.play()
            #expect(run.isFine, "\(run)")
            try InstalledCertificate(.web02, "n68").expectPromised()
        }

        @Test func `the request module works ad hoc, and returns the same tokens again`() throws {
            let inventory = try Inventory(["web01": ["unused": ["n69"]]])
            try #require(try inventory.play("--tags", "letsencrypt_install").isFine)
            let log = try CALog(.main)
            let arguments =
                "name=x domains=n69.example.test,n70.example.test acme_directory=\(try CA.main.directory)"
                + " ca_path=/etc/ssl/lab-acme-ca.pem terms_agreed=yes signing_domain=acme.example-signing.test"
            let first = try inventory.call("acme_request_tokens", on: "web01", arguments)
            #expect(first.status == 0, "\(first)")
            #expect(first.output.hasPrefix("web01 | CHANGED"), "\(first)")
            let tokens = first.tokens
            #expect(tokens.count == 2)

            let second = try inventory.call("acme_request_tokens", on: "web01", arguments)
            #expect(second.output.hasPrefix("web01 | SUCCESS"), "\(second)")
            #expect(second.tokens == tokens)
            #expect(try log.orders == 1)
        }

        @Test func `files that another agent left are kept while they are valid, and replaced as a set`() throws {
            var inventory = try Inventory(["web01": ["adopted": ["n71"]]])
            try #require(try inventory.play().isFine)
            let real = try InstalledCertificate(.web01, "n71")
            try Host.web01.run(
                """
                cd "/etc/letsencrypt-certs/$1"
                for file in "$1.key" "$1.cer" ca.cer fullchain.cer; do
                    cp -L --preserve=all "$file" plain && mv plain "$file"
                done
                rm -r current versions
                """, Inventory.complete("n71"))
            let (log, kept) = (try CALog(.main), try inventory.play())
            #expect(kept.changedNothing, "\(kept)")
            #expect(try log.requests == 0)
            #expect(try InstalledCertificate(.web01, "n71").bytes == real.bytes)

            inventory.variables["letsencrypt_force"] = true
            let renewed = try inventory.play()
            #expect(renewed.isFine, "\(renewed)")
            let new = try InstalledCertificate(.web01, "n71")
            new.expectPromised()
            #expect(new.serial != real.serial)
            #expect(try Host.web01.run("readlink -f \"$1\"", new.directory + "/ca.cer").contains("/versions/"))
        }

        @Test(.enabled(if: FileManager.default.fileExists(atPath: Lab.root + "/.venv-oldest"), "make deps"))
        func `the oldest supported Ansible does the same`() throws {
            let inventory = try Inventory(["web01": ["oldest": ["n72"]], "web03": ["oldest": ["n73"]]])
            for expectsChange in [true, false] {
                let run = try inventory.play(python: ".venv-oldest")
                #expect(run.isFine, "\(run)")
                #expect(run.changedNothing != expectsChange, "\(run)")
                #expect(run.handlers == (expectsChange ? ["web01: oldest", "web03: oldest"] : []))
            }
            try InstalledCertificate(.web01, "n72").expectPromised()
            try InstalledCertificate(.web03, "n73").expectPromised()
        }
    }
}

extension PlaybookRun {
    /// The values of `txt_required` in the output of an ad-hoc call.
    fileprivate var tokens: Set<String> {
        Set(output.matches(of: /"?value"?: "?([A-Za-z0-9_-]{43})/).map { String($0.1) })
    }
}
