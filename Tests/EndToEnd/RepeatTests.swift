import Foundation
import Testing

extension TheFiveSteps {
    /// Runs over hosts that have their certificates already, cases (e), (f) and (j).
    @Suite struct Repeating {
        @Test func `nothing happens twice, and a name that is added renews its certificate alone`() throws {
            var inventory = try Inventory([
                "web01": ["grows": ["n41"], "stays": ["n42"]],
                "web02": ["stays-too": ["n43"]],
            ])
            let first = try inventory.play("-v")
            try #require(first.isFine, "\(first)")
            #expect(first.handlers == ["web01: grows", "web01: stays", "web02: stays-too"])
            for sentence in ["authorize: there is no certificate yet", "new, until 20"] {
                #expect(first.sentences.components(separatedBy: sentence).count == 4, "\(first)")
            }

            let (log, serial, file) = (try CALog(.main), try Zone.serial, try Zone.file)
            let before = try Host.web01.state(of: "/etc/letsencrypt-certs", "/var/lib/acme-modules")
            let second = try inventory.play()
            #expect(second.recap.count == 3)
            #expect(second.changedNothing, "\(second)")
            #expect(second.handlers == [])
            #expect(try log.requests == 0)
            #expect(try Zone.serial == serial)
            #expect(try Zone.file == file)
            #expect(try Host.web01.state(of: "/etc/letsencrypt-certs", "/var/lib/acme-modules") == before)

            let stays = try InstalledCertificate(.web01, "n42")
            inventory.certificates["web01"]?["grows"] = ["n41", "n44"]
            let third = try inventory.play()
            #expect(third.handlers == ["web01: grows"], "\(third)")
            #expect(third.recap["web02"] == .unchanged)
            #expect(try log.orders == 1)
            #expect(try InstalledCertificate(.web01, "n42").bytes == stays.bytes)
            try InstalledCertificate(.web01, "n41", "n44").expectPromised()
        }

        @Test func `a certificate about to expire is renewed, and nginx serves the new one`() throws {
            var inventory = try Inventory(["web01": ["web01-main": ["n50"]]], from: .short)
            inventory.variables["letsencrypt_handlers_role"] = Lab.root + "/ansible/lab/roles/letsencrypt_handlers"
            inventory.variables["lab_https_port"] = try Lab.current()["HTTPS_PORT"]
            let first = try inventory.play()
            try #require(first.isFine, "\(first)")
            let old = try Self.served("n50")
            #expect(old == (try InstalledCertificate(.web01, "n50", root: CA.short.root).serial))

            // Its last third: 10 of 30 seconds.
            try Host.web01.run(
                "while openssl x509 -in /etc/letsencrypt-certs/\(try Inventory.complete("n50"))/fullchain.cer"
                    + " -noout -checkend 10; do :; done")
            let second = try inventory.play()
            #expect(second.isFine, "\(second)")
            #expect(second.handlers.contains("web01: Load the certificate into nginx, or start it"), "\(second)")
            let new = try Self.served("n50")
            #expect(new != old)
            #expect(new == (try InstalledCertificate(.web01, "n50", root: CA.short.root).serial))
        }

        /// The serial of the certificate that web01 serves for a name, in a chain that ends in the CA's root.
        private static func served(_ name: String) throws -> String {
            try Host.web01.run(
                #"""
                root=$(mktemp) && trap 'rm -f "$root"' EXIT && cat >"$root"
                openssl s_client -connect "$1" -servername "$2" -verify_hostname "$2" -verify_return_error \
                    -CAfile "$root" </dev/null 2>/dev/null | openssl x509 -noout -serial
                """#,
                "\(Host.web01.address):\(Lab.current()["HTTPS_PORT"])", Inventory.complete(name), input: CA.short.root
            ).trimmingCharacters(in: .newlines).replacingOccurrences(of: "serial=", with: "")
        }
    }
}
