import Testing

extension TheFiveSteps {
    /// Runs over some hosts, of some steps, and of none: `--limit`, `--tags`, `--check`.
    @Suite struct RunningInPart {
        @Test func `a run limited to one host works, and tokens that another run waits on stay in the zone`() throws {
            let inventory = try Inventory(["web01": ["one": ["n63"]], "web02": ["two": ["n64"]]])
            try #require(try inventory.play("--tags", "letsencrypt_install").isFine)
            let first = try inventory.play("--limit", "web01")
            #expect(first.isFine, "\(first)")
            #expect(Set(first.recap.keys) == ["web01"])
            let waitedOn = try Zone.texts("n63")
            #expect(waitedOn.count == 1)

            let second = try inventory.play("--limit", "web02")
            #expect(second.isFine, "\(second)")
            #expect(Set(second.recap.keys) == ["web02"])
            try InstalledCertificate(.web02, "n64").expectPromised()
            #expect(try Zone.texts("n63") == waitedOn)
        }

        @Test func `each step can be run alone, and what one began the next run takes up`() throws {
            let inventory = try Inventory(["web03": ["stepwise": ["n65"]]])
            try Host.web03.forgetAgent()
            let log = try CALog(.main)
            let install = try inventory.play("--tags", "letsencrypt_install")
            #expect(install.isFine, "\(install)")
            #expect(try Host.web03.run("/usr/local/libexec/acme-modules --version").contains("acme-modules"))
            #expect(try log.requests == 0)

            let create = try inventory.play("--tags", "letsencrypt_create")
            #expect(create.recap["web03"]?.failed == 1)
            #expect(create.sentences.contains("acme_txt_required is not defined for web03"), "\(create)")

            let request = try inventory.play("--tags", "letsencrypt_request")
            #expect(request.isFine, "\(request)")
            #expect(try log.orders == 1)
            #expect(try Zone.texts("n65") == [])

            let all = try inventory.play()
            #expect(all.isFine, "\(all)")
            #expect(try log.orders == 1)
            try InstalledCertificate(.web03, "n65").expectPromised()
        }

        @Test func `check mode changes nothing and says what would change, on fresh hosts and on finished ones`() throws
        {
            var inventory = try Inventory(["web03": ["checked": ["n66"]]])
            try Host.web03.forgetAgent()
            let log = try CALog(.main)
            let fresh = try Self.check(inventory)
            #expect(fresh.isFine, "\(fresh)")
            #expect(try #require(fresh.recap["web03"]).changed > 0, "\(fresh)")
            try #require(try inventory.play().isFine)

            let finished = try Self.check(inventory)
            #expect(finished.changedNothing, "\(finished)")

            inventory.certificates["web03"] = ["checked": ["n66", "n67"]]
            let grown = try Self.check(inventory)
            #expect(grown.isFine, "\(grown)")
            #expect(try #require(grown.recap["web03"]).changed > 0, "\(grown)")
            #expect(grown.output.contains("+n67.acme.example-signing.test."), "\(grown)")
            #expect(grown.output.contains("n67.example.test"), "\(grown)")
            #expect(try log.orders == 1)
        }

        @Test func `what check mode foretells is what the run then does`() throws {
            var inventory = try Inventory(["web03": ["foretold": ["n74"]]])
            try Host.web03.forgetAgent()
            let courses: [(inout Inventory) -> Void] = [
                { _ in }, { _ in },
                {
                    $0.certificates["web03"]?["foretold"]?.append("n75")
                    $0.variables["letsencrypt_formats"] = ["combined", "der"]
                },
                {
                    $0.variables["letsencrypt_force"] = true
                    $0.variables["letsencrypt_key_type"] = "rsa-2048"
                },
            ]
            var counts: [Int] = []
            for course in courses {
                course(&inventory)
                let prediction = Prediction(try Self.check(inventory))
                let run = try inventory.play()
                #expect(run.isFine, "\(run)")
                prediction.expect(run)
                counts.append(run.changes.count)
            }
            #expect(counts[1] == 0)
        }

        /// A run with `--check --diff` that touches neither the host nor the zone nor the CA.
        private static func check(
            _ inventory: Inventory, sourceLocation: SourceLocation = #_sourceLocation
        ) throws -> PlaybookRun {
            let log = try CALog(.main)
            let paths = ["/etc/letsencrypt-certs", "/var/lib/acme-modules", "/usr/local/libexec", "/etc/group"]
            let before = (try Host.web03.state(of: paths), try Zone.file)
            let run = try inventory.play("--check", "--diff")
            #expect(try Host.web03.state(of: paths) == before.0, sourceLocation: sourceLocation)
            #expect(try Zone.file == before.1, sourceLocation: sourceLocation)
            #expect(try log.requests == 0, sourceLocation: sourceLocation)
            return run
        }
    }
}
