internal import Glibc
internal import Platform

/// Loopback ports that nobody listens on.
package enum FreePorts {
    /// Different ports of 127.0.0.1 that are free for TCP; they stay free unless somebody is quicker.
    package static func take(_ count: Int) throws -> [UInt16] {
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        var ports: [UInt16] = []
        for _ in 0..<count {
            let (descriptor, port) = try bound()
            sockets.append(descriptor)
            ports.append(port)
        }
        return ports
    }

    /// A port of 127.0.0.1 that nobody uses now, for UDP and TCP. Somebody else may be quicker: whoever starts a server
    /// on it tries again with another where that fails.
    package static func forDNS() throws -> UInt16 {
        for _ in 0..<100 {
            let port = UInt16.random(in: 20_000..<32_000)
            if try isFree(port, SOCK_DGRAM) && isFree(port, SOCK_STREAM) { return port }
        }
        throw SystemError("find", "a free port", code: EADDRINUSE)
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
