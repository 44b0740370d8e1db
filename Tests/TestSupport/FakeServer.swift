internal import Foundation
internal import Platform
internal import Synchronization

/// A DNS server on 127.0.0.1 that answers as a test has it, in a thread of its own.
package final class FakeServer: Sendable {
    /// The datagrams that answer one.
    package typealias Reply = @Sendable ([UInt8]) -> [[UInt8]]
    /// The message that answers one over TCP.
    package typealias Stream = @Sendable ([UInt8]) -> [UInt8]

    package let address: String
    private let datagrams: Int32
    /// Nil where TCP is refused.
    private let listener: Int32?
    private let isStopped = Mutex(false)

    /// Where `stream` is left out, TCP connections are refused.
    package init(stream: Stream? = nil, reply: @escaping Reply) throws {
        let (datagrams, port) = try Self.bound(SOCK_DGRAM, port: 0)
        self.datagrams = datagrams
        address = "127.0.0.1:\(port)"
        do {
            listener = try stream.map { _ in try Self.bound(SOCK_STREAM, port: port).descriptor }
            if let listener { try check(listen(listener, 16), "listen on", address) }
        } catch {
            close(datagrams)
            throw error
        }
        Thread.detachNewThread { [self] in serve(reply, stream) }
    }

    package func stop() {
        isStopped.withLock { $0 = true }
    }

    private static func bound(_ type: __socket_type, port: UInt16) throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = try check(socket(AF_INET, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0), "open", "a socket")
        // Connections that have ended may still hold the number for TCP.
        var yes: Int32 = 1
        if type == SOCK_STREAM {
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        }
        var local = sockaddr_in()
        local.sin_family = sa_family_t(AF_INET)
        local.sin_port = port.bigEndian
        local.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &local) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard status == 0 else {
            let error = SystemError("bind", "a socket")
            close(descriptor)
            throw error
        }
        return (descriptor, UInt16(bigEndian: local.sin_port))
    }

    /// Looks now and then whether it is to end, and closes its sockets itself: nobody else may get their numbers.
    private func serve(_ reply: Reply, _ stream: Stream?) {
        defer {
            close(datagrams)
            if let listener { close(listener) }
        }
        while !isStopped.withLock({ $0 }) {
            // A negative descriptor is passed over.
            var ready = [datagrams, listener ?? -1].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&ready, 2, 20) > 0 else { continue }
            if ready[0].revents != 0 { answerDatagram(reply) }
            if ready[1].revents != 0, let listener, let stream { answerConnection(listener, stream) }
        }
    }

    private func answerDatagram(_ reply: Reply) {
        var buffer = [UInt8](repeating: 0, count: 65_535)
        var peer = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        withUnsafeMutablePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
                let count = recvfrom(datagrams, &buffer, buffer.count, 0, peer, &length)
                guard count >= 0 else { return }
                for message in reply(Array(buffer[..<count])) {
                    sendto(datagrams, message, message.count, 0, peer, length)
                }
            }
        }
    }

    /// One message and its answer, each with its length before it (RFC 1035, section 4.2.2).
    private func answerConnection(_ listener: Int32, _ stream: Stream) {
        let peer = accept(listener, nil, nil)
        guard peer >= 0 else { return }
        defer { close(peer) }
        var buffer = [UInt8](repeating: 0, count: 512)
        let flags = Int32(MSG_WAITALL)
        guard recv(peer, &buffer, 2, flags) == 2, buffer[0] < 2 else { return }
        let length = Int(buffer[0]) << 8 | Int(buffer[1])
        guard recv(peer, &buffer, length, flags) == length else { return }
        let answer = stream(Array(buffer[..<length]))
        let framed = [UInt8(answer.count >> 8), UInt8(answer.count & 0xff)] + answer
        _ = send(peer, framed, framed.count, Int32(MSG_NOSIGNAL))
    }
}

/// DNS messages made by hand (RFC 1035, section 4.1).
package enum FakeMessage {
    /// The name of the question, which always stands at offset 12.
    package static let pointer: [UInt8] = [0xc0, 12]

    /// The answer to a query: its header and question, with these flags and answer records.
    package static func answer(
        _ query: [UInt8], flags: [UInt8] = [0x84, 0x00], records: [[UInt8]] = []
    ) -> [UInt8] {
        let endOfName = query.dropFirst(12).firstIndex(of: 0) ?? query.endIndex - 5
        let question = query[12..<(endOfName + 1 + 4)]
        return query[..<2] + flags + [0, 1, 0, UInt8(records.count), 0, 0, 0, 0] + question + records.joined()
    }

    package static func record(owner: [UInt8] = pointer, type: UInt8, _ data: [UInt8]) -> [UInt8] {
        owner + [0, type, 0, 1, 0, 0, 0, 60, UInt8(data.count >> 8), UInt8(data.count & 0xff)] + data
    }

    /// A TXT record of the name that is asked for.
    package static func text(_ value: String) -> [UInt8] {
        record(type: 16, [UInt8(value.utf8.count)] + value.utf8)
    }
}

/// Counts from one.
package final class Counter: Sendable {
    private let count = Mutex(0)

    package init() {}

    package func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
