import AnsibleModule
import Platform
import TestSupport
import Testing

/// The other forms in which key and chain are kept, beside the PEM files.
@Suite struct FormatContract {
    private static let all: JSONValue = ["pem", "combined", "pkcs12", "jks", "der"]
    private static let forms = ["pem", "p12", "jks", "der", "key.der"]

    private func passphraseFile(_ directory: String, _ text: String = "a passphrase\n", mode: UInt32 = 0o600) throws
        -> JSONValue
    {
        let path = directory + "/passphrase"
        try AtomicFile.write(Array(text.utf8), to: path, access: .own(mode: mode))
        return .string(path)
    }

    /// The fingerprint of the certificate in each file, and the public key of the key in each, as openssl and keytool
    /// see them; all the same where all is well.
    private func contents(_ base: String, passphrase: String) throws -> [String] {
        let script = #"""
            cd "${1%/*}"; N=${1##*/}
            cer() { openssl x509 -noout -fingerprint -sha256 "$@" | sed 's/.*=//'; }
            key() { openssl pkey -pubout "$@" | tail -n +2 | head -n 1; }
            echo "cer $(cer -in "$N.cer")"; echo "key $(key -in "$N.key")"
            echo "cer $(cer -in "$N.pem")"; echo "key $(key -in "$N.pem")"
            tail -n +"$(grep -n -m 1 'BEGIN CERT' "$N.pem" | cut -d: -f1)" "$N.pem" | cmp - fullchain.cer
            echo "cer $(cer -inform DER -in "$N.der")"; echo "key $(key -inform DER -in "$N.key.der")"
            openssl pkcs12 -in "$N.p12" -passin file:"$2" -nodes -out "$3/p12" 2>/dev/null
            echo "cer $(cer -in "$3/p12")"; echo "key $(key -in "$3/p12")"
            keytool -list -v -keystore "$N.jks" -storepass:file "$2" | grep -m 1 'SHA256:' | sed 's/.*SHA256: /cer /'
            """#
        return try withTemporaryDirectory { directory in
            try AtomicFile.write(Array(passphrase.utf8), to: directory + "/pass", access: .own(mode: 0o600))
            let shown = try Program.run([
                "bash", "-euo", "pipefail", "-c", script, "sh", base, directory + "/pass", directory,
            ])
            try #require(shown.status == 0, "\(shown)")
            return Set(shown.stdout.split(separator: "\n").map(String.init)).sorted()
        }
    }

    @Test func `a valid certificate gets what it lacks without a request to the CA, and then there is nothing to do`()
        throws
    {
        try withWorld { world in
            let certs = ["web": ["a.example.org"]]
            try world.issue(world.options(certs))
            let (log, base) = (try world.server.log(), world.path("a.example.org", "a.example.org"))
            let certificate = try Files.read(base + ".cer")
            let more: [String: JSONValue] = [
                "formats": Self.all, "passphrase_file": try passphraseFile(world.directory),
            ]

            try expectChange(world, world.options(certs, more))
            #expect(try Files.read(base + ".cer") == certificate)
            #expect(try contents(base, passphrase: "a passphrase").count == 2)
            for form in Self.forms {
                let status = try #require(
                    try Files.status(world.path("a.example.org", "current/a.example.org." + form)))
                #expect(status.access == .own(mode: form == "der" ? 0o644 : 0o640), "\(form)")
            }

            _ = try passphraseFile(world.directory, "another passphrase\n")
            try expectChange(world, world.options(certs, more))
            #expect(try contents(base, passphrase: "another passphrase").count == 2)
            let store = world.path("a.example.org", "current/a.example.org.jks")
            var bytes = try #require(try Files.read(store))
            bytes[100] ^= 1
            try AtomicFile.write(bytes, to: store, access: .own(mode: 0o640))
            try expectChange(world, world.options(certs, more))
            try Files.remove(base + ".p12")
            try expectChange(world, world.options(certs, more))
            try expectChange(world, world.options(certs, more.merging(["mode": "0600"]) { $1 }), updated: [])
            #expect(try Files.status(world.path("a.example.org", "current/a.example.org.p12"))?.access.mode == 0o600)
            #expect(try contents(base, passphrase: "another passphrase").count == 2)
            #expect(try world.server.log() == log)
        }
    }

    /// A prediction that touches nothing, the change itself, and nothing more.
    private func expectChange(
        _ world: World, _ options: JSONValue, updated: JSONValue = ["web"],
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let directory = world.directory
        let before = try listing(directory)
        let dry = JSONValue.object((options.object ?? [:]).merging(["_ansible_check_mode": true]) { $1 })
        let requested = try world.request(options, at: location)
        #expect(requested.all("certificates", "action") == ["none"], sourceLocation: location)
        let predicted = try world.finalize(dry, at: location)
        #expect(try listing(directory) == before, sourceLocation: location)
        let answer = try world.finalize(options, at: location)
        for answer in [predicted, answer] {
            #expect(answer.changed && !answer.failed, "\(answer.msg)", sourceLocation: location)
            #expect(answer["updated"] == updated, "\(answer.msg)", sourceLocation: location)
        }
        #expect(answer.msg == predicted.msg, sourceLocation: location)
        let after = try listing(directory)
        #expect(after != before, sourceLocation: location)
        for options in [options, dry] {
            let again = try world.finalize(options, at: location)
            #expect(!again.changed && !again.failed, "\(again.msg)", sourceLocation: location)
        }
        #expect(try listing(directory) == after, sourceLocation: location)
    }

    @Test func `a run that was killed before all forms were linked is ended by the next, and told of`() throws {
        try withWorld { world in
            let options = world.options(["web": ["a.example.org"]], ["formats": ["combined", "der"]])
            try world.publish(try world.request(options))
            // The links to the four PEM files, `current`, and the links to the other forms.
            #expect(try SystemCall(either: "symlink", 6).kill("acme_finalize", options))
            let installed = try #require(try Files.read(world.path("a.example.org", "fullchain.cer")))
            let link = world.path("a.example.org", "a.example.org.pem")
            #expect(try Files.status(link) == nil)
            let next = try world.finalize(options)
            #expect(next["updated"] == ["web"], "\(next.msg)")
            #expect(try Files.read(world.path("a.example.org", "fullchain.cer")) == installed)
            #expect(Files.target(ofLink: link) == "current/a.example.org.pem")
            #expect(try !world.finalize(options).changed)
        }
    }

    @Test func `all forms are in the first set, by one version, and go with the next when nobody asks for them`() throws
    {
        try withTemporaryDirectory { directory in
            let base: [String: JSONValue] = [
                "self_signed": true, "passphrase_file": try passphraseFile(directory),
                "certs": ["wild": ["domains": ["*.a.example.org"], "formats": Self.all], "plain": ["b.example.org"]],
            ]
            #expect(try !RealProgram.call("acme_request_tokens", hermetic(directory, base)).failed)
            let finalized = try RealProgram.call("acme_finalize", hermetic(directory, base))
            #expect(finalized["updated"] == ["plain", "wild"], "\(finalized.msg)")
            let path = directory + "/certs/_.a.example.org"
            #expect(try Files.list(path + "/versions") == ["1"])
            #expect(try contents(path + "/_.a.example.org", passphrase: "a passphrase").count == 2)
            let names = ["combined", "pkcs12", "jks", "der", "key_der"]
            for (name, form) in zip(names, Self.forms) {
                let file = path + "/_.a.example.org." + form
                #expect(finalized.all("certificates", name) == [.null, .string(file)])
                #expect(Files.target(ofLink: file) == "current/_.a.example.org." + form)
            }
            #expect(try Files.list(directory + "/certs/b.example.org/versions/1").count == 5)

            var fewer = base
            fewer["certs"] = ["wild": ["domains": ["*.a.example.org"], "formats": ["der"]]]
            #expect(try !RealProgram.call("acme_finalize", hermetic(directory, fewer)).changed)
            fewer["force"] = true
            #expect(try !RealProgram.call("acme_request_tokens", hermetic(directory, fewer)).failed)
            #expect(try RealProgram.call("acme_finalize", hermetic(directory, fewer))["updated"] == ["wild"])
            let left = try Files.list(path).filter { $0.hasPrefix("_.") }
            #expect(
                left == [
                    "_.a.example.org.cer", "_.a.example.org.der", "_.a.example.org.key", "_.a.example.org.key.der",
                ])
            #expect(try Files.list(path + "/versions/2").count == 7)
        }
    }

    @Test func `a passphrase file that will not do fails its certificate alone, before anything is ordered`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/passphrase"
            let options = hermetic(
                directory,
                [
                    "self_signed": true,
                    "certs": [
                        "plain": ["b.example.org"],
                        "store": ["domains": ["a.example.org"], "formats": "jks", "passphrase_file": .string(path)],
                    ],
                ])
            let wrong: [(text: String, mode: UInt32, sentence: String)] = [
                ("", 0, "passphrase_file \(path) is not there: make it, mode 0600"),
                ("hunter2hunter2", 0o644, "\(path) has mode 644"), ("\n", 0o600, "has no passphrase in its first line"),
                ("hunt\n", 0o600, "has a passphrase of 4 characters, and Java takes none below 6"),
                ("hünter2hunter2\n", 0o600, "has other characters than printable ASCII's"),
            ]
            for (text, mode, sentence) in wrong {
                if mode != 0 { _ = try passphraseFile(directory, text, mode: mode) }
                let answers = try ["acme_request_tokens", "acme_finalize"].map { try RealProgram.call($0, options) }
                for answer in answers {
                    #expect(answer.failed)
                    #expect(answer.msg.hasPrefix("certificate store: its passphrase_file"), "\(answer.msg)")
                    #expect(answer.msg.contains(sentence), "\(answer.msg)")
                    #expect(!answer.text.contains("hunt") && !answer.text.contains("nter2"))
                }
                #expect(answers[0].all("certificates", "action").last == "failed")
            }
            #expect(try Files.status(directory + "/certs/b.example.org/b.example.org.key") != nil)
            #expect(try Files.status(directory + "/certs/a.example.org") == nil)
        }
    }

    @Test(arguments: [
        (["formats": "jks"] as [String: JSONValue], "certificate web: the format jks needs passphrase_file"),
        (["formats": "pkcs12", "passphrase_file": "pass"], "passphrase_file must be an absolute path"),
    ])
    func `formats that cannot be are refused before anything is touched`(
        options: [String: JSONValue], sentence: String
    ) throws {
        try withTemporaryDirectory { directory in
            let all = hermetic(directory, options.merging(["certs": ["web": ["a.example.org"]]]) { $1 })
            for module in ["acme_request_tokens", "acme_finalize"] {
                let answer = try RealProgram.call(module, all)
                #expect(answer.failed)
                #expect(answer.msg.contains(sentence), "\(answer.msg)")
            }
            #expect(try Files.list(directory) == [])
        }
    }

    @Test func `no passphrase is ever shown, and a prediction does without its file`() throws {
        try withTemporaryDirectory { directory in
            let options: [String: JSONValue] = [
                "self_signed": true, "domains": "a.example.org", "formats": "pkcs12,jks",
                "passphrase_file": .string(directory + "/passphrase"), "_ansible_diff": true, "_ansible_verbosity": 5,
            ]
            let dry = options.merging(["_ansible_check_mode": true]) { $1 }
            for module in ["acme_request_tokens", "acme_finalize"] {
                let answer = try RealProgram.call(module, hermetic(directory, dry))
                #expect(!answer.failed && answer.changed, "\(answer.msg)")
            }
            _ = try passphraseFile(directory, "correct horse\n")
            var text = ""
            for module in ["acme_request_tokens", "acme_finalize", "acme_finalize"] {
                text += try RealProgram.call(module, hermetic(directory, options)).text
            }
            _ = try passphraseFile(directory, "battery staple\n")
            let again = try RealProgram.call("acme_finalize", hermetic(directory, options))
            #expect(again["diff"]?["before"]?.string?.contains("a.example.org.p12 does not open") == true, "\(again)")
            #expect(again["diff"]?["after"] == "a.example.org: in the formats pem, pkcs12, jks\n")
            text += again.text
            #expect(!text.contains("horse") && !text.contains("staple"))
        }
    }
}
