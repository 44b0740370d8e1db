internal import FoundationEssentials
internal import Names

/// From a wish to an open order with its challenges (RFC 8555, sections 7.4 and 7.5), perhaps by way of the order
/// that an earlier run left behind.
struct OpeningFlow {
    private enum Stage {
        case resuming(OpenOrder)
        case ordering(replaces: String?)
        case authorizing(OpenOrder, isResumed: Bool)
    }

    private struct NewOrder: Encodable {
        let identifiers: [Identifier]
        let profile: String?
        let replaces: String?
    }

    let wanted: OrderRequest
    let directory: Directory
    let thumbprint: [UInt8]
    private var stage = Stage.ordering(replaces: nil)
    /// Orders that were of no use after all: the CA may still hold authorizations of theirs.
    private(set) var lost: [OpenOrder] = []

    init(_ wanted: OrderRequest, _ directory: Directory, thumbprint: [UInt8]) {
        self.wanted = wanted
        self.directory = directory
        self.thumbprint = thumbprint
    }

    private var title: String { OpenOrder.title(wanted.names.map(\.description)) }

    mutating func start(now: Date) -> Step<OpenOrder> {
        guard let old = wanted.resume, isUsable(old.names, old.status, old.expires, now) else { return orderAnew() }
        stage = .resuming(old)
        return .send([.fetch(old.url, "take up the order for \(title)")])
    }

    /// `opened` hears of a new order as soon as the CA has made it.
    mutating func receive(
        _ results: [Result<Reply, ACMEError>], now: Date, opened: (OpenOrder) -> Void
    ) -> Step<OpenOrder> {
        do throws(ACMEError) {
            switch stage {
            case .resuming(let old): return try resume(old, results, now)
            case .ordering(let replaces): return try adoptNew(results, replaces, opened)
            case .authorizing(let order, let isResumed): return try authorize(order, isResumed, results)
            }
        } catch {
            if case .authorizing(let order, _) = stage, error.orderIsLost { lost.append(order) }
            return .done(.failure(error))
        }
    }

    /// A new order instead of the one that was left behind.
    private mutating func replace(_ old: OpenOrder) -> Step<OpenOrder> {
        lost.append(old)
        return orderAnew()
    }

    private mutating func orderAnew() -> Step<OpenOrder> {
        order(replaces: directory.renewalInfo == nil ? nil : wanted.replaces)
    }

    private mutating func order(replaces: String?) -> Step<OpenOrder> {
        stage = .ordering(replaces: replaces)
        let purpose = wanted.purpose
        let identifiers = wanted.names.map { Identifier(type: "dns", value: $0.description) }
        let message = NewOrder(identifiers: identifiers, profile: wanted.profile, replaces: replaces)
        do throws(ACMEError) {
            try directory.checkProfile(of: wanted)
            return .send([try .post(message, to: directory.newOrder, purpose)])
        } catch {
            return .done(.failure(error))
        }
    }

    /// The order that was left behind counts unless the CA has forgotten or ended it.
    private mutating func resume(
        _ old: OpenOrder, _ results: [Result<Reply, ACMEError>], _ now: Date
    ) throws(ACMEError) -> Step<OpenOrder> {
        let reply: Reply
        do throws(ACMEError) {
            reply = try results.only()
        } catch {
            if error.isFinal { return replace(old) }
            throw error
        }
        guard let object = try? reply.decode(Order.self) else { return replace(old) }
        let current = OpenOrder(object, at: old.url)
        guard isUsable(current.names, current.status, current.expires, now) else { return replace(old) }
        return authorizations(of: current, isResumed: true)
    }

    private func isUsable(_ names: [String], _ status: OrderStatus, _ expires: Date?, _ now: Date) -> Bool {
        guard Set(names) == Set(wanted.names.map(\.description)), status != .invalid else { return false }
        return expires.map { $0.timeIntervalSince(now) > 60 } ?? true
    }

    private mutating func adoptNew(
        _ results: [Result<Reply, ACMEError>], _ replaces: String?, _ opened: (OpenOrder) -> Void
    ) throws(ACMEError) -> Step<OpenOrder> {
        // A CA refuses to have a certificate replaced twice, as after a run that broke off half way, and one that is
        // another account's: the order itself is fine (RFC 9773, section 5).
        if replaces != nil, case .failure(let error)? = results.first, error.concernsReplacement {
            return order(replaces: nil)
        }
        let reply = try results.only()
        let object = try reply.decode(Order.self)
        var order = OpenOrder(object, at: try reply.location())
        order.replaces = replaces
        guard Set(order.names) == Set(wanted.names.map(\.description)) else {
            throw ACMEError(reply.purpose, "the CA's order is for \(order.title) instead")
        }
        if let wish = wanted.profile, let profile = object.profile, profile != wish {
            throw ACMEError(reply.purpose, "the CA's order is for the profile \(profile) instead of \(wish)")
        }
        opened(order)
        guard order.status != .invalid else {
            var error = ACMEError(reply.purpose, "the new order is invalid")
            if let problem = object.error { error.reason += ": \(problem)" }
            lost.append(order)
            throw error.endingOrder(object.error)
        }
        return authorizations(of: order, isResumed: false)
    }

    private mutating func authorizations(of order: OpenOrder, isResumed: Bool) -> Step<OpenOrder> {
        guard order.status == .pending, !order.authorizations.isEmpty else { return .done(.success(order)) }
        stage = .authorizing(order, isResumed: isResumed)
        let purpose = "fetch the authorizations for \(title)"
        return .send(
            order.authorizations.map { url in
                var call = Call.fetch(url, purpose, isFresh: !isResumed)
                // Not while orders are made: Pebble 2.4 locks up for good where the two meet.
                call.turn = 1
                return call
            })
    }

    private mutating func authorize(
        _ order: OpenOrder, _ isResumed: Bool, _ results: [Result<Reply, ACMEError>]
    ) throws(ACMEError) -> Step<OpenOrder> {
        var order = order
        do throws(ACMEError) {
            for (url, result) in zip(order.authorizations, results) {
                let authorization = try result.get().decode(Authorization.self)
                try checkName(of: authorization)
                if let challenge = try authorization.challenge(at: url, thumbprint: thumbprint) {
                    order.challenges.append(challenge)
                }
            }
        } catch {
            if isResumed && (error.isFinal || error.orderIsLost) { return replace(order) }
            throw error
        }
        return .done(.success(order))
    }
}

extension OpeningFlow {
    /// No TXT record is asked for at a name that is not among the wanted ones.
    private func checkName(of authorization: Authorization) throws(ACMEError) {
        guard !wanted.names.contains(where: { $0.base.description == authorization.domain }) else { return }
        var error = ACMEError("authorize \(title)", "the CA's authorization is for \(authorization.name) instead")
        error.orderIsLost = true
        throw error
    }
}

extension [Result<Reply, ACMEError>] {
    /// The result of a step that sent one call.
    func only() throws(ACMEError) -> Reply {
        guard let first else { throw ACMEError("go on", "a step without a request was answered") }
        return try first.get()
    }
}
