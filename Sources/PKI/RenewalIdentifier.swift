internal import COpenSSL

extension Certificate {
    /// What a CA knows the certificate by in renewal information (RFC 9773, section 4.1): the key identifier of its
    /// issuer, and its serial number as it stands in the DER. Nil where it does not name its issuer's key.
    package var renewalIdentifier: String? {
        Attempt.asking {
            guard let issuer = X509_get0_authority_key_id(pointer) else { return nil }
            let bytes = UnsafeBufferPointer(
                start: ASN1_STRING_get0_data(issuer), count: Int(ASN1_STRING_length(issuer)))
            guard let serial = serialContent, !bytes.isEmpty else { return nil }
            return Base64URL.encode(Array(bytes)) + "." + Base64URL.encode(serial)
        }
    }

    /// The content of the serial number's DER: with the leading zero of a number whose first bit is set.
    private var serialContent: [UInt8]? {
        let der = try? Attempt("read the certificate's serial number").encode("i2d_ASN1_INTEGER") {
            i2d_ASN1_INTEGER(X509_get0_serialNumber(pointer), $0)
        }
        // A serial number has at most 20 bytes (RFC 5280, section 4.1.2.2): its length is one byte.
        guard let der, der.count > 2, der[1] < 0x80 else { return nil }
        return Array(der.dropFirst(2))
    }
}
