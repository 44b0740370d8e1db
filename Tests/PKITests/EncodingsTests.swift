import PKI
import Testing

struct EncodingsTests {
    @Test func `base64url writes the vector of RFC 7515, appendix C, and reads it back`() {
        #expect(Base64URL.encode([3, 236, 255, 224, 193]) == "A-z_4ME")
        #expect(Base64URL.decode("A-z_4ME") == [3, 236, 255, 224, 193])
    }

    @Test(arguments: ["": "", "f": "Zg", "fo": "Zm8", "foo": "Zm9v", "foob": "Zm9vYg", "fooba": "Zm9vYmE"])
    func `base64url keeps the vectors of RFC 4648, section 10, without padding`(_ plain: String, _ coded: String) {
        #expect(Base64URL.encode(Array(plain.utf8)) == coded)
        #expect(Base64URL.decode(coded) == Array(plain.utf8))
    }

    @Test(arguments: ["A-z_4ME=", "A+z/4ME", "A", "AB", "Zg==", "Z g", "Zm9v\n", "Zm9v!", "Zé"])
    func `base64url that nobody would have written is refused`(_ text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test func `every byte survives base64url`() {
        let bytes = [UInt8](0...255)
        #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
    }

    @Test func `SHA-256 gives the vectors of FIPS 180-4`() {
        let hex = { (bytes: [UInt8]) in bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
        #expect(
            hex(Digest.sha256(Array("abc".utf8)))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            hex(Digest.sha256([]))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }
}
