internal import COpenSSL
package import Platform

/// A key store in PKCS #12 (RFC 7292) with OpenSSL's own choice of algorithms: from 3.0 on AES-256 and HMAC-SHA-256,
/// which Java reads since 8u301.
package enum PKCS12Store {
    package static func make(_ entry: KeyEntry, passphrase: Passphrase) throws(PKIError) -> Secret<[UInt8]> {
        let attempt = Attempt("make a PKCS #12 store")
        var text = passphrase.terminated()
        defer { text.wipe() }
        let issuers = entry.chain.issuers.map { Optional($0.pointer) }
        let made = shim_pkcs12_create(
            text, entry.alias, entry.key.pointer, entry.chain.leaf.pointer, issuers, Int32(issuers.count))
        let store = Store(owning: try attempt.need(made, "PKCS12_create"))
        return Secret(try attempt.encode("i2d_PKCS12") { i2d_PKCS12(store.pointer, $0) })
    }

    /// How many rounds the passphrase of a store is put through at most: OpenSSL's own are 2048, Java's 10000.
    private static let mostRounds = 1_000_000

    /// Opens a store. Throws where it is damaged, or is not for this passphrase, or holds anything but a key with its
    /// certificate and those above that.
    package static func read(_ bytes: [UInt8], passphrase: Passphrase) throws(PKIError) -> KeyEntry {
        let attempt = Attempt("open the PKCS #12 store")
        let store = try Store(bytes, attempt)
        guard store.rounds <= mostRounds else {
            throw PKIError("the PKCS #12 store wants \(store.rounds) rounds; \(mostRounds) are enough")
        }
        var text = passphrase.terminated()
        defer { text.wipe() }
        var (key, leaf, others): (OpaquePointer?, OpaquePointer?, OpaquePointer?)
        try attempt.check(PKCS12_parse(store.pointer, text, &key, &leaf, &others), "PKCS12_parse")
        defer {
            X509_free(leaf)
            shim_free_certificates(others)
        }
        guard let key else { throw PKIError("the PKCS #12 store holds no private key") }
        let privateKey = try PrivateKey(owning: key)
        try privateKey.checkPair()
        guard let leaf else { throw PKIError("the PKCS #12 store holds no certificate of its key") }
        var issuers: [Certificate] = []
        for index in 0..<shim_certificate_count(others) {
            issuers.append(try certificate(shim_certificate(others, index)))
        }
        return KeyEntry(
            alias: name(of: leaf), key: privateKey,
            chain: CertificateChain(leaf: try certificate(leaf), issuers: issuers))
    }

    /// The `friendlyName` that the store gives a certificate.
    private static func name(of certificate: OpaquePointer) -> String {
        var count: Int32 = 0
        guard let start = X509_alias_get0(certificate, &count) else { return "" }
        return String(decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
    }

    private static func certificate(_ pointer: OpaquePointer?) throws(PKIError) -> Certificate {
        try Certificate(
            der: try Attempt("read a certificate of the PKCS #12 store").encode("i2d_X509") { i2d_X509(pointer, $0) })
    }

    private final class Store {  // PKCS12 *
        let pointer: OpaquePointer

        init(owning pointer: OpaquePointer) {
            self.pointer = pointer
        }

        init(_ bytes: [UInt8], _ attempt: Attempt) throws(PKIError) {
            let made = bytes.withUnsafeBufferPointer { buffer in
                var end = buffer.baseAddress
                return d2i_PKCS12(nil, &end, buffer.count)
            }
            pointer = try attempt.need(made, "d2i_PKCS12")
        }

        /// Those of its message authentication code; what else it holds is not looked at before that was right.
        var rounds: Int {
            var count: UnsafePointer<ASN1_INTEGER>?
            PKCS12_get0_mac(nil, nil, nil, &count, pointer)
            return count.map { ASN1_INTEGER_get($0) } ?? 1
        }

        deinit {
            PKCS12_free(pointer)
        }
    }
}
