import Testing

extension TheFiveSteps {
    /// Gate tests, case (i): no CA, and yet all five steps.
    @Suite struct SelfSigning {
        @Test func `self-signed certificates go through all five steps and become real ones later`() throws {
            var inventory = try Inventory(["web01": ["gate": ["n61", "*.n61", "n62:443"]], "web02": ["gate": ["n61"]]])
            inventory.variables["letsencrypt_self_sign_only"] = true
            let log = try CALog(.main)
            let run = try inventory.play()
            try #require(run.isFine, "\(run)")
            #expect(run.handlers == ["web01: gate", "web02: gate"])
            #expect(try log.requests == 0)
            #expect(try Zone.texts("n61").count == 3)
            #expect(try Zone.texts("n62").count == 1)
            let made = try InstalledCertificate(.web01, "n61", "*.n61", "n62")
            made.expectPromised(selfSigned: true)
            #expect(made.issuer != made.subject)

            let second = try inventory.play()
            #expect(second.changedNothing, "\(second)")

            inventory.variables["letsencrypt_self_sign_only"] = false
            let real = try inventory.play()
            try #require(real.isFine, "\(real)")
            #expect(real.handlers == run.handlers)
            #expect(try log.orders == 2)
            try InstalledCertificate(.web01, "n61", "*.n61", "n62").expectPromised()
            try InstalledCertificate(.web02, "n61").expectPromised()
        }
    }
}
