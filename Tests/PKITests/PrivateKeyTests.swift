import PKI
import Platform
import TestSupport
import Testing

struct PrivateKeyTests {
    @Test(arguments: KeyType.allCases)
    func `a key of every type survives being written and read, and OpenSSL agrees on its public half`(
        _ type: KeyType
    ) throws {
        let key = try PrivateKey.generate(type)
        let pem = try key.pem()
        let again = try PrivateKey(pem: pem)
        #expect(key.type == type)
        #expect(again.type == type)
        #expect(again.jwk == key.jwk)
        let derived = try openssl("pkey", "-pubout", "-outform", "DER", input: pem.revealed)
        #expect(again.publicKeyInfo == derived.output)
        #expect(String(decoding: pem.revealed, as: UTF8.self).hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
    }

    @Test func `the older EC and RSA forms are read, parameters before the key too`() throws {
        let ec = try openssl("ecparam", "-name", "secp384r1", "-genkey").output
        #expect(String(decoding: ec, as: UTF8.self).hasPrefix("-----BEGIN EC PARAMETERS-----"))
        #expect(try PrivateKey(pem: Secret(ec)).type == .ec384)
        let rsa = try openssl("genrsa", "-traditional", "2048").output
        #expect(String(decoding: rsa, as: UTF8.self).hasPrefix("-----BEGIN RSA PRIVATE KEY-----"))
        #expect(try PrivateKey(pem: Secret(rsa)).type == .rsa2048)
    }

    @Test func `an RSA key of a size that is never made here can be used, but has no type`() throws {
        let key = try PrivateKey(pem: Secret(generated("RSA", "rsa_keygen_bits:2560")))
        #expect(key.type == nil)
        #expect(key.jwsAlgorithm == "RS256")
    }

    @Test(arguments: [
        (["ED25519"], "the private key is ED25519: only EC with P-256 or P-384, and RSA, can be used"),
        (
            ["EC", "ec_paramgen_curve:secp521r1"],
            "the private key is EC with the curve secp521r1: only EC with P-256 or P-384, and RSA, can be used"
        ),
        (["RSA", "rsa_keygen_bits:1024"], "the private key is RSA with 1024 bits: at least 2048 are needed"),
    ])
    func `a key that no CA takes is refused in a sentence`(_ arguments: [String], _ sentence: String) throws {
        let flags = arguments.dropFirst().flatMap { ["-pkeyopt", $0] }
        let pem = try Program.run(["openssl", "genpkey", "-algorithm", arguments[0]] + flags).output
        #expect(throws: PKIError(sentence)) { try PrivateKey(pem: Secret(pem)) }
    }

    @Test(arguments: ["-traditional", "-aes-256-cbc"])
    func `a key behind a passphrase is refused at once, in the old form and in the new one`(_ form: String) throws {
        let plain = try PrivateKey.generate(.ec256).pem().revealed
        let locked = try openssl("pkey", form, "-aes-256-cbc", "-passout", "pass:secret", input: plain).output
        #expect(throws: PKIError("the private key is protected by a passphrase: remove it with `openssl pkey`")) {
            try PrivateKey(pem: Secret(locked))
        }
    }

    @Test func `what is no key is refused without a byte of it in the sentence`() throws {
        let pem = try PrivateKey.generate(.ec256).pem().revealed
        let text = String(decoding: pem, as: UTF8.self)
        let body = text.split(separator: "\n")[1]
        let broken = [
            [], Array("garbage".utf8), Array(pem.prefix(pem.count / 2)), Array(pem.dropLast(30)),
            Array(text.replacing(body, with: "AAAA").utf8), Array(text.replacing("PRIVATE", with: "PUBLIC").utf8),
            Array(text.replacing(body, with: body.reversed()).utf8), [UInt8](repeating: 0, count: 1000),
        ]
        for bytes in broken {
            let error = #expect(throws: PKIError.self) { try PrivateKey(pem: Secret(bytes)) }
            let sentence = error?.description ?? ""
            #expect(sentence.hasPrefix("cannot read the private key: PEM_read_bio_PrivateKey failed"))
            #expect(!sentence.contains(body.prefix(8)))
        }
    }

    @Test func `a file too long for a key is refused unread`() {
        #expect(throws: PKIError("the private key's file is longer than 64 KiB")) {
            try PrivateKey(pem: Secret([UInt8](repeating: 0x2D, count: 65_537)))
        }
    }

    @Test func `a private half that does not belong to the public half is refused`() throws {
        var mixed = RFCKeys.p256
        mixed["d"] = Base64URL.encode([UInt8](repeating: 7, count: 32))
        let pem = try privateKeyPEM(mixed)
        let error = #expect(throws: PKIError.self) { try PrivateKey(pem: Secret(pem)) }
        #expect(error?.description.hasPrefix("cannot use the private key: EVP_PKEY_pairwise_check failed") == true)
    }

    @Test(arguments: [KeyType.ec256, .rsa2048])
    func `nothing that a key says of itself holds its secret`(_ type: KeyType) throws {
        let key = try PrivateKey.generate(type)
        let pem = try key.pem()
        var dumped = ""
        dump((key, pem), to: &dumped)
        let lines = String(decoding: pem.revealed, as: UTF8.self).split(separator: "\n").dropFirst().dropLast()
        for text in [dumped, "\(key)", "\(pem)", String(reflecting: key), "\(key.jwk)"] {
            #expect(!lines.contains { text.contains($0) })
            #expect(key.jwk["d"] == nil)
        }
    }
}
