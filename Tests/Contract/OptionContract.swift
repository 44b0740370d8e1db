import AnsibleModule
import Platform
import TestSupport
import Testing

/// The modules that take the common options.
private let certificateModules: [ModuleContract] = [.requestTokens, .finalize]

@Suite struct OptionContract {
    /// Expects a refusal whose sentence holds `words`, and an untouched directory.
    private func expectRefusal(
        _ options: [String: JSONValue], _ words: String..., of modules: [ModuleContract] = certificateModules,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        try withTemporaryDirectory { directory in
            for module in modules {
                let answer = try RealProgram.call(module.rawValue, hermetic(directory, options), at: location)
                #expect(answer.failed, sourceLocation: location)
                #expect(!answer.changed, sourceLocation: location)
                for word in words {
                    #expect(answer.msg.contains(word), "\(answer.msg)", sourceLocation: location)
                }
                module.expectLists(in: answer, at: location)
            }
            #expect(try Files.list(directory) == [], sourceLocation: location)
        }
    }

    private let web: [String: JSONValue] = ["certs": ["web": ["a.example.org"]], "self_signed": true]

    private func web(_ more: [String: JSONValue]) -> [String: JSONValue] { web.merging(more) { $1 } }

    @Test func `an unknown option is named with the nearest known one`() throws {
        try expectRefusal(web(["cert_pth": "/x"]), "cert_pth", "did you mean cert_path?")
        try expectRefusal(
            ["certs": ["web": ["domains": ["a.example.org"], "keytype": "ec-256"]]], "certs.web.keytype",
            "did you mean key_type?")
    }

    @Test(
        arguments: [
            (["kid": "1"], "option external_account_binding.key is missing"),
            (["key": "AAAA"], "option external_account_binding.kid is missing"),
            (
                ["kid": "1", "key": "no*key*"],
                "option external_account_binding.key must be the key as the CA gave it out"
            ),
            (["kid": "1", "key": "AAAA", "alg": "RS256"], "option external_account_binding.alg must be one of HS256"),
            (["kid": "1", "key": "AAAA", "x": 1], "option external_account_binding.x is unknown"),
        ] as [(JSONValue, String)])
    func `an external account binding that cannot be used is refused, its key untold`(
        binding: JSONValue, problem: String
    ) throws {
        try expectRefusal(web(["external_account_binding": binding]), problem)
        if let key = binding["key"]?.string, key != "AAAA" {
            let answer = try RealProgram.call("acme_finalize", .object(web(["external_account_binding": binding])))
            #expect(!answer.text.contains(key))
        }
    }

    @Test(
        arguments: [
            ("timeout", "soon"), ("timeout", 0), ("timeout", [1]), ("remaining_days", "x"), ("remaining_days", -1),
            ("force", "perhaps"), ("self_signed", 2), ("check_cname", "x"), ("check_caa", "x"), ("terms_agreed", []),
            ("key_type", "dsa"),
            ("key_type", true), ("cert_path", "relative"), ("state_path", "../x"), ("ca_path", "x.pem"),
            ("account_key_src", "x.pem"), ("dns_servers", ["not an address"]), ("signing_domain", "a..b"),
            ("account_email", "nobody"), ("owner", "no-such-user-here"), ("group", "no-such-group-here"),
            ("mode", "rw-r-----"), ("mode", "0644"), ("mode", 640),
            ("acme_directory", "http://ca.example.org/directory"),
            ("acme_directory", ["x"]), ("certs", "x"), ("certs", []), ("external_account_binding", "x"),
            ("use_ari", "x"),
            ("profile", ["x"]), ("reuse_key", "x"),
        ] as [(String, JSONValue)])
    func `an option of the wrong type or value is named`(name: String, value: JSONValue) throws {
        try expectRefusal(web([name: value]), name)
    }

    @Test(
        arguments: [
            ("key_type", "dsa"), ("remaining_days", "x"), ("force", "perhaps"), ("owner", "no-such-user-here"),
            ("group", "no-such-group-here"), ("mode", "0644"),
        ] as [(String, JSONValue)])
    func `an option of one certificate is named with its path`(name: String, value: JSONValue) throws {
        try expectRefusal(["certs": ["web": ["domains": ["a.example.org"], name: value]]], "certs.web.\(name)")
    }

    @Test func `options that contradict each other are named together`() throws {
        try expectRefusal(web(["domains": ["b.example.org"]]), "certs", "domains")
        try expectRefusal(web(["name": "b"]), "certs", "name")
    }

    @Test func `a certificate without names is refused`() throws {
        try expectRefusal([:], "certs is missing")
        try expectRefusal(["name": "x"], "is missing")
        try expectRefusal(["certs": ["web": []]], "web")
        try expectRefusal(["certs": ["web": ["key_type": "ec-256"]]], "web")
        try expectRefusal(["domains": []], "domains")
    }

    @Test func `what would overwrite or cover another certificate is refused`() throws {
        try expectRefusal(
            ["certs": ["one": ["a.example.org"], "two": ["A.example.org:8443", "b.example.org"]]], "one", "two",
            "same first name")
        try expectRefusal(
            ["certs": ["web": ["*.example.org", "a.example.org"]]], "web", "a.example.org", "*.example.org")
        let many = (1...101).map { "n\($0).example.org" }
        try expectRefusal(["certs": ["web": .strings(many)]], "web", "101 names")
    }

    @Test func `publishing without zone, records or provider is refused by name`() throws {
        let whole: [String: JSONValue] = [
            "zone": "acme.example.org", "records": [],
            "zone_file": ["path": "/nowhere/zone.db", "nameservers": ["ns1.example.org"]],
        ]
        for name in whole.keys {
            let answer = try RealProgram.call("acme_publish_txt", .object(whole.filter { $0.key != name }))
            #expect(answer.failed)
            #expect(answer.msg.contains(name), "\(answer.msg)")
        }
        for (name, value) in [("zone", ["x"]), ("records", "x"), ("zone_file", "x"), ("keep", -1)]
            as [(String, JSONValue)]
        {
            let answer = try RealProgram.call("acme_publish_txt", .object(whole.merging([name: value]) { $1 }))
            #expect(answer.failed)
            #expect(answer.msg.contains(name), "\(answer.msg)")
        }
    }
}
