import Testing

extension TheFiveSteps {
    /// What fails alone, and what is said about it, cases (g) and (h).
    @Suite struct Failing {
        @Test func `a host that is down, a name without CNAME and a refused name stop nothing else`() throws {
            var inventory = try Inventory([
                "web01": ["good": ["n45"], "no-cname": ["nocname", "n46"], "refused": ["n47", "blocked"]],
                "web02": ["good": ["n48"]],
                "web09": ["never": ["n49"]],
            ])
            let log = try CALog(.main)
            let run = try inventory.play()
            #expect(run.status != 0)
            #expect(run.recap["web02"]?.isFine == true, "\(run)")
            #expect(run.recap["web09"]?.unreachable == 1)
            #expect(run.recap["web01"]?.failed == 1)
            #expect(try log.orders == 2)
            Self.expectReport(run)
            try InstalledCertificate(.web01, "n45").expectPromised()
            try InstalledCertificate(.web02, "n48").expectPromised()
            #expect(run.handlers == ["web01: good", "web02: good"])

            // One host after the other: the one that fails does not end the run of those after it.
            inventory.certificates["web03"] = ["late": ["n51"]]
            let serial = try inventory.play("-e", "letsencrypt_serial=1")
            Self.expectReport(serial)
            #expect(serial.recap["web01"]?.failed == 1)
            #expect(serial.recap["web02"] == .unchanged)
            #expect(serial.recap["web03"]?.isFine == true, "\(serial)")
            #expect(try log.orders == 3)
            try InstalledCertificate(.web03, "n51").expectPromised()
        }

        /// Exactly the two certificates that failed, each with what to do.
        private static func expectReport(_ run: PlaybookRun, sourceLocation: SourceLocation = #_sourceLocation) {
            let report = run.report(of: "web01")
            #expect(
                report.contains(
                    "_acme-challenge.nocname.example.test. IN CNAME nocname.example.test.acme.example-signing.test."),
                "\(report)", sourceLocation: sourceLocation)
            #expect(report.contains("certificate refused: "), "\(report)", sourceLocation: sourceLocation)
            #expect(report.contains("rejectedIdentifier"), "\(report)", sourceLocation: sourceLocation)
            #expect(report.contains("blocked.example.test"), "\(report)", sourceLocation: sourceLocation)
            #expect(!report.contains("certificate good"), "\(report)", sourceLocation: sourceLocation)
            #expect(run.report(of: "web02") == "", sourceLocation: sourceLocation)
        }

        @Test func `a missing handler stops its certificate before any order, and is named`() throws {
            var inventory = try Inventory([
                "web01": ["known": ["n52"], "forgotten": ["n53"]], "web02": ["known": ["n54"]],
            ])
            inventory.handlers = ["known"]
            let log = try CALog(.main)
            let run = try inventory.play()
            #expect(run.recap["web01"]?.failed == 1, "\(run)")
            #expect(run.recap["web02"]?.isFine == true)
            #expect(run.report(of: "web01").contains("letsencrypt updated forgotten"), "\(run)")
            #expect(!run.report(of: "web01").contains("letsencrypt updated known"))
            #expect(try log.orders == 2)
            try InstalledCertificate(.web01, "n52").expectPromised()
            try InstalledCertificate(.web02, "n54").expectPromised()
        }

        @Test func `tokens that a server never shows leave the order to the next run`() throws {
            var inventory = try Inventory(["web01": ["patient": ["n55", "n56"]]])
            let silent = try Lab.current()["NETWORK"] + ".250"
            inventory.variables["letsencrypt_publish_servers"] = [silent]
            inventory.variables["letsencrypt_visible_timeout"] = 1
            let log = try CALog(.main)
            let run = try inventory.play()
            #expect(run.recap["web01"]?.failed == 1, "\(run)")
            #expect(run.report(of: "web01").contains("certificate patient: its tokens were not published"), "\(run)")
            #expect(run.report(of: "web01").contains(silent), "\(run)")
            #expect(try log.answeredChallenges == 0)
            #expect(try log.orders == 1)

            inventory.variables["letsencrypt_publish_servers"] = nil
            let next = try inventory.play()
            #expect(next.isFine, "\(next)")
            #expect(try log.orders == 1)
            #expect(try log.certificates == 1)
            try InstalledCertificate(.web01, "n55", "n56").expectPromised()
        }
    }
}
