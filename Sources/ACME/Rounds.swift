internal import FoundationEssentials
internal import HTTP
internal import PKI
internal import Platform

/// What a piece of work wants next.
enum Step<Output> {
    /// These calls at once, and to hear of them when all have been answered.
    case send([Call], after: Wait = .none)
    case done(Result<Output, ACMEError>)
}

/// How long a step waits before it sends.
enum Wait {
    case none
    case own(seconds: Double)
    /// The server's Retry-After.
    case asked(seconds: Double)
}

/// Works on many things at once: in a *round* everything that is due is signed and sent together, then all answers
/// are judged. Each thing goes its own way; what befalls one does not touch the others.
final class Rounds {
    private let transport: any Transport
    private let key: PrivateKey
    private let clock: any Clock
    let nonces: Nonces
    /// Where nonces are, once the directory is known.
    var newNonce: String?
    /// The account's URL, which signs instead of the key once it is known.
    var kid: String?
    /// How many requests the work at hand will have in flight at once, so that nonces are fetched in one go.
    var width = 0

    init(transport: any Transport, key: PrivateKey, clock: any Clock, nonces: Nonces) {
        self.transport = transport
        self.key = key
        self.clock = clock
        self.nonces = nonces
    }

    /// Takes every step until all work is done. `next` is told the index of the work and the results of its calls.
    func run<Output>(
        _ first: [Step<Output>], until deadline: Deadline,
        next: (Int, [Result<Reply, ACMEError>]) -> Step<Output>
    ) -> [Result<Output, ACMEError>] {
        var outputs = [Result<Output, ACMEError>?](repeating: nil, count: first.count)
        var flights = [[Flight]](repeating: [], count: first.count)
        for (index, step) in first.enumerated() { take(step, &flights[index], &outputs[index], deadline) }
        while true {
            for index in outputs.indices {
                while outputs[index] == nil, let results = Self.results(flights[index]) {
                    take(next(index, results), &flights[index], &outputs[index], deadline)
                }
            }
            let open = flights.joined().filter { $0.result == nil }
            if open.isEmpty { break }
            advance(open, deadline)
        }
        return outputs.compactMap { $0 }
    }

    private static func results(_ flights: [Flight]) -> [Result<Reply, ACMEError>]? {
        let results = flights.compactMap(\.result)
        return results.count == flights.count ? results : nil
    }

    private func take<Output>(
        _ step: Step<Output>, _ flights: inout [Flight], _ output: inout Result<Output, ACMEError>?,
        _ deadline: Deadline
    ) {
        switch step {
        case .done(let result):
            output = result
            flights = []
        case .send(let calls, let wait):
            flights = calls.map { Flight($0, due: clock.uptime + wait.seconds) }
            guard wait.seconds >= deadline.remaining else { return }
            for flight in flights { flight.result = .failure(lateness(flight.call, wait)) }
        }
    }

    /// One round, or the pause before it.
    private func advance(_ open: [Flight], _ deadline: Deadline) {
        if deadline.hasPassed {
            for flight in open { flight.result = .failure(flight.lastError ?? lateness(flight.call, .none)) }
            return
        }
        let now = clock.uptime
        let due = open.filter { $0.due <= now }
        if let turn = due.map(\.call.turn).min() {
            send(due.filter { $0.call.turn == turn }, deadline)
        } else {
            deadline.pause(seconds: (open.map(\.due).min() ?? now) - now)
        }
    }

    private func send(_ due: [Flight], _ deadline: Deadline) {
        let signed = due.filter(\.call.isSigned)
        if !signed.isEmpty { provide(signed, deadline) }
        let chosen = signed.filter { $0.result == nil }.prefix(nonces.unused.count) + due.filter { !$0.call.isSigned }
        var requests: [(Flight, HTTPRequest)] = []
        for flight in chosen {
            do throws(ACMEError) {
                requests.append((flight, try request(flight.call)))
            } catch {
                flight.result = .failure(error)
            }
        }
        let results = transport.perform(requests.map(\.1), deadline: deadline)
        for (result, (flight, _)) in zip(results, requests) {
            if case .success(let response) = result { nonces.take(from: response) }
            judge(result, of: flight, deadline)
        }
    }

    /// Fetches nonces for these flights; they fare as the request for nonces did where there are none.
    private func provide(_ signed: [Flight], _ deadline: Deadline) {
        guard let newNonce else {
            for flight in signed {
                flight.result = .failure(ACMEError(flight.call.purpose, "the CA's directory has not been read yet"))
            }
            return
        }
        let refusal = nonces.fill(
            to: max(signed.count, width), from: newNonce, through: transport, deadline: deadline)
        width = 0
        guard let refusal else { return }
        for flight in signed { judge(refusal, of: flight, deadline) }
    }

    private func judge(_ result: Result<HTTPResponse, HTTPError>, of flight: Flight, _ deadline: Deadline) {
        switch flight.patience.judge(result, of: flight.call, now: clock.now, remaining: deadline.remaining) {
        case .done(let reply): flight.result = .success(reply)
        case .failed(var error):
            error.earlier = flight.lastError?.reason
            flight.result = .failure(error)
        case .again(let seconds, let error):
            flight.due = clock.uptime + seconds
            flight.lastError = error
        }
    }

    private func request(_ call: Call) throws(ACMEError) -> HTTPRequest {
        let accepted = HTTPField("Accept", call.accept ?? "application/json")
        guard let payload = call.bytes else { return HTTPRequest(.get, call.url, headers: [accepted]) }
        guard let nonce = nonces.next() else { throw ACMEError(call.purpose, "the CA gives out no nonces") }
        let identity: JWS.Identity
        switch call.identity {
        case .key: identity = .key
        case .account:
            guard let kid else { throw ACMEError(call.purpose, "no account has been opened at the CA") }
            identity = .account(url: kid)
        }
        let message = try JWS(
            payload, url: call.url, nonce: nonce, identity: identity, key: key, for: call.purpose)
        return HTTPRequest(
            .post, call.url, headers: [accepted, HTTPField("Content-Type", "application/jose+json")],
            body: try JSON.encode(message, for: call.purpose))
    }

    private func lateness(_ call: Call, _ wait: Wait) -> ACMEError {
        let error = ACMEError(call.purpose, "the time limit is reached")
        guard case .asked(let seconds) = wait else { return error }
        return error.tryAgain(at: clock.now.addingTimeInterval(seconds))
    }
}

/// A call on its way to a final answer.
private final class Flight {
    let call: Call
    /// The earliest moment of the next try, on the clock that does not step back.
    var due: Double
    var patience = Patience()
    var lastError: ACMEError?
    var result: Result<Reply, ACMEError>?

    init(_ call: Call, due: Double) {
        self.call = call
        self.due = due
    }
}

extension Wait {
    fileprivate var seconds: Double {
        switch self {
        case .none: 0
        case .own(let seconds), .asked(let seconds): seconds
        }
    }
}

extension Call {
    fileprivate var isSigned: Bool { bytes != nil }

    /// The payload to sign; nil for what nobody signs.
    fileprivate var bytes: [UInt8]? {
        switch payload {
        case .none: nil
        case .empty: []
        case .json(let bytes): bytes
        }
    }
}
