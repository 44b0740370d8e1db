internal import COpenSSL
internal import FoundationEssentials

/// Base64 with the URL-safe alphabet and without padding (RFC 4648, section 5; RFC 7515, section 2).
package enum Base64URL {
    package static func encode(_ bytes: [UInt8]) -> String {
        let text = Data(bytes).base64EncodedString()
        return String(decoding: text.utf8.compactMap(urlSafe), as: UTF8.self)
    }

    /// The bytes; nil where the text has padding, another character, or bits that `encode` would not have written.
    package static func decode(_ text: String) -> [UInt8]? {
        var standard = text.utf8.map(plain)
        while standard.count % 4 != 0 { standard.append(UInt8(ascii: "=")) }
        guard let data = Data(base64Encoded: Data(standard)) else { return nil }
        let bytes = [UInt8](data)
        return encode(bytes) == text ? bytes : nil
    }

    /// The same, with padding and the standard alphabet allowed: people copy keys from web pages.
    package static func decodeTolerantly(_ text: String) -> [UInt8]? {
        let plain = text.utf8.compactMap { $0 == UInt8(ascii: "=") ? nil : urlSafe($0) }
        return decode(String(decoding: plain, as: UTF8.self))
    }

    private static func urlSafe(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "+"): UInt8(ascii: "-")
        case UInt8(ascii: "/"): UInt8(ascii: "_")
        case UInt8(ascii: "="): nil
        default: byte
        }
    }

    private static func plain(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "-"): UInt8(ascii: "+")
        case UInt8(ascii: "_"): UInt8(ascii: "/")
        default: byte
        }
    }
}

package enum Digest {
    /// The 32 bytes of SHA-256 (FIPS 180-4).
    package static func sha256(_ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        let done = SHA256(message, message.count, &digest) != nil
        precondition(done, "this OpenSSL has no SHA-256: see its configuration of providers")
        return digest
    }

    /// The 20 bytes of SHA-1, for formats that have no other. Throws where OpenSSL is configured to offer none.
    static func sha1(_ message: [UInt8]) throws(PKIError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
        guard SHA1(message, message.count, &digest) != nil else {
            throw PKIError("a Java key store needs SHA-1, which this host's OpenSSL does not offer: use pkcs12 instead")
        }
        return digest
    }

    /// A file name for a text: the part of it that people read, and twelve digits that tell it from all others.
    package static func label(of text: String, readable: Substring) -> String {
        let safe = readable.prefix(100).map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "_" }
        let digest = sha256(Array(text.utf8)).prefix(6).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return String(safe) + "-" + digest.joined()
    }
}

extension [UInt8] {
    /// Two upper-case hexadecimal digits for each byte.
    func hexadecimal(separator: String = "") -> String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(separator: separator)
    }
}
