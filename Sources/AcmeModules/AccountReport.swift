internal import ACME
internal import AnsibleModule
internal import PKI

/// What `acme_account` tells: what has been done, and what the account is now.
struct AccountReport {
    static let nothing = "nothing to do"

    /// The account's key as it is now; nil where there is none, or where check mode cannot know it.
    var key: PrivateKey?
    var account: AccountRecord?
    private var status: String?
    private var sentences: [String] = []
    private let options: ManageAccountOptions
    private let before: String
    /// The account that this host knew, and that the CA does not know any more.
    private let lost: String?

    init(_ options: ManageAccountOptions, _ situation: AccountSituation) {
        self.options = options
        let known = situation.effective
        key = known?.key
        account = known?.state.record
        lost = known?.state == .missing ? situation.remembered?.url : nil
        switch known?.state {
        case .valid: status = "valid"
        case .ended: status = "deactivated"
        case .missing, nil: status = nil
        }
        before = Self.lines(account, situation.current?.key ?? key)
    }

    /// Notes a step that has been taken, or would be.
    mutating func note(_ step: AccountStep) {
        switch step {
        case .endKeyChange: sentences.append("a change of the key that had broken off was ended")
        case .resendKeyChange: sentences.append("a change of the key that had broken off was made")
        case .takeKey: sentences.append("the key of new_account_key_src is in the place of the old one")
        case .open:
            status = "valid"
            sentences.append(
                lost.map { "the CA did not know the account \($0) any more, and a new one was made" }
                    ?? "an account was made")
        case .changeContacts: sentences.append("the contacts were brought up to date")
        case .changeKey: sentences.append("the account has another key")
        case .deactivate:
            status = "deactivated"
            sentences.append("the account was deactivated")
        case .forget: sentences.append(forgotten)
        }
    }

    private var forgotten: String {
        let key = options.account.keySource.map { "; its key \($0) is left, and is of no more use there" } ?? ""
        return "what was kept of the account here was removed" + key
    }

    /// The same under check mode, where keys and URLs that are still to be made are not known.
    mutating func predict(_ step: AccountStep, _ situation: AccountSituation) {
        switch step {
        case .endKeyChange, .deactivate, .forget: break
        case .takeKey:
            key = situation.wanted?.key
            account = situation.wanted?.state.record
        case .open: account = nil
        case .changeContacts: account?.contacts = options.account.contacts
        case .resendKeyChange: key = situation.next?.key
        case .changeKey: key = situation.wanted?.key
        }
        note(step)
    }

    func result(failure: String? = nil) -> ModuleResult {
        let isChanged = !sentences.isEmpty
        var fields: [String: JSONValue] = [
            "account_url": .optional(account?.url), "account_key": .string(options.keyPath),
            "contacts": .strings(account?.contacts ?? []), "status": .optional(status),
            "thumbprint": .optional(key.map { Base64URL.encode($0.thumbprint()) }),
        ]
        if isChanged { fields["diff"] = diff }
        let done = isChanged ? sentences.joined(separator: "; ") : Self.nothing
        guard let failure else { return ModuleResult(changed: isChanged, msg: done, fields: fields) }
        return .failure(isChanged ? "\(failure) (after this: \(done))" : failure, changed: isChanged, fields: fields)
    }

    private var diff: JSONValue {
        let after = options.state == .absent ? "" : Self.lines(account, key)
        return [
            "before": .string(before), "after": .string(after),
            "before_header": "account", "after_header": "account",
        ]
    }

    private static func lines(_ account: AccountRecord?, _ key: PrivateKey?) -> String {
        guard account != nil || key != nil else { return "" }
        let thumbprint = key.map { Base64URL.encode($0.thumbprint()) } ?? "a new one"
        let contacts = (account?.contacts ?? []).joined(separator: ", ")
        return "account: \(account?.url ?? "none")\ncontacts: \(contacts)\nkey: \(thumbprint)\n"
    }
}
