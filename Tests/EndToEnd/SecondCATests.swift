import Foundation
import TestSupport
import Testing

extension TheFiveSteps {
    /// The same playbooks at a CA of another make: acme2certifier, which validates what the lab's name servers show.
    @Suite(.enabled(if: SecondCA.isAvailable, "make deps, and root")) struct AtAnotherCA {
        /// The hosts' one account is opened by both at once.
        @Test func `hosts that share an account get certificates of a profile, and renew them when the CA says so`()
            throws
        {
            let certificates = ["web01": ["elsewhere": ["n99"]], "web02": ["elsewhere": ["n99", "n100"]]]
            try withCustomers(of: .init(renewsAtOnce: true), certificates) { server, inventory in
                inventory.variables["letsencrypt_profile"] = SecondCA.profiles[1]
                inventory.variables["letsencrypt_external_account_binding"] = [
                    "kid": SecondCA.customer, "key": SecondCA.customerKey,
                ]
                let first = try inventory.play("-vvv")
                try #require(first.isFine, "\(first)")
                #expect(!first.output.contains(SecondCA.customerKey))
                let old = try installed(at: server)

                // One host after the other: an inquiry without an answer is no failure, and this CA's database takes
                // one at a time.
                let renewed = try inventory.play("-vv", "-e", "letsencrypt_serial=1", isForeseeable: false)
                try #require(renewed.isFine, "\(renewed)")
                #expect(renewed.handlers == ["web01: elsewhere", "web02: elsewhere"], "\(renewed)")
                let new = try installed(at: server)
                #expect(Set(old.map(\.serial)).isDisjoint(with: new.map(\.serial)))
                let accounts = try [Host.web01, .web02].map { host in
                    try host.run("grep -o 'https:[^\"]*acct[^\"]*' /var/lib/acme-modules/accounts/*/account-*.json")
                }
                #expect(Set(accounts).count == 1, "\(accounts)")

                try server.restart(renewsAtOnce: false)
                let last = try inventory.play()
                #expect(last.changedNothing, "\(last)")
                #expect(try server.log().contains("/acme/renewal-info/"))
                #expect(try installed(at: server).map(\.bytes) == new.map(\.bytes))
            }
        }

        private func installed(at server: SecondCA) throws -> [InstalledCertificate] {
            let root = try String(contentsOfFile: server.root, encoding: .utf8)
            let both = [
                try InstalledCertificate(.web01, "n99", root: root),
                try InstalledCertificate(.web02, "n99", "n100", root: root),
            ]
            // It sends its root along.
            for certificate in both { certificate.expectPromised(chain: 3) }
            return both
        }
    }
}

/// Runs `body` with a CA for customers only, and an inventory whose hosts trust it and share an account key.
func withCustomers(
    of options: SecondCA.Options, _ certificates: [String: [String: [String]]],
    _ body: (SecondCA, inout Inventory) throws -> Void
) throws {
    try withTemporaryDirectory { directory in
        var options = options
        options.wantsCustomers = true
        options.resolver = try Lab.current()["RESOLVER"].components(separatedBy: ":")[0]
        let server = try SecondCA(options, directory)
        defer { server.stop() }
        var inventory = try Inventory(certificates)
        let trusted = try String(contentsOfFile: server.caBundle, encoding: .utf8)
        let words = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]
        let key = try Program.run(words)
        for host in certificates.keys.map(Host.init) {
            try host.run("cat >/etc/ssl/second-ca.pem", input: trusted)
            try host.run("umask 077; cat >/etc/ssl/organisation.key", input: key.stdout)
        }
        inventory.variables["letsencrypt_acme_directory"] = server.directoryURL
        inventory.variables["letsencrypt_ca_path"] = "/etc/ssl/second-ca.pem"
        inventory.variables["letsencrypt_account_key_src"] = "/etc/ssl/organisation.key"
        inventory.variables["letsencrypt_remaining_days"] = 5
        try body(server, &inventory)
    }
}
