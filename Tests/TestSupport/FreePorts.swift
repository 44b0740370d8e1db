internal import Glibc
internal import Platform
internal import Synchronization

/// Loopback ports that nobody listens on.
package enum FreePorts {
    /// Different ports of 127.0.0.1 that are free for TCP.
    package static func take(_ count: Int) throws -> [UInt16] {
        try (0..<count).map { _ in try next { try isFree($0, SOCK_STREAM) } }
    }

    /// A port of 127.0.0.1 that nobody uses now, for UDP and TCP.
    package static func forDNS() throws -> UInt16 {
        try next { try isFree($0, SOCK_DGRAM) && isFree($0, SOCK_STREAM) }
    }

    /// Ports of each process of tests: below those that the system gives to connections, and another thousand for each.
    private static let own = (0..<22).first(where: isClaimed).map { UInt16(10_000 + 1000 * $0) }
    private static let taken = Mutex<UInt16>(0)

    private static func next(_ isFree: (UInt16) throws -> Bool) throws -> UInt16 {
        guard let own else { throw SystemError("find", "a thousand ports for these tests", code: EADDRINUSE) }
        for _ in 0..<1000 {
            let port = taken.withLock { taken in
                taken = (taken + 1) % 1000
                return own + taken
            }
            if try isFree(port) { return port }
        }
        throw SystemError("find", "a free port", code: EADDRINUSE)
    }

    /// Whether these ports are now this process's, as long as it lives: an address without a file says so to others.
    private static func isClaimed(_ slice: Int) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            path.dropFirst().copyBytes(from: Array("acme-modules-test-ports-\(slice)".utf8))
        }
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        if !isBound { close(descriptor) }
        return isBound
    }

    private static func isFree(_ port: UInt16, _ type: __socket_type) throws -> Bool {
        let descriptor = try check(socket(AF_INET, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0), "open", "a socket")
        defer { close(descriptor) }
        var address = loopback(port)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func bound() throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = try check(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0), "open", "a socket")
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 ? getsockname(descriptor, pointer, &length) : -1
            }
        }
        guard status == 0 else {
            close(descriptor)
            throw SystemError("bind", "127.0.0.1")
        }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    /// Whether a TCP connection to 127.0.0.1 is accepted.
    package static func isListening(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = loopback(port)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// Gives `body` a port of 127.0.0.1 where connections are taken and nothing is ever said.
    package static func withSilentListener<Result>(_ body: (UInt16) throws -> Result) throws -> Result {
        let (descriptor, port) = try bound()
        defer { close(descriptor) }
        try check(listen(descriptor, 16), "listen on", "127.0.0.1")
        return try body(port)
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
