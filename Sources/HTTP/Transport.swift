package import Platform

/// Something that carries requests to servers and brings their answers back.
package protocol Transport {
    /// Sends all requests at once and returns when each has its answer or its error, in the order of the requests.
    /// No redirect is followed; a status of 400 and above is an answer, not an error.
    func perform(_ requests: [HTTPRequest], deadline: Deadline) -> [Result<HTTPResponse, HTTPError>]
}

/// A request that got no answer: which host, and why in one sentence.
package struct HTTPError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Whether the same request may fare better in a moment.
    package enum Retry: Sendable, Equatable {
        /// The connection could not be made, broke or took too long: as long as there is time.
        case freely
        /// A name that does not resolve, a handshake that does not succeed: more often wrong than busy.
        case briefly
        /// An untrusted certificate, an answer that is too large, a URL that is none.
        case never
    }

    package let host: String
    package let reason: String
    package let retry: Retry

    package init(host: String, reason: String, retry: Retry) {
        self.host = host
        self.reason = reason
        self.retry = retry
    }

    package var description: String { host.isEmpty ? reason : "no answer from \(host): \(reason)" }
}
