internal import COpenSSL
package import FoundationEssentials
package import Names

/// A certificate (RFC 5280), read once into values.
package final class Certificate: Sendable {  // X509 *
    /// OpenSSL counts its references atomically and locks what it caches; nothing here changes a certificate.
    nonisolated(unsafe) let pointer: OpaquePointer

    package let der: [UInt8]
    /// The DNS names of the subject's alternative names, in their order.
    package let names: [DomainName]
    /// The other alternative names as OpenSSL prints them, `IP Address:192.0.2.1`: those of another kind, and DNS names
    /// that are no `DomainName`.
    package let otherNames: [String]
    package let commonName: String?
    /// On one line as in RFC 4514: `CN=R3,O=Let's Encrypt,C=US`.
    package let issuer: String
    package let issuerCommonName: String?
    package let notBefore: Date
    package let notAfter: Date
    /// Upper-case hexadecimal digits, as `openssl x509 -serial` prints them.
    package let serial: String
    /// The SHA-256 of the DER as `openssl x509 -fingerprint -sha256` prints it: upper case, with colons.
    package let fingerprintSHA256: String
    /// The SubjectPublicKeyInfo in DER.
    package let publicKeyInfo: [UInt8]
    /// Nil where the key is of a kind that this project never makes.
    package let keyType: KeyType?

    /// Reads exactly one certificate, with nothing behind it.
    package init(der: [UInt8]) throws(PKIError) {
        let pointer = try Self.decode(der)
        do throws(PKIError) {
            let fields = CertificateFields(pointer)
            (names, otherNames) = try fields.alternativeNames()
            commonName = try fields.commonName(of: X509_get_subject_name(pointer))
            issuer = try fields.issuer()
            issuerCommonName = try fields.commonName(of: X509_get_issuer_name(pointer))
            notBefore = try fields.date(X509_get0_notBefore(pointer), "notBefore")
            notAfter = try fields.date(X509_get0_notAfter(pointer), "notAfter")
            serial = try fields.serial()
            publicKeyInfo = try Attempt("read the certificate's public key")
                .encode("i2d_X509_PUBKEY") { i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pointer), $0) }
        } catch {
            X509_free(pointer)
            throw error
        }
        keyType = Attempt.asking { X509_get0_pubkey(pointer).flatMap { KeyKind($0).type } }
        fingerprintSHA256 = Digest.sha256(der).hexadecimal(separator: ":")
        self.der = der
        self.pointer = pointer
    }

    deinit {
        X509_free(pointer)
    }

    private static func decode(_ der: [UInt8]) throws(PKIError) -> OpaquePointer {
        let attempt = Attempt("read the certificate")
        let (made, count) = der.withUnsafeBufferPointer { buffer in
            var end = buffer.baseAddress
            let made = d2i_X509(nil, &end, buffer.count)
            return (made, buffer.baseAddress.flatMap { start in end.map { $0 - start } })
        }
        let pointer = try attempt.need(made, "d2i_X509")
        guard count == der.count else {
            X509_free(pointer)
            throw PKIError("cannot read the certificate: there are bytes behind its end")
        }
        return pointer
    }

    /// One CERTIFICATE block (RFC 7468).
    package var pem: [UInt8] { PEM.certificate(der) }

    /// What messages call it: its first name, or its common name.
    package var label: String { names.first?.description ?? commonName ?? "with serial \(serial)" }

    /// Whether `issuer` made this one: its name, its key identifier, its right to sign and its signature.
    package func isIssued(by issuer: Certificate) -> Bool {
        Attempt.asking {
            guard let key = X509_get0_pubkey(issuer.pointer) else { return false }
            return X509_check_issued(issuer.pointer, pointer) == X509_V_OK
                && X509_check_ca(issuer.pointer) > 0
                && X509_verify(pointer, key) == 1
        }
    }

    /// Whether subject and issuer are the same name, as in a root.
    package var isSelfIssued: Bool {
        X509_NAME_cmp(X509_get_subject_name(pointer), X509_get_issuer_name(pointer)) == 0
    }

    /// Whether this is a certificate for a server of that name.
    package func covers(_ name: DomainName) -> Bool { names.contains { $0 == name || $0.covers(name) } }

    /// Whether this is a certificate for that key.
    package func isFor(_ key: PrivateKey) -> Bool {
        Attempt.asking { X509_get0_pubkey(pointer).map { EVP_PKEY_eq($0, key.pointer) == 1 } ?? false }
    }
}
