/// Ends one authorization that is still pending (RFC 8555, section 7.5.2).
enum Deactivation {
    private struct Message: Encodable {
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
