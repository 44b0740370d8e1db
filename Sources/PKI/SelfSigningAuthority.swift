package import FoundationEssentials
package import Names

/// A throw-away CA for tests (S21): its key never leaves memory and goes with it.
package struct SelfSigningAuthority: Sendable {
    /// The longest that a certificate may be asked for, which is how long the CA itself is valid: ten years.
    package static let longest = 3650

    /// An hour before `now`, so that clocks which are a little behind accept what is issued.
    private let start: Date
    private let now: Date
    private let key: PrivateKey
    private let certificate: Certificate

    package init(now: Date) throws(PKIError) {
        self.now = now
        start = now.addingTimeInterval(-3600)
        key = try .generate(.ec256)
        let serial = SerialNumber.random()
        let name = "acme-modules throw-away CA \(Array(serial.suffix(4)).hexadecimal())"
        let draft = try CertificateDraft(key: key, serial: serial)
        let subject = try Subject(commonName: name)
        try draft.setNames(subject: subject, issuer: subject)
        try draft.setValidity(from: start, to: now.addingTimeInterval(Double(Self.longest) * 86_400))
        try draft.add([.authority, .authorityKeyUsage, .subjectKeyIdentifier], issuer: nil)
        certificate = try draft.signed(by: key)
    }

    /// A leaf for `names`, valid for `days` from now, and the CA's certificate behind it.
    package func issue(for names: [DomainName], key leafKey: PrivateKey, days: Int) throws(PKIError) -> CertificateChain
    {
        guard (1...Self.longest).contains(days) else {
            throw PKIError("a self-signed certificate is made for 1 to \(Self.longest) days, not for \(days)")
        }
        let draft = try CertificateDraft(key: leafKey, serial: SerialNumber.random())
        let subject = try Subject(names: names)
        try draft.setNames(subject: subject, issuer: Subject(commonName: certificate.commonName))
        try draft.setValidity(from: start, to: now.addingTimeInterval(Double(days) * 86_400))
        let extensions: [Extension.Content] = [
            .leaf, .leafKeyUsage(encipherment: leafKey.kind.isRSA), .serverAuthentication, .subjectKeyIdentifier,
            .authorityKeyIdentifier, .alternativeNames(names, critical: subject.isEmpty),
        ]
        try draft.add(extensions, issuer: certificate)
        return CertificateChain(leaf: try draft.signed(by: key), issuers: [certificate])
    }
}
