internal import Glibc
internal import Platform

/// Asks many questions at once with one `poll`.
enum Transport {
    struct Errand {
        let question: Question
        let server: ServerAddress
    }

    /// Sockets that are open at a time: a long list must not use up what the system allows.
    private static let width = 128

    /// The answers in the order of the errands. Returns when each has an answer or a reason for having none, at the
    /// latest at the deadline. How long a silent server is waited for is measured in real time.
    static func run(_ errands: [Errand], deadline: Deadline) -> [Result<Answer, DNSError>] {
        let clock = SystemClock()
        let end = clock.uptime + deadline.remaining
        var results: [Result<Answer, DNSError>?] = errands.map { _ in nil }
        var waiting = errands.indices[...]
        var under: [(index: Int, exchange: Exchange)] = []
        var silence = Silence()
        while !waiting.isEmpty || !under.isEmpty {
            while under.count < width, let index = waiting.popFirst() {
                let errand = errands[index]
                if silence.reigns(at: errand.server) { continue }
                under.append(
                    (index, Exchange(errand.question, server: errand.server, now: clock.uptime, end: end)))
            }
            if under.allSatisfy({ $0.exchange.result == nil }) { step(under.map(\.exchange), clock) }
            for (index, exchange) in under {
                results[index] = exchange.result
                silence.note(exchange.result, of: exchange.server)
            }
            under.removeAll { $0.exchange.result != nil }
        }
        return zip(errands, results).map { errand, result in
            result ?? .failure(.timedOut(server: errand.server, question: errand.question))
        }
    }

    /// Servers that did not answer a question, nor any other. They are not asked the rest: each would take its time,
    /// and hold up what other servers are asked.
    private struct Silence {
        private var silent: Set<ServerAddress> = []
        private var answering: Set<ServerAddress> = []

        func reigns(at server: ServerAddress) -> Bool { silent.contains(server) && !answering.contains(server) }

        mutating func note(_ result: Result<Answer, DNSError>?, of server: ServerAddress) {
            switch result {
            case .success: answering.insert(server)
            case .failure(.timedOut): silent.insert(server)
            case .failure, nil: break
            }
        }
    }

    /// Waits until something arrives or somebody's turn has come, and lets each take its step.
    private static func step(_ exchanges: [Exchange], _ clock: SystemClock) {
        var sockets = exchanges.map { pollfd(fd: $0.descriptor, events: $0.events, revents: 0) }
        let turn = exchanges.map(\.nextTurn).min() ?? clock.uptime
        let milliseconds = max(0, min(60_000, ((turn - clock.uptime) * 1000).rounded(.up)))
        let ready = poll(&sockets, nfds_t(sockets.count), Int32(milliseconds))
        let now = clock.uptime
        for (exchange, socket) in zip(exchanges, sockets) {
            if ready > 0 && socket.revents != 0 { exchange.proceed(now) }
            exchange.tick(now)
        }
    }
}
