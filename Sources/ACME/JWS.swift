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
        let nonce: String
        let url: String
    }

    let protected: String
    let payload: String
    let signature: String

    /// Signs `payload`, which is empty for a POST-as-GET, for exactly this URL and nonce.
    init(
        _ payload: [UInt8], url: String, nonce: String, identity: Identity, key: PrivateKey, for purpose: String
    ) throws(ACMEError) {
        let kid: String?
        let jwk: [String: String]?
        switch identity {
        case .account(let url): (kid, jwk) = (url, nil)
        case .key: (kid, jwk) = (nil, key.jwk)
        }
        let header = Header(alg: key.jwsAlgorithm, jwk: jwk, kid: kid, nonce: nonce, url: url)
        protected = Base64URL.encode(try JSON.encode(header, for: purpose))
        self.payload = Base64URL.encode(payload)
        do throws(PKIError) {
            let input = Array("\(protected).\(self.payload)".utf8)
            signature = Base64URL.encode(try key.jwsSignature(of: input))
        } catch {
            throw ACMEError(purpose, "the account key cannot sign: \(error)")
        }
    }
}
