internal import COpenSSL

extension PrivateKey {
    /// The `alg` of signatures with this key (RFC 7518, section 3.1): `ES256`, `ES384` or `RS256`.
    package var jwsAlgorithm: String {
        switch kind {
        case .ec(.p256): "ES256"
        case .ec(.p384): "ES384"
        case .rsa, .other: "RS256"
        }
    }

    /// The SHA-256 thumbprint of the public key (RFC 7638).
    package func thumbprint() -> [UInt8] {
        // The members of `jwk` are exactly the required ones; base64url needs no escapes in JSON.
        let members = jwk.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\"\($0.value)\"" }
        return Digest.sha256(Array("{\(members.joined(separator: ","))}".utf8))
    }

    /// The public key's members, of the kinds that accounts and certificates here may have; others are refused.
    static func jwk(_ key: OpaquePointer, _ kind: KeyKind) throws(PKIError) -> [String: String] {
        switch kind {
        case .ec(let curve):
            let name =
                switch curve {
                case .p256: "P-256"
                case .p384: "P-384"
                }
            let x = try number(OSSL_PKEY_PARAM_EC_PUB_X, of: key)
            let y = try number(OSSL_PKEY_PARAM_EC_PUB_Y, of: key)
            return [
                "kty": "EC", "crv": name,
                "x": Base64URL.encode(try Number.bytes(x.pointer, width: curve.width)),
                "y": Base64URL.encode(try Number.bytes(y.pointer, width: curve.width)),
            ]
        case .rsa(let bits):
            guard bits >= 2048 else {
                throw PKIError("the private key is RSA with \(bits) bits: at least 2048 are needed")
            }
            return [
                "kty": "RSA",
                "n": Base64URL.encode(try number(OSSL_PKEY_PARAM_RSA_N, of: key).bytes),
                "e": Base64URL.encode(try number(OSSL_PKEY_PARAM_RSA_E, of: key).bytes),
            ]
        case .other(let name):
            throw PKIError("the private key is \(name): only EC with P-256 or P-384, and RSA, can be used")
        }
    }

    private static func number(_ parameter: String, of key: OpaquePointer) throws(PKIError) -> Number {
        var found: OpaquePointer?
        let attempt = Attempt("read the public key's \(parameter)")
        try attempt.check(EVP_PKEY_get_bn_param(key, parameter, &found), "EVP_PKEY_get_bn_param")
        return Number(owning: try attempt.need(found, "EVP_PKEY_get_bn_param"))
    }
}
