import AnsibleModule
import Platform
import TestSupport
import Testing

@Suite struct SelfSignedContract {
    private let certs: [String: JSONValue] = [
        "self_signed": true,
        "certs": ["web": ["a.example.org:8443", "b.example.org"], "wild": ["domains": ["*.c.example.org"]]],
    ]

    @Test func `tokens, certificates, and nothing to do the second time`() throws {
        try withTemporaryDirectory { directory in
            let options = hermetic(directory, certs)
            let requested = try RealProgram.call("acme_request_tokens", options)
            #expect(!requested.failed, "\(requested.msg)")
            #expect(requested.changed)
            #expect(
                requested["timings"]?.object.map { Set($0.keys) } == ["inspect", "lock", "directory", "dns", "order"])
            #expect(requested.all("certificates", "action") == ["authorize", "authorize"])
            #expect(requested.all("txt_required", "record").count == 3)
            #expect(requested.all("txt_required", "record").contains("_acme-challenge.c.example.org"))

            let finalized = try RealProgram.call("acme_finalize", options)
            #expect(!finalized.failed, "\(finalized.msg)")
            #expect(finalized["updated"] == ["web", "wild"])
            #expect(finalized["timings"]?.object.map { Set($0.keys) } == ["inspect", "lock", "issue", "correct"])
            #expect(finalized.all("certificates", "changed") == [true, true])
            try expectCertificates(finalized, in: directory)

            let before = try listing(directory)
            let again = try RealProgram.call("acme_request_tokens", options)
            #expect(!again.changed)
            #expect(again["txt_required"] == [])
            #expect(again.all("certificates", "action") == ["none", "none"])
            let nothing = try RealProgram.call("acme_finalize", options)
            #expect(!nothing.changed)
            #expect(!nothing.failed)
            #expect(nothing["timings"]?.object.map { Set($0.keys) } == ["inspect"])
            #expect(nothing["updated"] == [])
            #expect(try listing(directory) == before)
        }
    }

    /// The files are those of the contract, and openssl agrees that they belong together.
    private func expectCertificates(_ finalized: RealProgram.Answer, in directory: String) throws {
        let first = directory + "/certs/a.example.org"
        let web = try #require(finalized["certificates"]?.array?.first)
        #expect(web["key"] == .string(first + "/a.example.org.key"))
        #expect(web["cert"] == .string(first + "/a.example.org.cer"))
        #expect(web["chain"] == .string(first + "/ca.cer"))
        #expect(web["fullchain"] == .string(first + "/fullchain.cer"))
        #expect(try Files.status(directory + "/certs/_.c.example.org/_.c.example.org.key") != nil)
        let names = try Program.run([
            "openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", first + "/fullchain.cer",
        ])
        #expect(names.stdout.contains("DNS:a.example.org, DNS:b.example.org"))
        let chain = try Program.run(
            ["openssl", "verify", "-partial_chain", "-CAfile", first + "/ca.cer", first + "/a.example.org.cer"])
        #expect(chain.status == 0, "\(chain)")
        let publicKeys = try [
            ["x509", "-pubkey", "-noout", "-in", first + "/a.example.org.cer"],
            ["pkey", "-pubout", "-in", first + "/a.example.org.key"],
        ].map { try Program.run(["openssl"] + $0).stdout }
        #expect(publicKeys[0] == publicKeys[1])
    }

    @Test func `a request that was broken off is taken up with the same tokens`() throws {
        try withTemporaryDirectory { directory in
            let options = hermetic(directory, certs)
            let first = try RealProgram.call("acme_request_tokens", options)
            let second = try RealProgram.call("acme_request_tokens", options)
            #expect(second["txt_required"] == first["txt_required"])
            #expect(!second.changed)
        }
    }

    @Test func `finalizing what nobody ordered names the step that is missing`() throws {
        try withTemporaryDirectory { directory in
            let answer = try RealProgram.call("acme_finalize", hermetic(directory, certs))
            #expect(answer.failed)
            #expect(answer.msg.contains("acme_request_tokens"))
            #expect(answer["updated"] == [])
            #expect(answer.all("certificates", "changed") == [false, false])
        }
    }

    @Test func `check mode touches nothing and says what would be done`() throws {
        try withTemporaryDirectory { directory in
            let dry = certs.merging(["_ansible_check_mode": true, "_ansible_diff": true]) { $1 }
            let requested = try RealProgram.call("acme_request_tokens", hermetic(directory, dry))
            #expect(!requested.failed, "\(requested.msg)")
            #expect(requested.changed)
            #expect(requested.all("certificates", "action") == ["authorize", "authorize"])
            let finalized = try RealProgram.call("acme_finalize", hermetic(directory, dry))
            #expect(!finalized.failed, "\(finalized.msg)")
            #expect(finalized["updated"] == ["web", "wild"])
            #expect(finalized["diff"]?["after"]?.string?.contains("web") == true)
            #expect(try Files.list(directory) == [])

            _ = try RealProgram.call("acme_request_tokens", hermetic(directory, certs))
            let before = try listing(directory)
            _ = try RealProgram.call("acme_request_tokens", hermetic(directory, dry))
            _ = try RealProgram.call("acme_finalize", hermetic(directory, dry))
            #expect(try listing(directory) == before)
        }
    }

    @Test func `check mode asks no authority`() throws {
        try withTemporaryDirectory { directory in
            let options = hermetic(directory, ["domains": "a.example.org", "_ansible_check_mode": true])
            for module in ["acme_request_tokens", "acme_finalize"] {
                let answer = try RealProgram.call(module, options)
                #expect(!answer.failed, "\(answer.msg)")
                #expect(answer.changed)
            }
            #expect(try Files.list(directory) == [])
        }
    }

    @Test func `ad-hoc strings mean what the JSON types mean`() throws {
        try withTemporaryDirectory { directory in
            let adHoc = hermetic(
                directory,
                [
                    "certs":
                        #"{"web": ["a.example.org:8443", "b.example.org"], "wild": {"domains": "*.c.example.org"}}"#,
                    "self_signed": "yes", "timeout": "20", "remaining_days": "30", "force": "no", "mode": "0640",
                ])
            #expect(try RealProgram.call("acme_request_tokens", adHoc).changed)
            #expect(try RealProgram.call("acme_finalize", adHoc)["updated"] == ["web", "wild"])
            let typed = try RealProgram.call("acme_request_tokens", hermetic(directory, certs))
            #expect(typed.all("certificates", "action") == ["none", "none"])
            let single = hermetic(directory, ["self_signed": "on", "domains": "a.example.org, b.example.org"])
            #expect(
                try RealProgram.call("acme_request_tokens", single).all("certificates", "name") == ["a.example.org"])
        }
    }

    @Test func `no key is ever printed`() throws {
        try withTemporaryDirectory { directory in
            let options = hermetic(directory, certs.merging(["_ansible_diff": true, "_ansible_verbosity": 5]) { $1 })
            let texts = try [
                RealProgram.call("acme_request_tokens", options).text, RealProgram.call("acme_finalize", options).text,
            ].joined()
            let key = try #require(try Files.read(directory + "/certs/a.example.org/a.example.org.key"))
            let lines = String(decoding: key, as: UTF8.self).split(separator: "\n").filter { $0.count > 20 }
            #expect(lines.count > 1)
            for line in lines { #expect(!texts.contains(line)) }
        }
    }

    @Test func `a damaged account key is refused without its content`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/account.pem"
            let text = "-----BEGIN PRIVATE KEY-----\nhunter2hunter2hunter2\n-----END PRIVATE KEY-----\n"
            try AtomicFile.write(Array(text.utf8), to: path, access: .own(mode: 0o600))
            let options = hermetic(directory, ["domains": "a.example.org", "account_key_src": .string(path)])
            let answer = try RealProgram.call("acme_request_tokens", options)
            #expect(answer.failed)
            #expect(!answer.text.contains("hunter2"))
            #expect(answer.text.contains(path))
        }
    }
}
