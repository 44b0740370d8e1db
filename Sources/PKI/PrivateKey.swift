internal import COpenSSL
package import Platform

/// A private key for an account or a certificate: ECDSA with P-256 or P-384, or RSA with 2048 bits or more.
package final class PrivateKey: Sendable {  // EVP_PKEY *
    /// OpenSSL counts its references atomically, and nothing here changes a key once it is made.
    nonisolated(unsafe) let pointer: OpaquePointer
    let kind: KeyKind

    /// The SubjectPublicKeyInfo in DER (RFC 5280, section 4.1).
    package let publicKeyInfo: [UInt8]

    /// The members of the public key as a JSON Web Key (RFC 7517, section 4; RFC 7518, sections 6.2 and 6.3).
    package let jwk: [String: String]

    package static func generate(_ type: KeyType) throws(PKIError) -> PrivateKey {
        let attempt = Attempt("make a key of type \(type.rawValue)")
        let made: OpaquePointer? =
            switch type {
            case .ec256: shim_ec_generate(KeyKind.Curve.p256.rawValue)
            case .ec384: shim_ec_generate(KeyKind.Curve.p384.rawValue)
            case .rsa2048: shim_rsa_generate(2048)
            case .rsa3072: shim_rsa_generate(3072)
            case .rsa4096: shim_rsa_generate(4096)
            }
        return try PrivateKey(owning: attempt.need(made, "EVP_PKEY_Q_keygen"))
    }

    /// Reads PEM: PKCS#8, or the older forms for EC (RFC 5915) and RSA (RFC 8017). A key behind a passphrase is
    /// refused, never asked about.
    package convenience init(pem: Secret<[UInt8]>) throws(PKIError) {
        guard pem.revealed.count <= 64 << 10 else { throw PKIError("the private key's file is longer than 64 KiB") }
        if String(decoding: pem.revealed, as: UTF8.self).contains("ENCRYPTED") {
            throw PKIError("the private key is protected by a passphrase: remove it with `openssl pkey`")
        }
        let attempt = Attempt("read the private key")
        let memory = try Memory(pem.revealed)
        let read = PEM_read_bio_PrivateKey(memory.pointer, nil, { _, _, _, _ in -1 }, nil)
        try self.init(owning: attempt.need(read, "PEM_read_bio_PrivateKey"))
        try checkPair()
    }

    /// Reads DER: PKCS#8 without a passphrase, or the older forms, with nothing behind it.
    convenience init(der: [UInt8]) throws(PKIError) {
        let attempt = Attempt("read the private key")
        let (made, count) = der.withUnsafeBufferPointer { buffer in
            var end = buffer.baseAddress
            let made = d2i_AutoPrivateKey(nil, &end, buffer.count)
            return (made, buffer.baseAddress.flatMap { start in end.map { $0 - start } })
        }
        try self.init(owning: attempt.need(made, "d2i_AutoPrivateKey"))
        guard count == der.count else { throw PKIError("cannot read the private key: there are bytes behind its end") }
        try checkPair()
    }

    /// Takes over a key that a C function made.
    init(owning pointer: OpaquePointer) throws(PKIError) {
        self.pointer = pointer
        kind = KeyKind(pointer)
        // Swift runs no `deinit` where a member is still unset: a throw has to free the key itself.
        do throws(PKIError) {
            jwk = try Self.jwk(pointer, kind)
            publicKeyInfo = try Attempt("write the public key")
                .encode("i2d_PUBKEY") { i2d_PUBKEY(pointer, $0) }
        } catch {
            EVP_PKEY_free(pointer)
            throw error
        }
    }

    deinit {
        EVP_PKEY_free(pointer)
    }

    /// PKCS#8 in PEM (RFC 5958), without a passphrase.
    package func pem() throws(PKIError) -> Secret<[UInt8]> {
        let memory = try Memory()
        try Attempt("write the private key").check(
            PEM_write_bio_PKCS8PrivateKey(memory.pointer, pointer, nil, nil, 0, nil, nil),
            "PEM_write_bio_PKCS8PrivateKey")
        return Secret(try memory.take())
    }

    /// PKCS#8 in DER, without a passphrase.
    package func der() throws(PKIError) -> Secret<[UInt8]> {
        let memory = try Memory()
        try Attempt("write the private key").check(
            i2d_PKCS8PrivateKey_bio(memory.pointer, pointer, nil, nil, 0, nil, nil), "i2d_PKCS8PrivateKey_bio")
        return Secret(try memory.take())
    }

    /// Nil where it is a kind that this project reads but never makes, such as RSA with 8192 bits.
    package var type: KeyType? { kind.type }

    /// Refuses a file whose private half does not belong to its public half.
    func checkPair() throws(PKIError) {
        let attempt = Attempt("use the private key")
        let context = try KeyContext(self)
        try attempt.check(EVP_PKEY_pairwise_check(context.pointer), "EVP_PKEY_pairwise_check")
    }
}

/// What OpenSSL needs to work with a key.
private final class KeyContext {  // EVP_PKEY_CTX *
    let pointer: OpaquePointer

    init(_ key: PrivateKey) throws(PKIError) {
        pointer = try Attempt("use the private key").need(EVP_PKEY_CTX_new(key.pointer, nil), "EVP_PKEY_CTX_new")
    }

    deinit {
        EVP_PKEY_CTX_free(pointer)
    }
}
