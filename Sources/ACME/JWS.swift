internal import PKI

/// A signed message in the flattened JSON form (RFC 7515, section 7.2.2; RFC 8555, section 6.2).
struct JWS: Encodable {
    /// "The `jwk` and `kid` fields are mutually exclusive."
    enum Identity {
        case account(url: String)
        case key
    }

    private struct Header: Encodable {
        let alg: String
        let jwk: [String: String]?
        let kid: String?
        let nonce: String?
        let url: String
    }

    let protected: String
    let payload: String
    let signature: String

    /// Signs `payload`, which is empty for a POST-as-GET, for exactly this URL and nonce. Without a nonce it is a
    /// message within another one (RFC 8555, section 7.3.5).
    init(
        _ payload: [UInt8], url: String, nonce: String?, identity: Identity, key: PrivateKey, for purpose: String
    ) throws(ACMEError) {
        let kid: String?
        let jwk: [String: String]?
        switch identity {
        case .account(let url): (kid, jwk) = (url, nil)
        case .key: (kid, jwk) = (nil, key.jwk)
        }
        let header = Header(alg: key.jwsAlgorithm, jwk: jwk, kid: kid, nonce: nonce, url: url)
        try self.init(payload, header, for: purpose) { (input) throws(PKIError) in try key.jwsSignature(of: input) }
    }

    /// The public half of an account key under a key that the CA gave out (RFC 8555, section 7.3.4).
    init(
        _ payload: [UInt8], url: String, binding: ExternalAccountBinding, for purpose: String
    ) throws(ACMEError) {
        let header = Header(
            alg: binding.algorithm.rawValue, jwk: nil, kid: binding.keyIdentifier, nonce: nil, url: url)
        try self.init(payload, header, for: purpose) { (input) throws(PKIError) in
            try MessageCode.make(binding.algorithm, key: binding.key, message: input)
        }
    }

    private init(
        _ payload: [UInt8], _ header: Header, for purpose: String, sign: ([UInt8]) throws(PKIError) -> [UInt8]
    ) throws(ACMEError) {
        protected = Base64URL.encode(try JSON.encode(header, for: purpose))
        self.payload = Base64URL.encode(payload)
        do throws(PKIError) {
            signature = Base64URL.encode(try sign(Array("\(protected).\(self.payload)".utf8)))
        } catch {
            throw ACMEError(purpose, "the key cannot sign: \(error)")
        }
    }
}
