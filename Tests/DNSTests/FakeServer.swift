import Foundation
import Platform
import Synchronization

/// A UDP server on 127.0.0.1 that answers each datagram with those that a test makes of it, in a thread of its own.
final class FakeServer: Sendable {
    let address: String
    private let descriptor: Int32
    private let isStopped = Mutex(false)

    init(reply: @escaping @Sendable ([UInt8]) -> [[UInt8]]) throws {
        descriptor = try check(socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0), "open", "a socket")
        var local = sockaddr_in()
        local.sin_family = sa_family_t(AF_INET)
        local.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        let descriptor = descriptor
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &local) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try check(bind(descriptor, $0, length), "bind", "a socket")
                try check(getsockname(descriptor, $0, &length), "find the port of", "a socket")
            }
        }
        address = "127.0.0.1:\(UInt16(bigEndian: local.sin_port))"
        Thread.detachNewThread { [self] in serve(reply) }
    }

    func stop() {
        isStopped.withLock { $0 = true }
    }

    /// Looks now and then whether it is to end, and closes its socket itself: nobody else may get its number.
    private func serve(_ reply: ([UInt8]) -> [[UInt8]]) {
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 65_535)
        while !isStopped.withLock({ $0 }) {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, 20) > 0 else { continue }
            var peer = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            withUnsafeMutablePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
                    let count = recvfrom(descriptor, &buffer, buffer.count, 0, peer, &length)
                    guard count >= 0 else { return }
                    for message in reply(Array(buffer[..<count])) {
                        sendto(descriptor, message, message.count, 0, peer, length)
                    }
                }
            }
        }
    }
}

/// Counts from one.
final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
