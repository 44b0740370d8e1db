internal import FoundationEssentials
internal import Names
internal import PKI
internal import Platform

/// Keys and chains: from a CA, from disk, from another program.
enum CertificateFiles {
    static func read(_ bytes: [UInt8]) {
        let key = try? PrivateKey(pem: Secret(bytes))
        if let key { require((try? key.pem().revealed) != nil, "a key that was read can be written") }
        if let leaf = try? Certificate(der: bytes) { look(at: leaf) }
        guard let chain = try? CertificateChain(pem: bytes) else { return }
        for certificate in chain.certificates { look(at: certificate) }
        let again = try? CertificateChain(pem: chain.pem)
        require(again?.certificates.map(\.der) == chain.certificates.map(\.der), "a chain reads as itself")
        guard let own = key ?? (try? anyKey.get()) else { return }
        try? chain.validate(names: Set(chain.leaf.names), key: own, now: Date(timeIntervalSince1970: 1_800_000_000))
    }

    private static let anyKey = Result { try PrivateKey.generate(.ec256) }

    private static func look(at certificate: Certificate) {
        _ = certificate.label
        _ = certificate.renewalIdentifier
        _ = certificate.isSelfIssued
        _ = certificate.isIssued(by: certificate)
        require((try? Certificate(der: certificate.der)) != nil, "a certificate reads as itself")
    }
}
