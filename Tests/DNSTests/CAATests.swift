import DNS
import Names
import Platform
import Synchronization
import TestSupport
import Testing

/// Records of a whole top-level domain, so that nothing above them is unknown.
private func zone(_ records: String) -> String {
    "$TTL 60\n@ IN SOA ns1.test. hostmaster.test. 1 3600 600 864000 60\n@ IN NS ns1.test.\n" + records + "\n"
}

@Suite struct `CAA records` {
    private static let account = "https://ca.test/acct/7"

    /// What the records of the zone `test` say about a certificate of ca.test for a name.
    private func objection(
        _ name: String, account: String? = account, zones more: [String: String] = [:], _ records: String
    ) throws -> String? {
        let zones = more.mapValues(zone).merging(["test": zone("ns1 IN A 192.0.2.1\n" + records)]) { $1 }
        return try NamedServer.run(zones: zones) { server in
            let name = try DomainName(name)
            let resolver = Resolver(
                servers: [try ServerAddress(server.address)], deadline: Deadline(seconds: 20, clock: SystemClock()))
            let found = try CAALookup([name.base], resolver: resolver).records(for: name.base).get()
            return found.flatMap {
                CAAIssuer(identities: ["ca.test", "CA.example"], account: account).objection(of: $0, to: name)
            }
        }
    }

    @Test func `permit where there are none, or none that is about certificates`() throws {
        #expect(try objection("www.site.test", "") == nil)
        #expect(try objection("www.site.test", #"site IN CAA 0 iodef "mailto:security@site.test""#) == nil)
        #expect(try objection("www.site.test", #"site IN CAA 0 tbs "unknown""#) == nil)
    }

    @Test func `of another authority forbid, and the record to add is told`() throws {
        let found = try objection("www.site.test", #"site IN CAA 0 issue "other.example""#)
        #expect(
            found == "www.site.test: CAA records forbid ca.test to issue:  "
                + #"site.test. IN CAA 0 issue "other.example"  (permits another CA)  ; "#
                + #"add, in the zone of site.test:  site.test. IN CAA 0 issue "ca.test""#)
        let both = #"site IN CAA 0 issue "other.example""# + "\n" + #"site IN CAA 0 issue "ca.test""#
        #expect(try objection("www.site.test", both) == nil)
    }

    @Test func `name the authority in any of its ways, whatever the case`() throws {
        #expect(try objection("www.site.test", #"site IN CAA 0 ISSUE "Ca.Example""#) == nil)
    }

    @Test func `count from the nearest name that has any, and not from those above it`() throws {
        let records = """
            www.site IN CAA 0 issue "ca.test"
            site IN CAA 0 issue "other.example"
            """
        #expect(try objection("www.site.test", records) == nil)
        #expect(try objection("a.b.www.site.test", records) == nil)
        #expect(try objection("mail.site.test", records) != nil)
        #expect(try objection("site.test", records) != nil)
        #expect(try objection("a.site.test", #"@ IN CAA 0 issue ";""#)?.contains("test. IN CAA 0 issue") == true)
    }

    @Test func `are looked for where a CNAME leads, into another zone too, and above it only above the name itself`()
        throws
    {
        let elsewhere = [
            "cdn.example": #"edge IN CAA 0 issue "other.example""# + "\n" + #"parent IN CAA 0 issue ";""#
                + "\nplain.parent IN A 192.0.2.1\n"
        ]
        let found = try objection("www.site.test", zones: elsewhere, "www.site IN CNAME edge.cdn.example.")
        #expect(found?.contains(#"edge.cdn.example. IN CAA 0 issue "other.example""#) == true, "\(found ?? "nil")")
        // What stands above the end of the alias does not count (RFC 8659, section 3).
        #expect(
            try objection("www.site.test", zones: elsewhere, "www.site IN CNAME plain.parent.cdn.example.") == nil)
        let within = "www.site IN CNAME step.test.\nstep IN CNAME end.test.\n" + #"end IN CAA 0 issue ";""#
        #expect(try objection("www.site.test", within)?.contains("end.test. IN CAA") == true)
    }

    @Test func `for wildcards are those of issuewild, or else those of issue`() throws {
        let wild = #"site IN CAA 0 issue "other.example""# + "\n" + #"site IN CAA 0 issuewild "ca.test""#
        #expect(try objection("*.site.test", wild) == nil)
        #expect(try objection("a.site.test", wild) != nil)
        let noWild = #"site IN CAA 0 issue "ca.test""# + "\n" + #"site IN CAA 0 issuewild ";""#
        #expect(try objection("a.site.test", noWild) == nil)
        let found = try objection("*.site.test", noWild)
        #expect(found?.hasSuffix(#"site.test. IN CAA 0 issuewild "ca.test""#) == true, "\(found ?? "nil")")
        #expect(try objection("*.site.test", #"site IN CAA 0 issue "other.example""#) != nil)
        #expect(try objection("a.site.test", #"site IN CAA 0 issuewild ";""#) == nil)
    }

    @Test(arguments: [#"0 issue ";""#, #"0 issue """#, #"0 issue " ; ""#])
    func `with an empty issuer forbid everybody`(record: String) throws {
        #expect(try objection("a.site.test", "site IN CAA " + record)?.contains("permits nobody") == true)
    }

    @Test func `that are critical and of an unknown tag forbid, even beside one that permits`() throws {
        let records = #"site IN CAA 0 issue "ca.test""# + "\n" + #"site IN CAA 128 tbs "x""#
        let found = try objection("a.site.test", records)
        #expect(found?.contains(#"site.test. IN CAA 128 tbs "x""#) == true, "\(found ?? "nil")")
        #expect(try objection("a.site.test", #"site IN CAA 128 issue "ca.test""#) == nil)
        #expect(try objection("a.site.test", #"site IN CAA 128 iodef "mailto:a@site.test""#) == nil)
    }

    @Test func `with other validation methods forbid, and the record is told with dns-01 in it`() throws {
        let found = try objection("a.site.test", #"site IN CAA 0 issue "ca.test; validationmethods=http-01""#)
        #expect(found?.contains("does not permit the method dns-01") == true)
        #expect(found?.hasSuffix(#"site.test. IN CAA 0 issue "ca.test; validationmethods=http-01,dns-01""#) == true)
        for good in ["validationmethods=dns-01", " validationmethods = http-01,dns-01", "x=1;validationmethods=dns-01"]
        {
            #expect(try objection("a.site.test", "site IN CAA 0 issue \"ca.test;\(good)\"") == nil, "\(good)")
        }
    }

    @Test func `with another account forbid, and say nothing as long as no account is known`() throws {
        let record = #"site IN CAA 0 issue "ca.test; accounturi=https://ca.test/acct/8""#
        let found = try objection("a.site.test", record)
        #expect(found?.contains("permits another account than ours, \(Self.account)") == true, "\(found ?? "nil")")
        #expect(found?.hasSuffix(#"issue "ca.test; accounturi=https://ca.test/acct/7""#) == true)
        #expect(try objection("a.site.test", account: nil, record) == nil)
        #expect(try objection("a.site.test", "site IN CAA 0 issue \"ca.test;accounturi=\(Self.account)\"") == nil)
    }

    @Test(arguments: [
        "ca.test validationmethods=dns-01", "ca.test; validationmethods", "ca.test; =dns-01", "ca.test; a=b; ",
        "ca.test;; a=b", "-ca.test", "ca..test", "ca_.test", "ca.test; a=b c", "%%%%%", "ca.test; a-=b",
    ])
    func `that do not follow the grammar permit nobody`(value: String) throws {
        let escaped = value.map { $0 == ";" ? "\\;" : String($0) }.joined()
        let found = try objection("a.site.test", "site IN CAA 0 issue \"\(escaped)\"")
        #expect(found?.contains("not written as RFC 8659 wants") == true, "\(found ?? "nil")")
    }

    @Test(arguments: ["validationmethods=dns-01", "accounturi=\(account)"])
    func `that say a thing twice permit nobody`(parameter: String) throws {
        let record = "site IN CAA 0 issue \"ca.test; \(parameter); \(parameter)\""
        #expect(try objection("a.site.test", record)?.contains("site.test. IN CAA") == true)
    }

    @Test func `are asked for once for each name and each name above, all of them before the first answer`() throws {
        let asked = Mutex<Set<[UInt8]>>([])
        let server = try FakeServer { query in
            // No answer until all have asked: whoever waits for one before it asks for the next gets none.
            let count = asked.withLock { questions in
                questions.insert(Array(query[12...]))
                return questions.count
            }
            let question = query[12..<(query.count - 11)]
            return count < 6 ? [] : [query[..<2] + [0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0] + question]
        }
        defer { server.stop() }
        let resolver = Resolver(
            servers: [try ServerAddress(server.address)], deadline: Deadline(seconds: 20, clock: SystemClock()))
        let names = try ["a.site.test", "b.site.test", "c.other.test"].map { try DNSName($0) }
        let lookup = CAALookup(names, resolver: resolver)
        for name in names { #expect(try lookup.records(for: name).get() == nil) }
        #expect(asked.withLock(\.count) == 6)
    }

    @Test func `that cannot be looked up are an error of the server, unless a nearer name has some`() throws {
        try NamedServer.run(zones: ["site.example": zone(#"www IN CAA 0 issue ";""#)]) { server in
            let resolver = Resolver(
                servers: [try ServerAddress(server.address)], deadline: Deadline(seconds: 20, clock: SystemClock()))
            let names = try ["www.site.example", "mail.site.example"].map { try DNSName($0) }
            let lookup = CAALookup(names, resolver: resolver)
            #expect(try lookup.records(for: names[0]).get()?.owner == names[0])
            let error = try #require(throws: DNSError.self) { try lookup.records(for: names[1]).get() }
            #expect(error.description.hasSuffix("answered REFUSED when asked for CAA of example"))
        }
    }
}
