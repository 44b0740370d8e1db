import AcmeModules
import AnsibleModule
import Testing

/// What the two modules say of options that cannot be used; every case is refused before anything is touched.
@Suite struct CommonOptionsTests {
    private func message(_ options: [String: JSONValue]) -> String {
        let isolated: [String: JSONValue] = [
            "cert_path": "/nonexistent/certs", "state_path": "/nonexistent/state", "group": "root",
            "self_signed": true, "check_cname": false,
        ]
        let options = Options(isolated.merging(options) { $1 })
        let result = RequestTokens.run(Invocation(options: options, checkMode: true))
        return result.failed ? result.msg : "accepted"
    }

    @Test func `one of certs and domains must be given`() {
        #expect(message([:]) == "certs is missing: give certs, or name and domains for one certificate")
        #expect(message(["certs": ["a": ["a.test.org"]], "domains": "a.test.org"]).contains("exclude each other"))
        #expect(message(["certs": ["a": ["a.test.org"]], "name": "a"]).contains("exclude each other"))
    }

    @Test func `a certificate needs names that are host names`() {
        #expect(message(["certs": ["a": []]]) == "certificate a has no domains")
        #expect(message(["domains": "a_b.test.org"]).contains("'a_b.test.org' is not a valid name: it has a '_'"))
        #expect(message(["domains": "localhost"]).contains("only one label"))
    }

    @Test func `a port is accepted, and what is no port is not`() {
        #expect(message(["domains": ["a.test.org:993", "b.test.org"]]) == "accepted")
        #expect(message(["domains": "a.test.org:smtp"]).contains("has a port that is no number"))
    }

    @Test func `more than 100 names are refused`() {
        let names = (1...101).map { "n\($0).test.org" }
        #expect(message(["domains": .strings(names.dropLast())]) == "accepted")
        #expect(message(["name": "big", "domains": .strings(names)]).contains("certificate big has 101 names"))
    }

    @Test func `a name that a wildcard covers already is refused, its base is not`() {
        #expect(message(["domains": ["test.org", "*.test.org"]]) == "accepted")
        #expect(
            message(["name": "w", "domains": ["*.test.org", "a.test.org"]])
                == "certificate w: a.test.org is covered by *.test.org already; remove one of them")
    }

    @Test func `two certificates with the same first name are refused`() {
        let certs: JSONValue = ["one": ["a.test.org", "b.test.org"], "two": ["A.test.org:443"]]
        #expect(message(["certs": certs]).contains("certificates one and two have the same first name a.test.org"))
    }

    @Test func `two certificates with the same names are refused, in whatever order they stand`() {
        let certs: JSONValue = ["one": ["a.test.org", "b.test.org"], "two": ["b.test.org", "a.test.org"]]
        #expect(message(["certs": certs]) == "certificates one and two have the same names; keep one of them")
    }

    @Test func `options of one certificate are checked with their path`() {
        let certs: JSONValue = ["a": ["domains": ["a.test.org"], "key_type": "dsa"]]
        #expect(message(["certs": certs]).contains("certs.a.key_type must be one of ec-256"))
        #expect(
            message(["certs": ["a": ["domains": ["a.test.org"], "keytype": "x"]]]).contains("did you mean key_type?"))
    }

    @Test(arguments: ["0644", "0750", "0040", "0620", "rw"])
    func `a mode that shows a private key to others is refused`(mode: String) {
        #expect(message(["domains": "a.test.org", "mode": .string(mode)]).contains("mode"))
    }

    @Test func `a CA is named or a URL with https`() {
        #expect(message(["domains": "a.test.org", "acme_directory": "http://ca.test/dir"]).contains("https:// URL"))
        #expect(message(["domains": "a.test.org", "acme_directory": "letsencrypt_staging"]) == "accepted")
    }

    @Test func `a user and a group must be there, but for a check`() {
        let options: [String: JSONValue] = ["domains": "a.test.org", "owner": "no-such-user", "group": "no-such-group"]
        #expect(message(options) == "accepted")
        let result = RequestTokens.run(Invocation(options: Options(options)))
        #expect(result.msg.contains("owner is 'no-such-user', and this host has no such user"))
    }

    @Test func `strings of ad-hoc use are read as what they stand for`() {
        let options: [String: JSONValue] = [
            "domains": "a.test.org,b.test.org", "remaining_days": "5", "force": "yes", "timeout": "60",
        ]
        #expect(message(options) == "accepted")
        #expect(message(options.merging(["timeout": "0"]) { $1 }).contains("timeout must be between 1 and 86400"))
    }
}
