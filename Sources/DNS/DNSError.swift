package import Names

/// Why a question was not answered.
package enum DNSError: Error, Equatable, CustomStringConvertible {
    /// No answer within the time that was given.
    case timedOut(server: ServerAddress, question: Question)
    /// The system could not deliver the question or lost the connection; `reason` is its own word for it.
    case unreachable(server: ServerAddress, question: Question, reason: String)
    /// The server answered with an error code (RFC 1035, section 4.1.1): SERVFAIL, REFUSED, ...
    case answered(server: ServerAddress, question: Question, code: ResponseCode)
    /// The answer breaks the protocol.
    case malformed(server: ServerAddress, question: Question, reason: String)
    /// The question was answered: there is no such record.
    case noRecord(server: ServerAddress, question: Question)
    /// The aliases of a name lead back to one of themselves, or through more names than anyone follows.
    case endlessAliases(DNSName)
    /// The question cannot be written as a message.
    case unaskable(Question)
    /// There is no server to ask.
    case noServers

    package var description: String {
        switch self {
        case .timedOut(let server, let question): "\(server) did not answer in time when asked for \(question)"
        case .unreachable(let server, let question, let reason):
            "\(server) could not be asked for \(question): \(reason)"
        case .answered(let server, let question, let code): "\(server) answered \(code) when asked for \(question)"
        case .malformed(let server, let question, let reason):
            "\(server) sent an answer that \(reason) when asked for \(question)"
        case .noRecord(let server, let question): "\(server) says that there is no \(question)"
        case .endlessAliases(let name): "the CNAME records of \(name) lead round in a circle"
        case .unaskable(let question): "no DNS message can hold a question for \(question)"
        case .noServers: "there is no DNS server to ask: none was given and /etc/resolv.conf names none"
        }
    }
}
