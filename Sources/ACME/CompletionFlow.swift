internal import FoundationEssentials
internal import HTTP
internal import PKI

/// From an open order to the certificate (RFC 8555, sections 7.5.1 and 7.4): answer, poll, finalize, poll, download,
/// beginning wherever the order is.
struct CompletionFlow {
    private enum Stage {
        case answering
        /// The CA refused answers: perhaps only because they were no longer needed.
        case checking(refusals: [ACMEError])
        case polling
        case finalizing
        case downloading
        case comparing(IssuedChain)
        case explaining(Order)
    }

    private struct Answer: Encodable {}

    private struct Finalization: Encodable {
        let csr: String
    }

    private static let finalizations = 20
    /// Polls for an order that waits for nothing that is known here.
    private static let patience = 5

    private let order: OpenOrder
    private let csr: [UInt8]
    private let wantsAlternates: Bool
    private var stage = Stage.polling
    private var refusals: [ACMEError] = []
    private var polls = 0
    private var finalized = 0
    private var isRequestedHere = false
    /// What the CA answered to a finalization that it may have begun all the same.
    private var trouble: String?

    init(_ request: CompletionRequest) {
        order = request.order
        csr = request.csr
        wantsAlternates = request.wantsAlternates
    }

    mutating func start() -> Step<IssuedChain> {
        attempt { flow throws(ACMEError) in
            switch flow.order.status {
            case .pending: flow.order.challenges.isEmpty ? flow.poll(.pending, .none) : try flow.answer()
            case .ready: try flow.finalize(after: .none)
            case .processing, .valid: flow.poll(flow.order.status, .none)
            case .invalid: flow.poll(.pending, .none)
            }
        }
    }

    mutating func receive(_ results: [Result<Reply, ACMEError>], now: Date) -> Step<IssuedChain> {
        attempt { flow throws(ACMEError) in
            switch flow.stage {
            case .answering: flow.noteAnswers(results)
            case .checking(let refusals): try flow.check(refusals, results)
            case .polling: try flow.follow(try Self.known(results), now)
            case .finalizing: try flow.noteFinalization(results, now)
            case .downloading: try flow.download(try results.only())
            case .comparing(let chain): flow.addAlternates(to: chain, results)
            case .explaining(let order): throw flow.explanation(order, results)
            }
        }
    }

    private mutating func attempt(
        _ body: (inout CompletionFlow) throws(ACMEError) -> Step<IssuedChain>
    ) -> Step<IssuedChain> {
        do throws(ACMEError) {
            return try body(&self)
        } catch {
            return .done(.failure(error))
        }
    }

    /// All challenges at once; the answer is "an empty JSON object" (RFC 8555, section 7.5.1).
    private mutating func answer() throws(ACMEError) -> Step<IssuedChain> {
        stage = .answering
        var calls: [Call] = []
        for challenge in order.challenges {
            calls.append(try .post(Answer(), to: challenge.url, "answer the challenge for \(challenge.domain)"))
        }
        return .send(calls)
    }

    private mutating func noteAnswers(_ results: [Result<Reply, ACMEError>]) -> Step<IssuedChain> {
        for case .failure(let error) in results { refusals.append(error) }
        return poll(.pending, .none)
    }

    private mutating func poll(_ status: OrderStatus, _ wait: Wait) -> Step<IssuedChain> {
        stage = .polling
        let purpose =
            status == .pending ? "get \(order.title) validated" : "get the certificate for \(order.title) issued"
        return .send([.fetch(order.url, purpose, isFresh: true)], after: wait)
    }

    /// The answer about the order; an order that the CA does not know (any more) is lost.
    private static func known(_ results: [Result<Reply, ACMEError>]) throws(ACMEError) -> Reply {
        do throws(ACMEError) {
            return try results.only()
        } catch {
            var error = error
            error.orderIsLost = error.isFinal
            throw error
        }
    }

    /// Does what the order's state calls for.
    private mutating func follow(_ reply: Reply, _ now: Date) throws(ACMEError) -> Step<IssuedChain> {
        let object = try reply.decode(Order.self)
        switch try object.next(reply.purpose) {
        case .wait:
            if object.status == .pending && order.challenges.isEmpty && polls >= Self.patience {
                throw ACMEError(reply.purpose, "its challenges are not known here; run acme_request_tokens again")
            }
            if object.status == .pending && !refusals.isEmpty {
                return lookAtAuthorizations(.checking(refusals: refusals))
            }
            return poll(object.status, pause(reply, now))
        case .finalize: return try finalize(after: finalized == 0 ? .none : .own(seconds: 1))
        case .download(let url):
            stage = .downloading
            return .send([chain(url)])
        case .explain: return lookAtAuthorizations(.explaining(object))
        }
    }

    /// What the server asks for, else 5 ms that double up to 3 s. Less than a second, the least that can be asked for,
    /// is no pace: it is how a server says "at once", or a moment that has passed.
    private mutating func pause(_ reply: Reply, _ now: Date) -> Wait {
        polls += 1
        let asked = reply.retryAfter(now: now) ?? 0
        if asked >= 1 { return .asked(seconds: asked) }
        return .own(seconds: max(asked, min(0.005 * Double(1 << min(polls - 1, 10)), 3)))
    }

    private mutating func lookAtAuthorizations(_ stage: Stage) -> Step<IssuedChain> {
        self.stage = stage
        return .send(order.authorizations.map { .fetch($0, "look at the authorizations for \(order.title)") })
    }

    /// Gives up only where an authorization is still without the answer that was refused.
    private mutating func check(
        _ refusals: [ACMEError], _ results: [Result<Reply, ACMEError>]
    ) throws(ACMEError) -> Step<IssuedChain> {
        for result in results {
            if try result.get().decode(Authorization.self).waitsForAnswer, var refusal = refusals.first {
                refusal.orderIsLost = refusal.isFinal
                throw refusal
            }
        }
        self.refusals = []
        return poll(.pending, .own(seconds: 0.1))
    }

    private mutating func finalize(after wait: Wait) throws(ACMEError) -> Step<IssuedChain> {
        let purpose = "finalize the order for \(order.title)"
        guard finalized < Self.finalizations else {
            let reason = "after \(finalized) finalizations the CA still says that the order is ready for one"
            throw ACMEError(purpose, reason).endingOrder(nil)
        }
        stage = .finalizing
        finalized += 1
        polls = 0
        return .send([try .post(Finalization(csr: Base64URL.encode(csr)), to: order.finalize, purpose)], after: wait)
    }

    private mutating func noteFinalization(
        _ results: [Result<Reply, ACMEError>], _ now: Date
    ) throws(ACMEError) -> Step<IssuedChain> {
        // "orderNotReady": the order is behind or ahead of what was thought; its state tells.
        if case .failure(let error)? = results.first, error.problem?.kind == .orderNotReady,
            finalized < Self.finalizations
        {
            trouble = error.earlier ?? trouble
            return poll(.processing, finalized == 1 ? .none : .own(seconds: 1))
        }
        let reply = try Self.known(results)
        isRequestedHere = true
        return try follow(reply, now)
    }

    private func chain(_ url: String) -> Call {
        var call = Call.fetch(url, "download the certificate for \(order.title)", isFresh: true)
        call.accept = "application/pem-certificate-chain"
        return call
    }

    private mutating func download(_ reply: Reply) throws(ACMEError) -> Step<IssuedChain> {
        var chain = IssuedChain(pem: try Self.certificates(reply))
        chain.isRequestedHere = isRequestedHere
        let alternates = wantsAlternates ? reply.links("alternate") : []
        guard !alternates.isEmpty else { return .done(.success(chain)) }
        stage = .comparing(chain)
        return .send(alternates.map(self.chain))
    }

    /// An alternate that cannot be had is none: the certificate is there all the same.
    private func addAlternates(to chain: IssuedChain, _ results: [Result<Reply, ACMEError>]) -> Step<IssuedChain> {
        var chain = chain
        chain.alternates = results.compactMap { try? Self.certificates($0.get()) }
        return .done(.success(chain))
    }

    private static func certificates(_ reply: Reply) throws(ACMEError) -> [UInt8] {
        let media = reply.response.mediaType ?? "no content type"
        guard media == "application/pem-certificate-chain" else {
            throw ACMEError(reply.purpose, "the CA answered with \(media) instead of application/pem-certificate-chain")
        }
        guard String(decoding: reply.response.body, as: UTF8.self).contains("-----BEGIN CERTIFICATE-----") else {
            throw ACMEError(reply.purpose, "the CA's answer holds no certificate")
        }
        return reply.response.body
    }

    /// Why an order became invalid: the names whose validation failed, or what the order itself says.
    private func explanation(_ object: Order, _ results: [Result<Reply, ACMEError>]) -> ACMEError {
        var problems: [Problem] = []
        var sentences: [String] = []
        for case .success(let reply) in results {
            guard let authorization = try? reply.decode(Authorization.self), authorization.status != .valid,
                let failure = authorization.failure
            else { continue }
            problems.append(failure)
            sentences.append("\(authorization.name): \(failure)")
        }
        if let problem = object.error, sentences.isEmpty {
            problems.append(problem)
            sentences.append(problem.description)
        }
        if sentences.isEmpty { sentences.append("the order became invalid" + (trouble.map { ": \($0)" } ?? "")) }
        return ACMEError("get a certificate for \(order.title)", sentences.joined(separator: "; "))
            .endingOrder(problems.first)
    }
}
