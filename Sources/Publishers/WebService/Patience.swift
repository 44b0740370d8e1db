internal import FoundationEssentials
internal import HTTP
internal import Platform

/// How often, and after which pauses, one request to a DNS service's API is sent again. The requests of our providers
/// may be repeated: what the first one has done already is a duplicate, or gone, and both are looked at.
struct Patience {
    /// What becomes of a request after an answer, or after the lack of one.
    enum Verdict {
        /// An answer that waiting does not mend: success, or a fault of the request.
        case done(HTTPResponse)
        /// Seconds after which to try again.
        case again(Double)
        /// Why no other try is worth it or possible.
        case failed(String)
    }

    /// Tries after failures that are seldom of the moment: names that do not resolve, faults that name no time.
    private static let briefFailures = 4

    /// Whether a 413 that names no time may be a limit of requests; otherwise it is a quota that is used up.
    let waitsWithoutTime: Bool
    private var failures = 0

    init(waitsWithoutTime: Bool) { self.waitsWithoutTime = waitsWithoutTime }

    /// Judges what came back before the deadline; `said` has the service's words in an answer.
    mutating func judge(
        _ result: Result<HTTPResponse, HTTPError>, _ deadline: Deadline,
        said: (HTTPResponse) -> String = { "status \($0.status)" }
    ) -> Verdict {
        let (now, remaining) = (deadline.clock.now, deadline.remaining)
        switch result {
        case .failure(let error): return judge(error, remaining)
        case .success(let response):
            let asked = RetryTime.seconds(of: response, now: now)
            guard isPassing(response.status, asked) else { return .done(response) }
            failures += 1
            let isOver = asked == nil && [413, 500].contains(response.status) && failures > Self.briefFailures
            if isOver { return .done(response) }
            return again(asked, now, remaining, "it answered \(said(response))")
        }
    }

    private mutating func judge(_ error: HTTPError, _ remaining: Double) -> Verdict {
        failures += 1
        let isOver = error.retry == .never || error.retry == .briefly && failures > Self.briefFailures
        return isOver ? .failed(error.reason) : again(remaining, error.reason)
    }

    private func isPassing(_ status: Int, _ asked: Double?) -> Bool {
        switch status {
        case 408, 429, 500, 502, 503, 504: true
        case 413: asked != nil || waitsWithoutTime
        default: false
        }
    }

    private func again(_ asked: Double?, _ now: Date, _ remaining: Double, _ reason: String) -> Verdict {
        guard let asked else { return again(remaining, reason) }
        guard asked < remaining else {
            let moment = now.addingTimeInterval(asked).formatted(.iso8601)
            return .failed(
                "\(reason); it asks to wait until \(moment), which is past this run's time limit: run again then, or "
                    + "raise timeout")
        }
        return .again(max(asked, 0.5))
    }

    /// After a pause that doubles with each failure up to ten seconds, give or take a quarter so that a fleet spreads.
    private func again(_ remaining: Double, _ reason: String) -> Verdict {
        let pause = min(0.5 * Double(1 << min(failures - 1, 10)), 10) * Double.random(in: 0.75...1.25)
        guard pause < remaining else { return .failed("\(reason); no time is left for another try: run again") }
        return .again(pause)
    }
}

/// When a request may be sent again: `Reply-After` is what Cloud DNS documents (ISO 8601), `Retry-After` what it was
/// seen to send (RFC 9110, section 10.2.3: seconds or a date). Each is read in any of these forms.
enum RetryTime {
    /// Seconds from `now`, never less than zero; nil where no header names a time.
    static func seconds(of response: HTTPResponse, now: Date) -> Double? {
        for name in ["Reply-After", "Retry-After"] {
            guard let text = response.header(name) else { continue }
            if let seconds = Int(text), seconds >= 0 { return Double(seconds) }
            if let date = HTTPDate.parse(text) ?? iso8601(text) { return max(0, date.timeIntervalSince(now)) }
        }
        return nil
    }

    /// With or without a fraction of a second; a time without a zone is UTC. A fraction is rounded up.
    private static func iso8601(_ text: String) -> Date? {
        guard let match = text.wholeMatch(of: /([0-9-]+T[0-9:]{8})(\.[0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})?/) else {
            return nil
        }
        let zone = match.3.map { $0.filter { $0 != ":" } } ?? "Z"
        let whole = try? Date("\(match.1)\(zone == "+0000" ? "Z" : zone)", strategy: .iso8601)
        return whole?.addingTimeInterval(match.2 == nil ? 0 : 1)
    }
}
