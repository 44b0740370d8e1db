internal import Glibc
internal import Platform

/// A port of 127.0.0.1 that nobody uses now, for UDP and TCP. Somebody else may be quicker: whoever starts a server
/// on it tries again with another where that fails.
package func freePort() throws -> UInt16 {
    for _ in 0..<100 {
        let port = UInt16.random(in: 20_000..<32_000)
        if try isFree(port, Int32(SOCK_DGRAM.rawValue)) && isFree(port, Int32(SOCK_STREAM.rawValue)) { return port }
    }
    throw SystemError("find", "a free port", code: EADDRINUSE)
}

private func isFree(_ port: UInt16, _ type: Int32) throws -> Bool {
    let descriptor = try check(socket(AF_INET, type | Int32(SOCK_CLOEXEC.rawValue), 0), "open", "a socket")
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
