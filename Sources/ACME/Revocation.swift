package import PKI

/// Why a certificate is revoked: the reasons of RFC 5280, section 5.3.1, that public CAs take from subscribers.
package enum RevocationReason: String, CaseIterable, Codable, Sendable {
    case unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation

    package var code: Int {
        switch self {
        case .unspecified: 0
        case .keyCompromise: 1
        case .affiliationChanged: 3
        case .superseded: 4
        case .cessationOfOperation: 5
        }
    }
}

/// Who asks for a revocation (RFC 8555, section 7.6).
package enum RevocationSigner: Sendable {
    /// The account that ordered it, or one that may order its names.
    case account
    /// The session's key, which is the certificate's.
    case certificateKey
}

/// Whether a revocation was news to the CA.
package enum RevocationOutcome: Sendable, Equatable { case revoked, alreadyRevoked }

extension Client {
    private struct Message: Encodable {
        let certificate: String
        let reason: Int?
    }

    /// Has a certificate revoked. Without a reason "the reasonCode CRL entry extension is omitted" (section 7.6), which
    /// is what `unspecified` means.
    package func revoke(
        _ certificate: Certificate, because reason: RevocationReason, signer: RevocationSigner
    ) throws(ACMEError) -> RevocationOutcome {
        let purpose = "revoke the certificate \(certificate.label) (serial \(certificate.serial))"
        guard let url = try knownDirectory().revokeCert else {
            throw ACMEError(purpose, "the CA's directory \(directoryURL) has no revokeCert: it does not offer this")
        }
        let message = Message(
            certificate: Base64URL.encode(certificate.der), reason: reason == .unspecified ? nil : reason.code)
        var call = try Call.post(message, to: url, purpose)
        switch signer {
        case .account: call.identity = .account
        case .certificateKey: call.identity = .key
        }
        do throws(ACMEError) {
            _ = try perform(call)
            return .revoked
        } catch {
            guard error.problem?.kind == .alreadyRevoked else { throw error }
            return .alreadyRevoked
        }
    }

    /// Deactivates those of these authorizations that the account still has, valid ones too (section 7.5.2): their names,
    /// and the first failure, which stops none of the others. What the CA does not know any more is as good as
    /// deactivated.
    package func deactivateAuthorizations(
        _ urls: [String]
    ) throws(ACMEError) -> (names: [String], failure: ACMEError?) {
        _ = try knownDirectory()
        rounds.width = urls.count
        let first = urls.map { Step<String?>.send([.fetch($0, "look at an authorization")]) }
        var flows = urls.map { AuthorizationEnding(url: $0) }
        let results = rounds.run(first, until: deadline) { index, results in flows[index].receive(results) }
        var names: [String] = []
        var failure: ACMEError?
        for result in results {
            switch result {
            case .success(let name): if let name { names.append(name) }
            case .failure(let error): failure = failure ?? error
            }
        }
        return (names.sorted(), failure)
    }
}
