internal import COpenSSL
internal import FoundationEssentials
internal import Glibc
internal import Names

/// The parts of a certificate, translated. It owns nothing.
struct CertificateFields {
    private let pointer: OpaquePointer

    /// Looks into an `X509 *` that outlives it.
    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    /// The alternative names: those that are domain names, and the others as OpenSSL prints them.
    func alternativeNames() throws(PKIError) -> ([DomainName], [String]) {
        guard let all = try AlternativeNames(of: pointer) else { return ([], []) }
        var names: [DomainName] = []
        var others: [String] = []
        for index in 0..<all.count {
            if let name = try all.domainName(index) {
                names.append(name)
            } else {
                others.append(try all.printed(index))
            }
        }
        return (names, others)
    }

    /// The last common name of an `X509_NAME *`, which is the most specific; nil where there is none.
    func commonName(of name: OpaquePointer?) throws(PKIError) -> String? {
        let attempt = Attempt("read a common name")
        var last: Int32 = -1
        while case let next = X509_NAME_get_index_by_NID(name, NID_commonName, last), next >= 0 { last = next }
        guard last >= 0 else { return nil }
        let entry = try attempt.need(X509_NAME_get_entry(name, last), "X509_NAME_get_entry")
        let value = try attempt.need(X509_NAME_ENTRY_get_data(entry), "X509_NAME_ENTRY_get_data")
        var text: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&text, value)
        defer { shim_free(text) }
        guard count != 0 else { return "" }
        try attempt.check(count, "ASN1_STRING_to_UTF8")
        return String(decoding: UnsafeBufferPointer(start: text, count: Int(count)), as: UTF8.self)
    }

    func issuer() throws(PKIError) -> String {
        let memory = try Memory()
        let printed = shim_print_name(memory.pointer, X509_get_issuer_name(pointer))
        guard printed >= 0 else {
            throw PKIError("cannot read the certificate's issuer: X509_NAME_print_ex failed")
        }
        return try memory.takeText()
    }

    func date(_ time: UnsafePointer<ASN1_TIME>?, _ field: String) throws(PKIError) -> Date {
        let attempt = Attempt("read the certificate's \(field)")
        var parts = tm()
        try attempt.check(ASN1_TIME_to_tm(try attempt.need(time, "X509_get0"), &parts), "ASN1_TIME_to_tm")
        return Date(timeIntervalSince1970: Double(timegm(&parts)))
    }

    /// Long numbers are printed on several lines, each but the last ending in a backslash: joined here.
    func serial() throws(PKIError) -> String {
        let memory = try Memory()
        try Attempt("read the certificate's serial number").check(
            i2a_ASN1_INTEGER(memory.pointer, X509_get0_serialNumber(pointer)), "i2a_ASN1_INTEGER")
        return try memory.takeText().filter { $0 != "\\" && $0 != "\n" }
    }
}

/// The alternative names of a certificate's subject.
private final class AlternativeNames {  // GENERAL_NAMES *
    private let pointer: OpaquePointer

    /// Nil where the certificate has none.
    init?(of certificate: OpaquePointer) throws(PKIError) {
        let attempt = Attempt("read the certificate's alternative names")
        var state: Int32 = 0
        let found = shim_alternative_names(certificate, &state)
        if found == nil && state == -1 { return nil }
        if found == nil && state == -2 { throw PKIError("the certificate has two lists of alternative names") }
        pointer = try attempt.need(found, "X509_get_ext_d2i")
    }

    deinit {
        GENERAL_NAMES_free(pointer)
    }

    var count: Int32 { shim_general_name_count(pointer) }

    /// The name at a place, where it is a DNS name and a domain name.
    func domainName(_ index: Int32) throws(PKIError) -> DomainName? {
        guard let text = shim_dns_name(try at(index)) else { return nil }
        let bytes = UnsafeBufferPointer(start: ASN1_STRING_get0_data(text), count: Int(ASN1_STRING_length(text)))
        return try? DomainName(String(decoding: bytes, as: UTF8.self))
    }

    func printed(_ index: Int32) throws(PKIError) -> String {
        let memory = try Memory()
        try Attempt("read the certificate's alternative names").check(
            GENERAL_NAME_print(memory.pointer, try at(index)), "GENERAL_NAME_print")
        return try memory.takeText()
    }

    private func at(_ index: Int32) throws(PKIError) -> UnsafeMutablePointer<GENERAL_NAME> {
        try Attempt("read the certificate's alternative names")
            .need(shim_general_name(pointer, index), "sk_GENERAL_NAME_value")
    }
}
