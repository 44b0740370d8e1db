import Foundation
import TestSupport
import Testing

extension TheFiveSteps {
    /// The same steps where the tokens go to a server that takes updates; the CA validates what was published so.
    @Suite struct Providers {
        /// Certificates of names whose challenges lead into the dynamic zone.
        private func inventory(
            _ certificates: [String: [String: [String]]], _ provider: [String: any Sendable]
        ) throws -> Inventory {
            var inventory = try Inventory(certificates)
            inventory.variables["letsencrypt_signing_domain"] = try Lab.current()["DYNAMIC_ZONE"]
            inventory.hostVariables[Host.nameServer.name] = ["letsencrypt_txt_provider": provider]
            return inventory
        }

        private func expectIssuedOnce(_ inventory: Inventory, _ certificates: [(Host, [String])]) throws {
            let first = try inventory.play()
            try #require(first.isFine, "\(first)")
            for (host, names) in certificates { try InstalledCertificate(host, names: names).expectPromised() }
            let second = try inventory.play()
            #expect(second.changedNothing, "\(second)")
        }

        @Test func `dynamic updates with a TSIG key, for two hosts at once`() throws {
            let inventory = try inventory(
                ["web01": ["updated": ["d1", "d2"]], "web02": ["updated": ["d3", "d1"]]],
                ["rfc2136": ["server": try Lab.current()["PRIMARY"], "key_file": "/etc/bind/update.key"]])
            try expectIssuedOnce(inventory, [(.web01, ["d1", "d2"]), (.web02, ["d3", "d1"])])
        }

        @Test func `a provider that there is not is named, and those that there are`() throws {
            let play = try inventory(["web01": ["misspelled": ["d7"]]], ["rfc2163": ["server": "127.0.0.1"]]).play()
            #expect(!play.isFine)
            #expect(play.sentences.contains("letsencrypt_txt_provider names rfc2163, which is no provider"), "\(play)")
        }

        @Test func `a service that has its own time and place for notes`() throws {
            var inventory = try inventory(
                ["web01": ["late": ["d6"]]], ["command": ["run": "sleep 60"]])
            inventory.hostVariables[Host.nameServer.name]?["letsencrypt_publish_timeout"] = 1
            inventory.hostVariables[Host.nameServer.name]?["letsencrypt_publish_state_path"] = "/var/lib/acme-notes"
            let play = try inventory.play()
            #expect(play.sentences.contains("sleep 60 did not end in time"), "\(play)")
            try Host.nameServer.run("ls /var/lib/acme-notes/publish")
        }

        @Test func `a program of one's own`() throws {
            let zone = try Lab.current()["DYNAMIC_ZONE"]
            let server = try Lab.current()["PRIMARY"].replacingOccurrences(of: ":", with: " ")
            let script = """
                #!/bin/sh
                case $ACME_ACTION in
                add) verb=add ;;
                remove) verb=delete ;;
                esac
                nsupdate -k /etc/bind/update.key <<END
                server \(server)
                zone $ACME_ZONE
                update $verb $ACME_NAME 60 TXT "$ACME_VALUE"
                send
                END

                """
            try Host.nameServer.run(
                "cat >/usr/local/sbin/dns-hook && chmod 0755 /usr/local/sbin/dns-hook", input: script)
            let inventory = try inventory(
                ["web03": ["by-command": ["d4", "d5"]]],
                ["command": ["run": "/usr/local/sbin/dns-hook", "per": "record"]])
            let before = try Zone.shown("d4.\(zone)")
            try expectIssuedOnce(inventory, [(.web03, ["d4", "d5"])])
            #expect(try Zone.shown("d4.\(zone)").subtracting(before).count == 1)
        }
    }
}
