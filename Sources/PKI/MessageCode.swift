internal import COpenSSL
package import Platform

/// The keyed hashes of JWS (RFC 7518, section 3.2).
package enum MessageCodeAlgorithm: String, CaseIterable, Sendable {
    case hs256 = "HS256"
    case hs384 = "HS384"
    case hs512 = "HS512"

    /// An `EVP_MD *` that nobody frees.
    fileprivate var digest: OpaquePointer? {
        switch self {
        case .hs256: EVP_sha256()
        case .hs384: EVP_sha384()
        case .hs512: EVP_sha512()
        }
    }
}

package enum MessageCode {
    /// HMAC (RFC 2104) of a message.
    package static func make(
        _ algorithm: MessageCodeAlgorithm, key: Secret<[UInt8]>, message: [UInt8]
    ) throws(PKIError) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        let attempt = Attempt("make a message code")
        let bytes = key.revealed
        let made = HMAC(
            algorithm.digest, bytes, Int32(bytes.count), message, message.count, &code, &count)
        _ = try attempt.need(made, "HMAC")
        return Array(code.prefix(Int(count)))
    }
}
