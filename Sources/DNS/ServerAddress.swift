internal import CResolv
internal import Glibc

/// Where a DNS server listens: a numeric IPv4 or IPv6 address and a port.
package struct ServerAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address as text, without brackets; an IPv6 one may carry a `%scope`.
    package let address: String
    package let port: UInt16

    /// Reads `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:53`; the port is 53 where none is given.
    package init(_ text: String) throws(InvalidServerAddress) {
        guard let (address, port) = Self.split(text), let canonical = Self.canonical(address), port > 0 else {
            throw InvalidServerAddress(text: text)
        }
        self.address = canonical
        self.port = port
    }

    private init(trusted address: String, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// The same address with another port.
    package func with(port: UInt16) -> ServerAddress {
        ServerAddress(trusted: address, port: port)
    }

    package var description: String {
        let host = isIPv6 ? "[\(address)]" : address
        return port == 53 ? address : "\(host):\(port)"
    }

    package var isIPv6: Bool { address.contains(":") }

    private static func split(_ text: String) -> (address: String, port: UInt16)? {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let address = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            guard address.contains(":") else { return nil }
            if rest.isEmpty { return (address, 53) }
            guard rest.hasPrefix(":"), let port = decimal(rest.dropFirst()) else { return nil }
            return (address, port)
        }
        guard text.utf8.count(where: { $0 == UInt8(ascii: ":") }) == 1, let colon = text.firstIndex(of: ":") else {
            return (text, 53)
        }
        return decimal(text[text.index(after: colon)...]).map { (String(text[..<colon]), $0) }
    }

    private static func decimal(_ text: Substring) -> UInt16? {
        text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } ? UInt16(text) : nil
    }

    /// The one way to write an address; nil where the text is none.
    private static func canonical(_ text: String) -> String? {
        guard !text.utf8.contains(0) else { return nil }
        let scope = text.firstIndex(of: "%") ?? text.endIndex
        let family = text.contains(":") ? AF_INET6 : AF_INET
        guard scope == text.endIndex || family == AF_INET6 else { return nil }
        var binary = in6_addr()
        guard inet_pton(family, String(text[..<scope]), &binary) == 1 else { return nil }
        return Self.text(family, &binary).map { $0 + text[scope...] }
    }

    /// The text of a binary address (`inet_ntop`).
    private static func text(_ family: Int32, _ binary: UnsafeRawPointer) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(family, binary, &buffer, socklen_t(buffer.count)) != nil else { return nil }
        return buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } }
    }

    /// The server with this binary address (4 or 16 bytes, as in A and AAAA records), at port 53.
    init?(binary: [UInt8]) {
        let family: Int32
        switch binary.count {
        case 4: family = AF_INET
        case 16: family = AF_INET6
        default: return nil
        }
        guard let text = binary.withUnsafeBytes({ bytes in bytes.baseAddress.flatMap { Self.text(family, $0) } })
        else { return nil }
        self.init(trusted: text, port: 53)
    }

    /// Calls `body` with the address as the system's calls take it; nil where the system cannot use it (an IPv6 scope
    /// that this machine has not).
    func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result? {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address, String(port), &hints, &list) == 0, let first = list else { return nil }
        defer { freeaddrinfo(first) }
        return first.pointee.ai_addr.map { body($0, first.pointee.ai_addrlen) }
    }

    /// Whether this machine has any way to send there: an IPv6 address is none to a machine without IPv6. Sends nothing.
    package var isRoutable: Bool {
        let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return withSocketAddress { connect(descriptor, $0, $1) == 0 } ?? false
    }

    /// The servers that this machine's resolv.conf names (`res_ninit`).
    package static func system() -> [ServerAddress] {
        let width = 96
        let most = 8
        var texts = [CChar](repeating: 0, count: width * most)
        let count = shim_system_servers(&texts, Int32(width), Int32(most))
        guard count > 0 else { return [] }
        return texts.withUnsafeBufferPointer { buffer in
            (0..<Int(count)).compactMap { index in
                buffer.baseAddress.flatMap { try? ServerAddress(String(cString: $0 + index * width)) }
            }
        }
    }
}

/// A text that names no server.
package struct InvalidServerAddress: Error, Equatable, CustomStringConvertible {
    package let text: String

    package var description: String {
        "'\(text)' is no server address; write 192.0.2.1, 192.0.2.1:5353, 2001:db8::1 or [2001:db8::1]:5353"
    }
}
