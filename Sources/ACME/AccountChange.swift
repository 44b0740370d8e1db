internal import HTTP
package import PKI

/// What happens to an account after it was made (RFC 8555, sections 7.3.1 to 7.3.6).
extension Client {
    private struct Question: Encodable {
        let onlyReturnExisting = true
    }

    private struct KeyChange: Encodable {
        let account: String
        let oldKey: [String: String]
    }

    private struct Ending: Encodable {
        let status = "deactivated"
    }

    /// Asks whether this session's key has an account, and changes nothing (section 7.3.1). One that is valid signs
    /// from then on.
    package func accountState() throws(ACMEError) -> AccountState {
        let purpose = "look for the key's account at \(directoryURL)"
        var call = try Call.post(Question(), to: try knownDirectory().newAccount, purpose)
        call.identity = .key
        let reply: Reply
        do throws(ACMEError) {
            reply = try perform(call)
        } catch {
            if error.accountIsUnknown { return .missing }
            if error.saysThatAccountEnded { return .ended(reason: error.reason) }
            throw error
        }
        let object = try reply.decode(AccountObject.self)
        switch object.status {
        case "valid", nil: break
        case let status? where ACMEError.endings.contains(status): return .ended(reason: "it is \(status)")
        case let status?: throw ACMEError(purpose, "'\(status)' is no state of an account")
        }
        let record = AccountRecord(url: try reply.location(), contacts: object.contact ?? [])
        account = record
        return .valid(record)
    }

    /// Finds out whether the account is what was refused, which looks like a refusal of each order: asks about the
    /// account, once, where that may be.
    func blamingAccount<Success>(_ results: [Result<Success, ACMEError>]) -> [Result<Success, ACMEError>] {
        let mayBe = results.contains { if case .failure(let error) = $0 { error.mayBeAccountsFault } else { false } }
        guard mayBe, let fault = accountFault() else { return results }
        return results.map { result in
            result.mapError { $0.mayBeAccountsFault ? $0.causedByAccount(fault) : $0 }
        }
    }

    /// What is wrong with the account; nil where nothing is, or where the CA does not say.
    private func accountFault() -> String? {
        let known = account
        defer { account = known }
        guard let state = try? accountState() else { return nil }
        switch state {
        case .valid: return nil
        case .missing:
            return "the account does not belong to this host's account key any more: give the host the account's key"
        case .ended(let reason): return "the account has ended for good (\(reason)): give the host another account key"
        }
    }

    /// Tells the CA the account's contacts (section 7.3.2).
    package func changeContacts(to contacts: [String]) throws(ACMEError) {
        let purpose = "change the account's contacts"
        _ = try perform(try .post(ContactUpdate(contact: contacts), to: try signer(purpose).url, purpose))
    }

    /// Where keys are changed. Throws where the CA does not offer that.
    @discardableResult
    package func keyChange() throws(ACMEError) -> String {
        guard let url = try knownDirectory().keyChange else {
            throw ACMEError(
                "change the account's key",
                "the CA's directory \(directoryURL) has no keyChange: it does not offer this")
        }
        return url
    }

    /// Gives the account another key (section 7.3.5): "inner" signed by the new one, "outer" by the old one. This
    /// session's key is of no more use afterwards. An error does not mean that the CA still has the old key: the reply
    /// may have been lost.
    package func changeKey(to new: PrivateKey) throws(ACMEError) {
        let purpose = "change the account's key"
        let url = try keyChange()
        let message = KeyChange(account: try signer(purpose).url, oldKey: key.jwk)
        let inner = try JWS(
            try JSON.encode(message, for: purpose), url: url, nonce: nil, identity: .key, key: new, for: purpose)
        _ = try perform(try .post(inner, to: url, purpose))
    }

    /// Ends the account for good (section 7.3.6): nothing reactivates it.
    package func deactivateAccount() throws(ACMEError) {
        let purpose = "deactivate the account"
        let reply = try perform(try .post(Ending(), to: try signer(purpose).url, purpose))
        if let object = try? reply.decode(AccountObject.self), object.status == "valid" {
            throw ACMEError(purpose, "the CA took the request, and says that the account is still valid")
        }
        account = nil
    }

    /// The account that signs; where it gets nonces from is known afterwards too.
    private func signer(_ purpose: String) throws(ACMEError) -> AccountRecord {
        _ = try knownDirectory()
        guard let account else { throw ACMEError(purpose, "no account has been opened at the CA") }
        return account
    }
}
