package import FoundationEssentials
package import HTTP
package import Platform

/// When a CA wants a certificate to be renewed (RFC 9773, section 4.2).
package struct RenewalInformation: Sendable, Equatable {
    package var start: Date
    package var end: Date
    /// A page for people: why the window is as it is.
    package var explanationURL: String?
    /// The moment before which the CA does not want to be asked again.
    package var checkAgain: Date

    package init(start: Date, end: Date, explanationURL: String?, checkAgain: Date) {
        self.start = start
        self.end = end
        self.explanationURL = explanationURL
        self.checkAgain = checkAgain
    }

    private struct Message: Decodable {
        struct Window: Decodable {
            let start: String
            let end: String
        }

        let suggestedWindow: Window
        let explanationURL: String?
    }

    /// Seconds between two questions: what the CA asks for within these bounds (section 4.3), six hours where it does
    /// not say, one after a failure.
    package static let bounds = 60.0...86_400
    private static let usual = 21_600.0
    private static let afterFailure = 3600.0

    /// Asks for many certificates at once, unsigned and without another try: the next run asks again. `base` is the
    /// directory's `renewalInfo`, an identifier that of a certificate (section 4.1). An error's `retryAfter` is always
    /// set.
    package static func fetch(
        _ wanted: [(base: String, identifier: String)], transport: any Transport, deadline: Deadline
    ) -> [Result<RenewalInformation, ACMEError>] {
        let requests = wanted.map { base, identifier in
            HTTPRequest(.get, "\(base)/\(identifier)", headers: [HTTPField("Accept", "application/json")])
        }
        let results = transport.perform(requests, deadline: deadline)
        let now = deadline.clock.now
        return zip(requests, results).map { request, result in
            do {
                return .success(try read(result, of: request, now: now))
            } catch let error as ACMEError {
                return .failure(error)
            } catch {
                return .failure(Self.failure("\(error)", now: now))
            }
        }
    }

    private static let purpose = "read the CA's renewal information"

    private static func read(
        _ result: Result<HTTPResponse, HTTPError>, of request: HTTPRequest, now: Date
    ) throws -> RenewalInformation {
        let reply = Reply(response: try result.get(), url: request.url, purpose: purpose)
        let asked = reply.retryAfter(now: now)
        guard reply.isSuccess else {
            let refusal = ACMEError(purpose, refusedBy: reply)
            throw failure(refusal.reason, now: now, after: asked)
        }
        let message: Message
        do throws(ACMEError) {
            message = try reply.decode(Message.self)
        } catch {
            throw failure(error.reason, now: now, after: asked)
        }
        guard let start = RFC3339.parse(message.suggestedWindow.start),
            let end = RFC3339.parse(message.suggestedWindow.end), start < end
        else { throw failure("its window is no span of time", now: now, after: asked) }
        return RenewalInformation(
            start: start, end: end, explanationURL: message.explanationURL,
            checkAgain: now.addingTimeInterval(bounded(asked ?? usual)))
    }

    private static func failure(_ reason: String, now: Date, after seconds: Double? = nil) -> ACMEError {
        var error = ACMEError(purpose, reason)
        error.retryAfter = now.addingTimeInterval(bounded(seconds ?? afterFailure))
        return error
    }

    private static func bounded(_ seconds: Double) -> Double {
        min(max(seconds, bounds.lowerBound), bounds.upperBound)
    }
}

enum RFC3339 {
    /// A moment, its fraction of a second left out; nil for what is none.
    static func parse(_ text: String) -> Date? {
        let parts = text.split(separator: ".", maxSplits: 1)
        guard parts.count == 2 else { return try? Date(text, strategy: .iso8601) }
        return try? Date(String(parts[0] + parts[1].drop { $0.isNumber }), strategy: .iso8601)
    }
}
