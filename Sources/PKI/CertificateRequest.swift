internal import COpenSSL
package import Names

/// Requests for certificates (PKCS#10, RFC 2986).
package enum CertificateRequest {
    /// A signed request in DER, with `names` in their order as alternative names. The first is the common name too,
    /// where it fits into its 64 bytes; otherwise the subject is empty.
    package static func der(for names: [DomainName], key: PrivateKey) throws(PKIError) -> [UInt8] {
        let request = try RequestDraft()
        try request.setSubject(Subject(names: names))
        try request.setKey(key)
        try request.add(Extension(.alternativeNames(names, critical: false)))
        try request.sign(key)
        return try request.der()
    }
}

/// A request in the making.
private final class RequestDraft {  // X509_REQ *
    private let pointer: OpaquePointer
    private let attempt = Attempt("make a certificate request")

    init() throws(PKIError) {
        pointer = try attempt.need(X509_REQ_new(), "X509_REQ_new")
    }

    deinit {
        X509_REQ_free(pointer)
    }

    func setSubject(_ subject: Subject) throws(PKIError) {
        try attempt.check(X509_REQ_set_subject_name(pointer, subject.pointer), "X509_REQ_set_subject_name")
    }

    func setKey(_ key: PrivateKey) throws(PKIError) {
        try attempt.check(X509_REQ_set_version(pointer, 0), "X509_REQ_set_version")
        try attempt.check(X509_REQ_set_pubkey(pointer, key.pointer), "X509_REQ_set_pubkey")
    }

    func add(_ extension: Extension) throws(PKIError) {
        try attempt.check(shim_request_add_extension(pointer, `extension`.pointer), "X509_REQ_add_extensions")
    }

    func sign(_ key: PrivateKey) throws(PKIError) {
        try attempt.check(X509_REQ_sign(pointer, key.pointer, key.digest), "X509_REQ_sign")
    }

    func der() throws(PKIError) -> [UInt8] {
        try attempt.encode("i2d_X509_REQ") { i2d_X509_REQ(pointer, $0) }
    }
}
