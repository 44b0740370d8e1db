internal import COpenSSL

extension PrivateKey {
    /// A signature as JWS has it (RFC 7518, sections 3.3 and 3.4): r and s, each padded to the curve's width, for EC;
    /// RSASSA-PKCS1-v1_5 with SHA-256 for RSA.
    package func jwsSignature(of message: [UInt8]) throws(PKIError) -> [UInt8] {
        switch kind {
        case .ec(let curve): try ECDSASignature(sign(message)).raw(width: curve.width)
        case .rsa, .other: try sign(message)
        }
    }

    /// The hash that goes with this key, in JWS and in what it signs as X.509: an `EVP_MD *` that nobody frees.
    var digest: OpaquePointer? {
        switch kind {
        case .ec(.p384): EVP_sha384()
        case .ec(.p256), .rsa, .other: EVP_sha256()
        }
    }

    private func sign(_ message: [UInt8]) throws(PKIError) -> [UInt8] {
        let attempt = Attempt("sign a message")
        let context = try DigestContext()
        try attempt.check(
            EVP_DigestSignInit(context.pointer, nil, digest, nil, pointer), "EVP_DigestSignInit")
        var count = 0
        try attempt.check(
            EVP_DigestSign(context.pointer, nil, &count, message, message.count), "EVP_DigestSign")
        var signature = [UInt8](repeating: 0, count: count)
        try attempt.check(
            EVP_DigestSign(context.pointer, &signature, &count, message, message.count), "EVP_DigestSign")
        return Array(signature.prefix(count))
    }
}

/// A hash under way.
private final class DigestContext {  // EVP_MD_CTX *
    let pointer: OpaquePointer

    init() throws(PKIError) {
        pointer = try Attempt("sign a message").need(EVP_MD_CTX_new(), "EVP_MD_CTX_new")
    }

    deinit {
        EVP_MD_CTX_free(pointer)
    }
}

/// The two numbers of an ECDSA signature (RFC 3279, section 2.2.3).
private final class ECDSASignature {  // ECDSA_SIG *
    private let pointer: OpaquePointer

    init(_ der: [UInt8]) throws(PKIError) {
        let attempt = Attempt("read a signature")
        let read = der.withUnsafeBufferPointer { buffer in
            var start = buffer.baseAddress
            return d2i_ECDSA_SIG(nil, &start, buffer.count)
        }
        pointer = try attempt.need(read, "d2i_ECDSA_SIG")
    }

    deinit {
        ECDSA_SIG_free(pointer)
    }

    func raw(width: Int) throws(PKIError) -> [UInt8] {
        let attempt = Attempt("read a signature")
        let r = try attempt.need(ECDSA_SIG_get0_r(pointer), "ECDSA_SIG_get0_r")
        let s = try attempt.need(ECDSA_SIG_get0_s(pointer), "ECDSA_SIG_get0_s")
        return try Number.bytes(r, width: width) + Number.bytes(s, width: width)
    }
}
