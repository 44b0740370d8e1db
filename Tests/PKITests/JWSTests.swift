import PKI
import Platform
import TestSupport
import Testing

struct JWSTests {
    @Test func `the thumbprint is that of RFC 7638, section 3.1`() throws {
        let key = try PrivateKey(pem: Secret(privateKeyPEM(RFCKeys.thumbprint)))
        #expect(Base64URL.encode(key.thumbprint()) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
        #expect(key.jwk == ["kty": "RSA", "e": "AQAB", "n": RFCKeys.thumbprint["n"]])
    }

    @Test func `an RSA signature is that of RFC 7515, appendix A_2`() throws {
        let key = try PrivateKey(pem: Secret(privateKeyPEM(RFCKeys.jws)))
        let signature = try key.jwsSignature(of: Array(RFCKeys.input.utf8))
        #expect(Base64URL.encode(signature) == RFCKeys.signature)
        #expect(key.jwsAlgorithm == "RS256")
    }

    @Test func `the public members of an EC key are those of RFC 7515, appendix A_3`() throws {
        let key = try PrivateKey(pem: Secret(privateKeyPEM(RFCKeys.p256)))
        let x = try #require(RFCKeys.p256["x"])
        let y = try #require(RFCKeys.p256["y"])
        #expect(key.jwk == ["kty": "EC", "crv": "P-256", "x": x, "y": y])
        #expect(key.thumbprint() == Digest.sha256(Array(#"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#.utf8)))
    }

    @Test(arguments: [(KeyType.ec256, "ES256", "-sha256", 32), (.ec384, "ES384", "-sha384", 48)])
    func `an EC signature is r and s side by side, and OpenSSL accepts it`(
        _ type: KeyType, _ algorithm: String, _ digest: String, _ width: Int
    ) throws {
        let key = try PrivateKey.generate(type)
        let message = Array("a message".utf8)
        let raw = try key.jwsSignature(of: message)
        #expect(key.jwsAlgorithm == algorithm)
        #expect(raw.count == 2 * width)
        try withTemporaryDirectory { directory in
            try write(key.pem().revealed, directory + "/key.pem")
            try write(message, directory + "/message")
            let hex = raw.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            let sequence =
                "asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x\(hex.prefix(2 * width))\ns=INTEGER:0x\(hex.suffix(2 * width))\n"
            try write(Array(sequence.utf8), directory + "/signature.cnf")
            try openssl("asn1parse", "-genconf", "signature.cnf", "-noout", "-out", "signature", in: directory)
            try openssl("dgst", digest, "-prverify", "key.pem", "-signature", "signature", "message", in: directory)
        }
    }

    @Test func `a signature with a short number keeps its width`() throws {
        let key = try PrivateKey.generate(.ec256)
        var shortened = 0
        while shortened == 0 {
            let signature = try key.jwsSignature(of: [1, 2, 3])
            #expect(signature.count == 64)
            if signature[0] == 0 || signature[32] == 0 { shortened += 1 }
        }
    }

    @Test func `a key signs on many threads at once`() async throws {
        let key = try PrivateKey.generate(.ec256)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<64 { group.addTask { try key.jwsSignature(of: [UInt8(number)]).count } }
            for try await count in group { #expect(count == 64) }
        }
    }
}
