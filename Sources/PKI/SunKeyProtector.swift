internal import COpenSSL

/// How a JKS hides a private key (`sun.security.provider.KeyProtector`): a stream of SHA-1s, each of the passphrase and
/// the one before, begun with a salt; behind the key a SHA-1 of the passphrase and the key.
enum SunKeyProtector {
    private static let algorithm = "1.3.6.1.4.1.42.2.17.1.1"
    private static let width = Int(SHA_DIGEST_LENGTH)

    /// An `EncryptedPrivateKeyInfo` (RFC 5958) of a PKCS#8 key.
    static func protect(_ key: [UInt8], passphrase: Passphrase) throws(PKIError) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<width).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        var text = passphrase.utf16()
        defer { text.wipe() }
        let protected = try salt + exclusiveOr(key, salt, text) + check(key, text)
        let attempt = Attempt("protect the private key")
        let info = ProtectedKeyInfo(owning: try attempt.need(X509_SIG_new(), "X509_SIG_new"))
        var (kind, content): (UnsafeMutablePointer<X509_ALGOR>?, UnsafeMutablePointer<ASN1_OCTET_STRING>?)
        X509_SIG_getm(info.pointer, &kind, &content)
        let identifier = try attempt.need(OBJ_txt2obj(algorithm, 1), "OBJ_txt2obj")
        try attempt.check(X509_ALGOR_set0(kind, identifier, V_ASN1_NULL, nil), "X509_ALGOR_set0")
        try attempt.check(
            ASN1_OCTET_STRING_set(content, protected, Int32(protected.count)), "ASN1_OCTET_STRING_set")
        return try attempt.encode("i2d_X509_SIG") { i2d_X509_SIG(info.pointer, $0) }
    }

    /// The PKCS#8 key; to be wiped by the caller.
    static func recover(_ info: [UInt8], passphrase: Passphrase) throws(PKIError) -> [UInt8] {
        let protected = try content(of: info)
        guard protected.count > 2 * width else { throw PKIError("the protected private key breaks off") }
        var text = passphrase.utf16()
        defer { text.wipe() }
        var key = try exclusiveOr(
            Array(protected.dropFirst(width).dropLast(width)), Array(protected.prefix(width)), text)
        guard try check(key, text) == Array(protected.suffix(width)) else {
            key.wipe()
            throw PKIError("the private key is protected by another passphrase, or damaged")
        }
        return key
    }

    private static func content(of info: [UInt8]) throws(PKIError) -> [UInt8] {
        let attempt = Attempt("read the protected private key")
        let made = info.withUnsafeBufferPointer { buffer in
            var end = buffer.baseAddress
            return d2i_X509_SIG(nil, &end, buffer.count)
        }
        let parsed = ProtectedKeyInfo(owning: try attempt.need(made, "d2i_X509_SIG"))
        var (kind, content): (UnsafePointer<X509_ALGOR>?, UnsafePointer<ASN1_OCTET_STRING>?)
        X509_SIG_get0(parsed.pointer, &kind, &content)
        let name = try Memory()
        try attempt.check(i2a_ASN1_OBJECT(name.pointer, kind?.pointee.algorithm), "i2a_ASN1_OBJECT")
        guard try name.takeText() == algorithm else {
            throw PKIError("the private key is not protected in the way of JKS")
        }
        let bytes = UnsafeBufferPointer(start: ASN1_STRING_get0_data(content), count: Int(ASN1_STRING_length(content)))
        return Array(bytes)
    }

    private static func exclusiveOr(
        _ bytes: [UInt8], _ salt: [UInt8], _ passphrase: [UInt8]
    ) throws(PKIError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var stream = salt
        for start in stride(from: 0, to: bytes.count, by: width) {
            stream = try digest(passphrase, stream)
            for (byte, mask) in zip(bytes[start...], stream) { result.append(byte ^ mask) }
        }
        return result
    }

    private static func check(_ key: [UInt8], _ passphrase: [UInt8]) throws(PKIError) -> [UInt8] {
        try digest(passphrase, key)
    }

    private static func digest(_ passphrase: [UInt8], _ bytes: [UInt8]) throws(PKIError) -> [UInt8] {
        var message = passphrase + bytes
        defer { message.wipe() }
        return try Digest.sha1(message)
    }
}

private final class ProtectedKeyInfo {  // X509_SIG *
    let pointer: OpaquePointer

    /// Takes over what a C function made.
    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        X509_SIG_free(pointer)
    }
}
