internal import COpenSSL
internal import Names

/// A distinguished name for what is made here: a common name, or nothing.
final class Subject {  // X509_NAME *
    let pointer: OpaquePointer
    let isEmpty: Bool

    init(commonName: String?) throws(PKIError) {
        let attempt = Attempt("make a subject")
        pointer = try attempt.need(X509_NAME_new(), "X509_NAME_new")
        isEmpty = commonName == nil
        guard let commonName else { return }
        let bytes = Array(commonName.utf8)
        try attempt.check(
            X509_NAME_add_entry_by_NID(pointer, NID_commonName, MBSTRING_FLAG | 0, bytes, Int32(bytes.count), -1, 0),
            "X509_NAME_add_entry_by_NID")
    }

    /// The first name, where it fits into the 64 bytes of a common name (RFC 5280, appendix A, ub-common-name).
    convenience init(names: [DomainName]) throws(PKIError) {
        try self.init(commonName: names.first.map(\.description).flatMap { $0.utf8.count <= 64 ? $0 : nil })
    }

    deinit {
        X509_NAME_free(pointer)
    }
}

/// An extension of a request or certificate (RFC 5280, section 4.2).
final class Extension {  // X509_EXTENSION *
    /// What it says, in the words of OpenSSL's x509v3_config(5).
    enum Content {
        /// A request without names is refused.
        case alternativeNames([DomainName], critical: Bool)
        /// A CA that signs leaves only.
        case authority
        case authorityKeyUsage
        case leaf
        case leafKeyUsage(encipherment: Bool)
        case serverAuthentication
        case subjectKeyIdentifier
        case authorityKeyIdentifier
    }

    let pointer: OpaquePointer

    /// `issuer` and `subject` are `X509 *`: the key identifiers are made from their keys.
    init(_ content: Content, issuer: OpaquePointer? = nil, subject: OpaquePointer? = nil) throws(PKIError) {
        if case .alternativeNames(let names, _) = content, names.isEmpty {
            throw PKIError("a certificate needs at least one name")
        }
        let (identifier, value) = content.configuration
        pointer = try Attempt("make a certificate extension")
            .need(shim_extension(issuer, subject, identifier, value), "X509V3_EXT_nconf_nid")
    }

    deinit {
        X509_EXTENSION_free(pointer)
    }
}

extension Extension.Content {
    fileprivate var configuration: (Int32, String) {
        switch self {
        case .alternativeNames(let names, let critical):
            // A domain name has no character that means anything here.
            let list = names.map { "DNS:\($0)" }.joined(separator: ",")
            return (NID_subject_alt_name, critical ? "critical," + list : list)
        case .authority: return (NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
        case .authorityKeyUsage: return (NID_key_usage, "critical,keyCertSign,cRLSign")
        case .leaf: return (NID_basic_constraints, "critical,CA:FALSE")
        case .leafKeyUsage(let encipherment):
            return (NID_key_usage, "critical,digitalSignature" + (encipherment ? ",keyEncipherment" : ""))
        case .serverAuthentication: return (NID_ext_key_usage, "serverAuth")
        case .subjectKeyIdentifier: return (NID_subject_key_identifier, "hash")
        case .authorityKeyIdentifier: return (NID_authority_key_identifier, "keyid:always")
        }
    }
}
