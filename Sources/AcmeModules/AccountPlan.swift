internal import ACME
internal import PKI
internal import Store

/// One thing that `acme_account` does.
enum AccountStep: Equatable {
    /// The CA has got the new key, but the run that changed it broke off.
    case endKeyChange
    /// A change that broke off, and of which the CA shows nothing, is sent again with the same key: it may be late.
    case resendKeyChange
    /// The key of `new_account_key_src` takes the account key's place here; the CA need not be told.
    case takeKey
    case open
    case changeContacts
    case changeKey
    case deactivate
    case forget
}

/// A key and what the CA says of it.
struct KnownKey {
    let key: PrivateKey
    let state: AccountState
}

/// What there is before anything is changed.
struct AccountSituation {
    /// The key in its place; nil where there is none.
    var current: KnownKey?
    /// The key of a change that broke off; nil where none did.
    var next: KnownKey?
    /// The key of `new_account_key_src`; nil where none is wanted or where it is the current one.
    var wanted: KnownKey?
    /// What this host knew of the current key's account.
    var remembered: AccountRecord?
    /// Whether anything is kept here that `absent` would remove.
    var isAnythingKept = false

    /// The key that counts: the next one, where the CA has it already.
    var effective: KnownKey? { next?.state.record == nil ? current : next }
}

/// What has to be done, decided from what there is, so that check mode says what would be done.
struct AccountPlan {
    let steps: [AccountStep]

    init(_ options: ManageAccountOptions, _ situation: AccountSituation) throws(StoreError) {
        switch options.state {
        case .absent: steps = Self.ending(situation)
        case .present: steps = try Self.presence(options, situation)
        }
    }

    private static func ending(_ situation: AccountSituation) -> [AccountStep] {
        let isValid = situation.effective?.state.record != nil
        return (isValid ? [.deactivate] : []) + (situation.isAnythingKept ? [.forget] : [])
    }

    private static func presence(
        _ options: ManageAccountOptions, _ situation: AccountSituation
    ) throws(StoreError) -> [AccountStep] {
        var steps: [AccountStep] = situation.next?.state.record == nil ? [] : [.endKeyChange]
        var known = situation.effective
        var isUnderWay = situation.next?.state == .missing
        var isChanged = false
        if let wanted = situation.wanted, wanted.key.publicKeyInfo != known?.key.publicKeyInfo {
            isChanged = try isTold(of: wanted, instead: known, options)
            if !isChanged {
                steps.append(.takeKey)
                known = wanted
                // The CA takes no change from a key that is not the account's any more.
                isUnderWay = false
            }
            if wanted.key.publicKeyInfo == situation.next?.key.publicKeyInfo { isChanged = false }
        } else if options.key == .rotate, steps.isEmpty, !isUnderWay, known?.state.record != nil {
            isChanged = true
        }
        switch known?.state {
        case .missing, nil: steps.append(.open)
        case .valid(let account):
            if account.hasToBeTold(options.account.contacts, after: situation.remembered) {
                steps.append(.changeContacts)
            }
        case .ended(let reason):
            throw StoreError(
                "the account of the key \(options.keyPath) at \(options.directory) has ended for good (\(reason)): "
                    + "remove that file, or put another key there, and run this again")
        }
        return steps + (isUnderWay ? [.resendKeyChange] : []) + (isChanged ? [.changeKey] : [])
    }

    /// Whether the CA has to be told of the wanted key. It knows it where another host that shares the account told it,
    /// and where it knows neither key it is told with the new account.
    private static func isTold(
        of wanted: KnownKey, instead known: KnownKey?, _ options: ManageAccountOptions
    ) throws(StoreError) -> Bool {
        let refusal = "the key of new_account_key_src cannot become that of the account: "
        switch (wanted.state, known?.state) {
        case (.ended(let reason), _): throw StoreError(refusal + "it had one that has ended for good (\(reason))")
        case (.valid(let its), .valid(let ours)) where its.url != ours.url:
            throw StoreError(
                refusal + "it belongs to \(its.url) already, and the account is \(ours.url); to use that other one, "
                    + "give its key as account_key_src")
        case (.missing, .valid): return true
        case (.valid, _), (.missing, _): return false
        }
    }
}
