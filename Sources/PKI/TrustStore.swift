internal import COpenSSL
package import FoundationEssentials

/// The certificate authorities that this host trusts.
package final class TrustStore {  // X509_STORE *
    private let pointer: OpaquePointer

    /// The system's, and those in a PEM file.
    package init(adding path: String?) throws(PKIError) {
        let attempt = Attempt("read the certificate authorities that this host trusts")
        pointer = try attempt.need(X509_STORE_new(), "X509_STORE_new")
        try attempt.check(X509_STORE_set_default_paths(pointer), "X509_STORE_set_default_paths")
        guard let path else { return }
        try Attempt("read certificate authorities from \(path)")
            .check(X509_STORE_load_file(pointer, path), "X509_STORE_load_file")
    }

    deinit {
        X509_STORE_free(pointer)
    }

    /// Why a TLS client would not trust a server with this chain, whatever its name, in OpenSSL's words; nil where it would.
    /// An end of the leaf's time is left out: that is no fault of the chain's.
    package func objection(to chain: CertificateChain, at now: Date) -> String? {
        let leaf = chain.leaf
        let moment = max(leaf.notBefore, min(now, leaf.notAfter.addingTimeInterval(-1)))
        let issuers = chain.issuers.map { Optional($0.pointer) }
        return Attempt.asking {
            var problem = X509_V_OK
            let time = time_t(moment.timeIntervalSince1970)
            let isAsked = shim_verify_server(pointer, leaf.pointer, issuers, Int32(issuers.count), time, &problem)
            guard isAsked == 1 else { return "OpenSSL could not look at it" }
            return problem == X509_V_OK ? nil : String(cString: X509_verify_cert_error_string(Int(problem)))
        }
    }
}
