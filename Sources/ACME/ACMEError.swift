package import FoundationEssentials
internal import HTTP

/// Something that could not be done at the CA: what, about which name, and why, in the server's words where it had
/// any.
package struct ACMEError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What could not be done, to follow "cannot": "order a certificate for a.example".
    package var what: String
    package var reason: String
    /// What the server said.
    package var problem: Problem?
    /// The status of the server's answer, where it was one.
    package var status: Int?
    /// The moment before which another try is pointless, where the server named one.
    package var retryAfter: Date?
    /// What an earlier try of the same request was answered, where this is the answer to a later one.
    var earlier: String?
    /// The order can never become a certificate; the next run has to make a new one.
    package var orderIsLost = false
    /// It is lost by the state that the CA shows of it.
    private var orderWasEnded = false
    /// The account is what the CA refuses, whatever the request was about.
    private(set) var isAccountsFault = false

    package init(_ what: String, _ reason: String) {
        self.what = what
        self.reason = reason
    }

    /// The CA does not know the account that signed: forget it and open one again.
    package var accountIsUnknown: Bool { problem?.kind == .accountDoesNotExist }

    /// The states of an account that has ended (RFC 8555, section 7.1.6).
    static let endings = ["deactivated", "revoked"]

    /// How some CAs answer for an account that has ended. `unauthorized` alone says no more than that something is not
    /// allowed, which may be a matter of this host's address, or pass.
    var saysThatAccountEnded: Bool {
        guard problem?.kind == .unauthorized, let words = problem?.description.lowercased() else { return false }
        return Self.endings.contains(where: words.contains)
    }

    /// Whether a fault of the account may be behind it: a signature with a key that is not the account's any more is
    /// `malformed` to most CAs, one by an account that has ended `unauthorized`.
    var mayBeAccountsFault: Bool {
        guard status != nil else { return false }
        return problem?.kind == .malformed || problem?.kind == .unauthorized
    }

    /// The same refusal, of which the account turned out to be the cause: the order is as good as it was.
    func causedByAccount(_ fault: String) -> ACMEError {
        var error = self
        error.reason += "; \(fault)"
        error.isAccountsFault = true
        error.orderIsLost = false
        return error
    }

    /// What the CA shows of the order leaves no way on; `problem` is what it says of that.
    func endingOrder(_ problem: Problem?) -> ACMEError {
        var error = self
        error.problem = problem
        error.orderIsLost = true
        error.orderWasEnded = true
        return error
    }

    /// The server understood and will not change its mind about this request.
    var isFinal: Bool {
        guard let status, (400..<500).contains(status), status != 408, status != 429 else { return false }
        switch problem?.kind {
        case .accountDoesNotExist, .agreementRequired, .rateLimited, .userActionRequired, .badNonce: return false
        case .alreadyReplaced, .alreadyRevoked, .badCSR, .badPublicKey, .malformed, .orderNotReady, .unauthorized, nil:
            return true
        }
    }

    /// The CA never takes the key that it was shown.
    package var refusesKey: Bool { problem?.kind == .badPublicKey }

    /// The CA does not take a certificate's request, perhaps because of the key in it: Boulder says `badCSR` of a key
    /// that it has blocked.
    package var mayRefuseCertificateKey: Bool { problem?.kind == .badCSR || refusesKey }

    /// The CA has had enough requests for now.
    package var isLimit: Bool { status == 429 || problem?.kind == .rateLimited }

    /// The CA has judged the request or the names, so that trying again soon would lead to the same, and counts. An order
    /// that the CA has ended counts whether or not it says why: the next try costs another one.
    package var isVerdict: Bool {
        if orderWasEnded { return true }
        guard (status ?? 400) < 500, !isAccountsFault else { return false }
        guard !isLimit, let problem else { return isLimit }
        switch problem.kind {
        case .accountDoesNotExist, .agreementRequired, .badNonce, .orderNotReady, .userActionRequired: return false
        case .alreadyReplaced, .alreadyRevoked, .badCSR, .badPublicKey, .malformed, .rateLimited, .unauthorized, nil:
            return true
        }
    }

    /// What a CA may answer to an order because of the certificate that it is to replace.
    var concernsReplacement: Bool {
        switch problem?.kind {
        case .alreadyReplaced, .malformed, .unauthorized: true
        case .accountDoesNotExist, .agreementRequired, .alreadyRevoked, .badCSR, .badNonce, .badPublicKey,
            .orderNotReady, .rateLimited, .userActionRequired, nil:
            status == 404 || status == 409
        }
    }

    package var description: String { "cannot \(what): \(reason)" }
}

extension ACMEError {
    /// The server's refusal of a request.
    init(_ what: String, refusedBy reply: Reply) {
        let problem = reply.problem
        self.init(what, Self.sentence(reply, problem))
        self.problem = problem
        status = reply.status
    }

    private static func sentence(_ reply: Reply, _ problem: Problem?) -> String {
        guard let problem else {
            let type = reply.response.mediaType.map { " (\($0))" } ?? ""
            return "the CA answered with status \(reply.status)\(type) and no explanation"
        }
        switch problem.kind {
        case .accountDoesNotExist:
            return "the CA does not know this account (any more): \(problem)"
        case .agreementRequired, .userActionRequired:
            return "the CA wants a person to act first: \(problem)" + (problem.instance.map { "; see \($0)" } ?? "")
        case .alreadyReplaced, .alreadyRevoked, .badCSR, .badNonce, .badPublicKey, .malformed, .orderNotReady,
            .rateLimited, .unauthorized, nil:
            return problem.description
        }
    }
}
