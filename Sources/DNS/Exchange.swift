internal import CResolv
internal import Glibc
internal import Platform

/// One question on its way to one server: over UDP, sent again where nothing comes, then over TCP where the answer
/// did not fit (RFC 7766). Owns its socket. Every step returns at once; `Transport` waits.
final class Exchange {
    private enum Phase {
        /// Waiting for a datagram; sent `sends` times, to be sent again at `next`.
        case datagram(sends: Int, next: Double)
        case connecting
        case writing(rest: ArraySlice<UInt8>)
        case reading(bytes: [UInt8])
    }

    /// Seconds after which a datagram is sent again; after the last of them the server counts as silent.
    private static let pauses: [Double] = [0.5, 1, 2]
    /// Seconds that a TCP conversation may take.
    private static let patience: Double = 5

    let question: Question
    let server: ServerAddress
    private let end: Double
    private(set) var descriptor: Int32 = -1
    private(set) var result: Result<Answer, DNSError>?
    private var phase = Phase.connecting
    private var conversationEnd = Double.infinity
    private var edns = true
    private var id = UInt16.random(in: .min ... .max)

    /// Begins to ask. `end` is the moment of `clock.uptime` at which the question is given up.
    init(_ question: Question, server: ServerAddress, now: Double, end: Double) {
        self.question = question
        self.server = server
        self.end = end
        startDatagram(now)
    }

    deinit { disconnect() }

    /// What `poll` is to wait for.
    var events: Int16 {
        switch phase {
        case .datagram, .reading: Int16(POLLIN)
        case .connecting, .writing: Int16(POLLOUT)
        }
    }

    /// When this exchange wants to be looked at again though nothing has arrived.
    var nextTurn: Double {
        if case .datagram(_, let next) = phase { min(next, end) } else { min(conversationEnd, end) }
    }

    /// Time has passed: sends the datagram again, or gives up.
    func tick(_ now: Double) {
        guard result == nil, now >= nextTurn else { return }
        guard now < end, case .datagram(let sends, _) = phase, sends < Self.pauses.count else {
            return finish(.failure(.timedOut(server: server, question: question)))
        }
        send(attempt: sends, now)
    }

    /// The socket is ready: takes the next step.
    func proceed(_ now: Double) {
        switch phase {
        case .datagram: receiveDatagrams(now)
        case .connecting: confirmConnection()
        case .writing(let rest): write(rest)
        case .reading(let bytes): read(bytes)
        }
    }

    private func startDatagram(_ now: Double) {
        guard open(SOCK_DGRAM) else { return }
        send(attempt: 0, now)
    }

    private func send(attempt: Int, _ now: Double) {
        phase = .datagram(sends: attempt + 1, next: now + Self.pauses[attempt])
        guard let message = message() else { return }
        let sent = Glibc.send(descriptor, message, message.count, Int32(MSG_NOSIGNAL))
        if sent < 0 && errno != EAGAIN { fail(errno) }
    }

    private func message() -> [UInt8]? {
        let message = question.message(id: id, edns: edns)
        if message == nil { finish(.failure(.unaskable(question))) }
        return message
    }

    private func receiveDatagrams(_ now: Double) {
        var buffer = [UInt8](repeating: 0, count: 65_535)
        while result == nil, case .datagram = phase {
            // The socket is connected: the system delivers only what comes from this server.
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return }
            guard count >= 0 else { return fail(errno) }
            accept(Array(buffer[..<count]), now)
        }
    }

    private func accept(_ message: [UInt8], _ now: Double) {
        switch parse(message) {
        case .failure(.unrelated): return
        case .failure(.malformed(let reason)): finish(malformed(reason))
        case .success(let answer):
            if answer.isTruncated {
                startConversation(now)
            } else if edns && (answer.code == .formatError || answer.code == .notImplemented) {
                // An old server that knows no EDNS is asked again without (RFC 6891, section 7).
                edns = false
                id = UInt16.random(in: .min ... .max)
                send(attempt: 0, now)
            } else {
                finish(.success(answer))
            }
        }
    }

    private func parse(_ message: [UInt8]) -> Result<Answer, AnswerParser.Failure> {
        Result { () throws(AnswerParser.Failure) -> Answer in
            try AnswerParser.parse(message, id: id, question: question)
        }
    }

    private func malformed(_ reason: String) -> Result<Answer, DNSError> {
        .failure(.malformed(server: server, question: question, reason: reason))
    }
}

// TCP
extension Exchange {
    private func startConversation(_ now: Double) {
        disconnect()
        id = UInt16.random(in: .min ... .max)
        conversationEnd = now + Self.patience
        phase = .connecting
        _ = open(SOCK_STREAM)
    }

    private func confirmConnection() {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return fail(errno) }
        guard code == 0 else { return fail(code) }
        guard let message = message() else { return }
        // Two bytes of length go before each message (RFC 1035, section 4.2.2).
        write(([UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message)[...])
    }

    private func write(_ bytes: ArraySlice<UInt8>) {
        let count = bytes.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count < 0 && errno != EAGAIN && errno != EINTR { return fail(errno) }
        let rest = bytes.dropFirst(max(0, count))
        phase = rest.isEmpty ? .reading(bytes: []) : .writing(rest: rest)
    }

    private func read(_ before: [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: 65_537)
        let count = recv(descriptor, &buffer, buffer.count - before.count, 0)
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return }
        guard count >= 0 else { return fail(errno) }
        let bytes = before + buffer[..<count]
        let length = bytes.count < 2 ? 0 : Int(bytes[0]) << 8 | Int(bytes[1])
        if bytes.count >= 2 && bytes.count >= length + 2 {
            conclude(Array(bytes[2..<(length + 2)]))
        } else if count == 0 {
            finish(malformed("breaks off"))
        } else {
            phase = .reading(bytes: bytes)
        }
    }

    private func conclude(_ message: [UInt8]) {
        switch parse(message) {
        case .success(let answer):
            finish(answer.isTruncated ? malformed("is cut short over TCP") : .success(answer))
        case .failure(.malformed(let reason)): finish(malformed(reason))
        case .failure(.unrelated): finish(malformed("belongs to another question"))
        }
    }
}

// The socket
extension Exchange {
    /// Opens a socket and connects it; false where the exchange has failed by that.
    private func open(_ type: __socket_type) -> Bool {
        let family = server.isIPv6 ? AF_INET6 : AF_INET
        let flags = Int32(type.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        descriptor = socket(family, flags, 0)
        guard descriptor >= 0 else {
            fail(errno)
            return false
        }
        let code = server.withSocketAddress { connect(descriptor, $0, $1) == 0 ? 0 : errno }
        guard let code, code == 0 || code == EINPROGRESS else {
            fail(code ?? EADDRNOTAVAIL)
            return false
        }
        return true
    }

    private func fail(_ code: Int32) {
        let word = String(cString: strerror(code))
        let isConversation = conversationEnd < .infinity
        let reason = isConversation ? "its answer does not fit into UDP, and over TCP: \(word)" : word
        finish(.failure(.unreachable(server: server, question: question, reason: reason)))
    }

    private func finish(_ result: Result<Answer, DNSError>) {
        self.result = result
        disconnect()
    }

    private func disconnect() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }
}
