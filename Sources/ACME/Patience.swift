internal import FoundationEssentials
internal import HTTP

/// What becomes of a call after an answer, or after the lack of one.
enum Verdict {
    case done(Reply)
    case again(after: Double, because: ACMEError)
    case failed(ACMEError)
}

/// How often, and after which pauses, one call is tried again.
struct Patience {
    static let nonceRefusals = 100
    static let missing = 4
    static let briefFailures = 4
    static let serverErrors = 8

    private var refusedNonces = 0
    private var misses = 0
    private var failures = 0

    /// Judges what came back. `remaining` is the time left, in seconds.
    mutating func judge(
        _ result: Result<HTTPResponse, HTTPError>, of call: Call, now: Date, remaining: Double
    ) -> Verdict {
        switch result {
        case .failure(let error): judge(error, call, remaining)
        case .success(let response):
            judge(Reply(response: response, url: call.url, purpose: call.purpose), call, now: now, remaining: remaining)
        }
    }

    private mutating func judge(_ error: HTTPError, _ call: Call, _ remaining: Double) -> Verdict {
        let sentence = ACMEError(call.purpose, error.description)
        failures += 1
        switch error.retry {
        case .never: return .failed(sentence)
        case .briefly where failures > Self.briefFailures: return .failed(sentence)
        case .briefly, .freely: return again(after: growing(from: 0.5, step: failures), sentence, remaining)
        }
    }

    private mutating func judge(_ reply: Reply, _ call: Call, now: Date, remaining: Double) -> Verdict {
        if reply.isSuccess { return .done(reply) }
        let error = ACMEError(call.purpose, refusedBy: reply)
        if error.problem?.kind == .badNonce {
            refusedNonces += 1
            guard refusedNonces <= Self.nonceRefusals else { return .failed(error) }
            return again(after: refusedNonces > 20 ? 0.2 : 0, error, remaining)
        }
        if reply.status == 404 && call.isFresh && misses < Self.missing {
            misses += 1
            return again(after: growing(from: 0.25, step: misses), error, remaining)
        }
        guard Self.isPassing(reply.status) || error.problem?.kind == .rateLimited else { return .failed(error) }
        return postpone(error, asked: reply.retryAfter(now: now), now: now, remaining: remaining)
    }

    /// Too many requests, and the ways in which a server says that it cannot just now.
    private static func isPassing(_ status: Int) -> Bool {
        status == 408 || status == 429 || (500...504).contains(status) && status != 501
    }

    /// Waits as long as the server asks; a limit without such a time, as that of a paused account, is no matter of
    /// seconds, and trying again at once would only prolong it.
    private mutating func postpone(
        _ error: ACMEError, asked: Double?, now: Date, remaining: Double
    ) -> Verdict {
        failures += 1
        guard let asked else {
            if error.problem?.kind == .rateLimited { return .failed(error) }
            if error.status == 500 && failures > Self.serverErrors { return .failed(error) }
            return again(after: growing(from: 0.5, step: failures), error, remaining)
        }
        guard asked < remaining else { return .failed(error.tryAgain(at: now.addingTimeInterval(asked))) }
        // "At once" is no pace to go on with for a server that stays in trouble.
        return again(after: asked >= 1 ? asked : growing(from: 0.5, step: failures), error, remaining)
    }

    private func again(after seconds: Double, _ error: ACMEError, _ remaining: Double) -> Verdict {
        guard seconds < remaining else {
            var last = error
            last.reason += "; no time is left for another try"
            return .failed(last)
        }
        return .again(after: seconds, because: error)
    }

    /// Doubles with each step up to ten seconds, give or take a quarter so that a fleet spreads itself.
    private func growing(from first: Double, step: Int) -> Double {
        min(first * Double(1 << min(step - 1, 10)), 10) * Double.random(in: 0.75...1.25)
    }
}

extension ACMEError {
    /// The same, with the moment that the server named.
    func tryAgain(at date: Date) -> ACMEError {
        var error = self
        error.reason += "; the CA asks to wait until \(date.formatted(.iso8601)), which is past this run's time limit"
        error.retryAfter = date
        return error
    }
}
