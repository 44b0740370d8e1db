internal import COpenSSL
internal import FoundationEssentials

/// The serial numbers of certificates made here (RFC 5280, section 4.1.2.2).
enum SerialNumber {
    /// 16 random bytes that make a positive number of full length.
    static func random() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        let first = UInt8.random(in: 0x40...0x7F, using: &generator)
        return [first] + (1..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

/// A certificate in the making.
final class CertificateDraft {  // X509 *
    private let pointer: OpaquePointer
    private let attempt = Attempt("make a certificate")

    init(key: PrivateKey, serial: [UInt8]) throws(PKIError) {
        pointer = try attempt.need(X509_new(), "X509_new")
        try attempt.check(X509_set_version(pointer, 2), "X509_set_version")
        try attempt.check(X509_set_pubkey(pointer, key.pointer), "X509_set_pubkey")
        let number = Number(owning: try attempt.need(BN_bin2bn(serial, Int32(serial.count), nil), "BN_bin2bn"))
        let field = X509_get_serialNumber(pointer)
        _ = try attempt.need(BN_to_ASN1_INTEGER(number.pointer, field), "BN_to_ASN1_INTEGER")
    }

    deinit {
        X509_free(pointer)
    }

    func setNames(subject: Subject, issuer: Subject) throws(PKIError) {
        try attempt.check(X509_set_subject_name(pointer, subject.pointer), "X509_set_subject_name")
        try attempt.check(X509_set_issuer_name(pointer, issuer.pointer), "X509_set_issuer_name")
    }

    /// Whole seconds; parts of one are cut off.
    func setValidity(from start: Date, to end: Date) throws(PKIError) {
        try set(X509_getm_notBefore(pointer), to: start)
        try set(X509_getm_notAfter(pointer), to: end)
    }

    private func set(_ field: UnsafeMutablePointer<ASN1_TIME>?, to date: Date) throws(PKIError) {
        guard let seconds = Int(exactly: date.timeIntervalSince1970.rounded(.down)) else {
            throw PKIError("cannot make a certificate: the clock shows no usable time")
        }
        _ = try attempt.need(ASN1_TIME_set(field, seconds), "ASN1_TIME_set")
    }

    /// Adds extensions in order. `issuer` is whose key identifier they name.
    func add(_ contents: [Extension.Content], issuer: Certificate?) throws(PKIError) {
        for content in contents {
            let made = try Extension(content, issuer: issuer?.pointer, subject: pointer)
            try attempt.check(X509_add_ext(pointer, made.pointer, -1), "X509_add_ext")
        }
    }

    func signed(by key: PrivateKey) throws(PKIError) -> Certificate {
        try attempt.check(X509_sign(pointer, key.pointer, key.digest), "X509_sign")
        return try Certificate(der: try attempt.encode("i2d_X509") { i2d_X509(pointer, $0) })
    }
}
