/// A certificate and those that lead from it towards a root (RFC 8555, section 9.1).
package struct CertificateChain: Sendable {
    /// The most certificates that are read; real chains have two to five.
    package static let limit = 20

    /// The leaf first, each issued by the next.
    package let certificates: [Certificate]
    package let leaf: Certificate
    package let issuers: [Certificate]

    /// Reads a PEM file that holds one or more certificates and nothing else. Whether they belong together is for
    /// `validate` to say.
    package init(pem: [UInt8]) throws(PKIError) {
        guard pem.count <= 1 << 20 else { throw PKIError("the certificate chain is longer than 1 MiB") }
        var certificates: [Certificate] = []
        for der in try PEM.certificates(in: pem, limit: Self.limit) { certificates.append(try Certificate(der: der)) }
        guard let leaf = certificates.first else { throw PKIError("the certificate chain holds no certificate") }
        self.init(leaf: leaf, issuers: Array(certificates.dropFirst()))
    }

    init(leaf: Certificate, issuers: [Certificate]) {
        self.leaf = leaf
        self.issuers = issuers
        certificates = [leaf] + issuers
    }

    package var pem: [UInt8] { certificates.flatMap(\.pem) }
    package var leafPEM: [UInt8] { leaf.pem }
    package var issuersPEM: [UInt8] { issuers.flatMap(\.pem) }
}
