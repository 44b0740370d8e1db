import FoundationEssentials
import PKI
import Platform
import TestSupport
import Testing

@Suite struct KeyStoreTests {
    private static let text = "an old passphrase"

    private static func passphrase(_ text: String = text) throws -> Passphrase {
        try Passphrase(firstLineOf: Secret(Array(text.utf8)))
    }

    private func entry(_ type: KeyType = .ec256, _ first: String = "a.example.org") throws -> KeyEntry {
        let key = try PrivateKey.generate(type)
        let chain = try SelfSigningAuthority(now: Date()).issue(
            for: try domains(first, "b.example.org"), key: key, days: 90)
        return KeyEntry(alias: first, key: key, chain: chain)
    }

    /// Runs `keytool` in a directory; where a passphrase is asked for, it is that of the file `pass`.
    private func keytool(_ arguments: String..., in directory: String) throws -> ProgramResult {
        try Program.run(["keytool", "-J-XX:TieredStopAtLevel=1"] + arguments, directory: directory)
    }

    /// The private key, as openssl writes it.
    private func pem(of entry: KeyEntry) throws -> [UInt8] {
        try openssl("pkey", input: entry.key.pem().revealed).output
    }

    @Test(arguments: [KeyType.ec256, .ec384, .rsa2048])
    func `openssl opens a PKCS 12 store, which has modern algorithms and a name`(type: KeyType) throws {
        let entry = try entry(type)
        try withTemporaryDirectory { directory in
            try write(try PKCS12Store.make(entry, passphrase: Self.passphrase()).revealed, directory + "/store.p12")
            try write(Array(Self.text.utf8), directory + "/pass")
            let open = ["pkcs12", "-in", "store.p12", "-passin", "file:pass", "-nodes"]
            let info = try Program.run(["openssl"] + open + ["-info"], directory: directory)
            #expect(info.status == 0, "\(info)")
            #expect(info.stderr.contains("MAC: sha256, Iteration 2048"), "\(info.stderr)")
            let protection = "PBES2, PBKDF2, AES-256-CBC, Iteration 2048, PRF hmacWithSHA256"
            #expect(info.stderr.components(separatedBy: protection).count == 3, "\(info.stderr)")
            #expect(info.stdout.contains("friendlyName: a.example.org"))
            #expect(info.stdout.components(separatedBy: "BEGIN CERTIFICATE").count == 3)
            let taken = try openssl("pkey", input: info.output).output
            #expect(try pem(of: entry) == taken)
            try write(Array("an other passphrase".utf8), directory + "/pass")
            #expect(try Program.run(["openssl"] + open, directory: directory).status != 0)
        }
    }

    @Test(arguments: [KeyType.ec256, .rsa2048])
    func `keytool opens both kinds, and takes the same key out of the JKS`(type: KeyType) throws {
        let entry = try entry(type)
        try withTemporaryDirectory { directory in
            try write(try PKCS12Store.make(entry, passphrase: Self.passphrase()).revealed, directory + "/store.p12")
            try write(try JavaKeyStore.make(entry, passphrase: Self.passphrase()).revealed, directory + "/store.jks")
            try write(Array(Self.text.utf8), directory + "/pass")
            for (store, kind) in [("store.p12", "PKCS12"), ("store.jks", "JKS")] {
                let list = try keytool(
                    "-list", "-v", "-keystore", store, "-storepass:file", "pass", in: directory)
                #expect(list.status == 0, "\(list)")
                for line in [
                    "Keystore type: \(kind)", "Your keystore contains 1 entry", "Alias name: a.example.org",
                    "Entry type: PrivateKeyEntry", "Certificate chain length: 2",
                    "SHA256: " + entry.chain.leaf.fingerprintSHA256,
                ] {
                    #expect(list.stdout.contains(line), "\(store): \(line): \(list.stdout)")
                }
            }
            let moved = try keytool(
                "-importkeystore", "-noprompt", "-srckeystore", "store.jks", "-srcstorepass:file", "pass",
                "-destkeystore", "moved.p12", "-deststoretype", "PKCS12", "-deststorepass:file", "pass", in: directory)
            #expect(moved.status == 0, "\(moved)")
            let opened = try openssl(
                "pkcs12", "-in", "moved.p12", "-passin", "file:pass", "-nodes", "-nocerts", in: directory)
            let taken = try openssl("pkey", input: opened.output).output
            #expect(try pem(of: entry) == taken)
        }
    }

    @Test func `a JKS and a PKCS 12 store that keytool made are opened`() throws {
        let entry = try entry()
        try withTemporaryDirectory { directory in
            try write(try PKCS12Store.make(entry, passphrase: Self.passphrase()).revealed, directory + "/store.p12")
            try write(Array(Self.text.utf8), directory + "/pass")
            for kind in ["JKS", "PKCS12"] {
                let made = try keytool(
                    "-importkeystore", "-noprompt", "-srckeystore", "store.p12", "-srcstorepass:file", "pass",
                    "-destkeystore", kind, "-deststoretype", kind, "-deststorepass:file", "pass", in: directory)
                #expect(made.status == 0, "\(made)")
            }
            let jks = try JavaKeyStore.read(
                try #require(try Files.read(directory + "/JKS")), passphrase: Self.passphrase())
            #expect(jks.isSame(as: entry))
            let pkcs12 = try PKCS12Store.read(
                try #require(try Files.read(directory + "/PKCS12")), passphrase: Self.passphrase())
            #expect(pkcs12.isSame(as: entry))
        }
    }

    @Test func `keytool refuses a JKS with another passphrase, and one in which a byte was changed`() throws {
        try withTemporaryDirectory { directory in
            var store = try JavaKeyStore.make(try entry(), passphrase: Self.passphrase()).revealed
            try write(store, directory + "/whole.jks")
            store[store.count / 2] ^= 1
            try write(store, directory + "/changed.jks")
            for (name, text) in [("whole.jks", "another passphrase"), ("changed.jks", Self.text)] {
                try write(Array(text.utf8), directory + "/pass")
                let list = try keytool("-list", "-keystore", name, "-storepass:file", "pass", in: directory)
                #expect(list.status != 0, "\(list)")
                #expect(list.stdout.contains("password was incorrect") || list.stdout.contains("tampered"), "\(list)")
            }
        }
    }

    /// What is read back, whatever the kind.
    private typealias Kind = (
        make: (KeyEntry, Passphrase) throws -> [UInt8], read: ([UInt8], Passphrase) throws -> KeyEntry
    )
    private let kinds: [Kind] = [
        ({ try JavaKeyStore.make($0, passphrase: $1).revealed }, { try JavaKeyStore.read($0, passphrase: $1) }),
        ({ try PKCS12Store.make($0, passphrase: $1).revealed }, { try PKCS12Store.read($0, passphrase: $1) }),
    ]

    @Test func `a store is its entry's own and no other's, and no two are alike`() throws {
        let (one, other) = (try entry(.ec256, "*.a.example.org"), try entry(.ec256, "*.a.example.org"))
        let passphrase = try Self.passphrase()
        for kind in kinds {
            let store = try kind.make(one, passphrase)
            #expect(try kind.read(store, passphrase).isSame(as: one))
            #expect(try !kind.read(store, passphrase).isSame(as: other))
            #expect(try kind.make(one, passphrase) != store)
            let stranger = try Self.passphrase("An old passphrase")
            #expect(throws: PKIError.self) { try kind.read(store, stranger) }
        }
    }

    @Test func `whatever byte is changed and wherever a store breaks off, it is not taken`() throws {
        let (entry, passphrase) = (try entry(), try Self.passphrase())
        let store = try JavaKeyStore.make(entry, passphrase: passphrase).revealed
        for index in store.indices {
            var changed = store
            changed[index] ^= 0x10
            #expect(throws: PKIError.self) { try JavaKeyStore.read(changed, passphrase: passphrase) }
        }
        for kind in kinds {
            let store = try kind.make(entry, passphrase)
            for count in stride(from: 0, to: store.count, by: 7) {
                #expect(throws: PKIError.self) { try kind.read(Array(store.prefix(count)), passphrase) }
            }
        }
    }

    @Test(arguments: [
        ("", "has no passphrase"), ("\nsecret1\n", "has no passphrase"), ("short\n", "of 5 characters"),
        ("pässphrase\n", "printable ASCII"), ("tabbed\tphrase", "printable ASCII"), ("\u{FEFF}passphrase", "ASCII"),
        (String(repeating: "x", count: 1025), "1024 are enough"),
    ])
    func `a passphrase that Java and OpenSSL do not both take is refused, and not shown`(
        text: String, reason: String
    ) throws {
        let error = #expect(throws: PKIError.self) { try Self.passphrase(text) }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
        let shown = text.split(separator: "\n").contains { error?.description.contains($0) == true }
        #expect(!shown, "\(String(describing: error))")
    }

    @Test func `the passphrase is the first line, without its end`() throws {
        let entry = try entry()
        let store = try JavaKeyStore.make(entry, passphrase: Self.passphrase("exactly this \r\nand not this\n"))
        #expect(
            try JavaKeyStore.read(store.revealed, passphrase: Self.passphrase("exactly this ")).isSame(as: entry))
    }
}
