import Testing

extension TheFiveSteps {
    /// `--tags plan`: what a run would order, and nothing done.
    @Suite struct Planning {
        private static let paths = [
            "/etc/letsencrypt-certs", "/var/lib/acme-modules", "/usr/local/libexec", "/etc/group",
        ]

        private static func state() throws -> [String] {
            try [Host.web01, .web02].map { try $0.state(of: paths) } + [try Zone.file]
        }

        @Test func `the plan shows what two hosts would order against the limits, and changes nothing`() throws {
            var inventory = try Inventory(["web01": ["planned": ["n91"]], "web02": ["first": ["n92"]]])
            try #require(try inventory.play().isFine)
            inventory.certificates["web01"] = ["planned": ["n91"], "more": ["n93", "nocname"]]
            inventory.certificates["web02"] = ["first": ["n92"], "second": ["n94"], "third": ["n95"]]
            let before = try Self.state()
            let log = try CALog(.main)

            let plan = try inventory.play("--tags", "plan", "-e", "letsencrypt_limit_certificates_per_domain=1")
            #expect(plan.isFine, "\(plan)")
            #expect(plan.sentences.contains("web01 planned n91.example.test none"), "\(plan)")
            #expect(plan.sentences.contains("web01 more n93.example.test, nocname.example.test fail"), "\(plan)")
            #expect(plan.sentences.contains("_acme-challenge.nocname.example.test is no CNAME into"), "\(plan)")
            for name in ["second n94", "third n95"] {
                #expect(
                    plan.sentences.contains("web02 \(name).example.test order (new) there is no certificate yet"),
                    "\(plan)")
            }
            #expect(plan.sentences.contains("example.test 2 1 0"), "\(plan)")
            #expect(
                plan.sentences.contains(
                    "WARNING: example.test would get 2 new certificates, more than the 1 that a registered domain"),
                "\(plan)")
            #expect(try log.requests == 0)
            #expect(try Self.state() == before)

            let usual = try inventory.play("--tags", "plan")
            #expect(usual.isFine && !usual.output.contains("WARNING: example.test"), "\(usual)")
            #expect(try log.requests == 0)
            #expect(try Self.state() == before)
        }

        @Test func `a host that is down or has no agent yet counts with all that it wants, and no other run plans`()
            throws
        {
            var inventory = try Inventory(["web02": ["first": ["n96"]]])
            try #require(try inventory.play("--tags", "letsencrypt_install").isFine)
            inventory.certificates["web03"] = ["fresh": ["n97"]]
            inventory.certificates["web09"] = ["never": ["n98"]]
            try Host.web03.forgetAgent()
            let plan = try inventory.play("--tags", "plan")
            #expect(plan.recap["web09"]?.unreachable == 1)
            #expect(plan.sentences.contains("web03 fresh n97.example.test order (new) the agent is not installed"))
            #expect(plan.sentences.contains("web09 never n98.example.test order (new) the host cannot be reached"))
            #expect(plan.sentences.contains("example.test 3 50 0"), "\(plan)")
            #expect(try Host.web03.state(of: Self.paths).contains("acme-modules") == false)

            inventory.certificates["web09"] = nil
            let run = try inventory.play()
            #expect(run.isFine && !run.output.contains("letsencrypt_plan"), "\(run)")
        }
    }
}
