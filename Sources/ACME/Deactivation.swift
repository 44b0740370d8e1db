/// Ends one authorization that is still pending (RFC 8555, section 7.5.2).
enum Deactivation {
    fileprivate struct Message: Encodable {
        let status = "deactivated"
    }

    /// The step after the authorization was read, and the one after it was deactivated.
    static func next(_ url: String, _ results: [Result<Reply, ACMEError>]) -> Step<Void> {
        guard let authorization = try? results.only().decode(Authorization.self), authorization.status == .pending,
            let call = try? Call.post(Message(), to: url, "deactivate an authorization")
        else { return .done(.success(())) }
        return .send([call])
    }
}

/// Ends one authorization whatever use it could still be of, and says whose it was; nil where it had ended before.
struct AuthorizationEnding {
    let url: String
    private var name: String?

    init(url: String) {
        self.url = url
    }

    mutating func receive(_ results: [Result<Reply, ACMEError>]) -> Step<String?> {
        do throws(ACMEError) {
            let reply = try results.only()
            if name != nil { return .done(.success(name)) }
            let authorization = try reply.decode(Authorization.self)
            switch authorization.status {
            case .invalid, .deactivated, .expired, .revoked: return .done(.success(nil))
            case .pending, .valid: break
            }
            name = authorization.name
            let purpose = "deactivate the authorization for \(authorization.name)"
            return .send([try .post(Deactivation.Message(), to: url, purpose)])
        } catch {
            let isGone = name == nil && (error.status == 404 || error.status == 410)
            return .done(isGone ? .success(nil) : .failure(error))
        }
    }
}
