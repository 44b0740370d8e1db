internal import DNS
internal import Names

/// A server as an operator names it: an address, or a name whose addresses are to be found; with a port or without.
enum ServerReference: Sendable, Equatable {
    case address(ServerAddress)
    case name(DNSName, port: UInt16)

    /// Whether this is a numeric address, and nothing else.
    static func isAddress(_ text: String) -> Bool { (try? ServerAddress(text))?.address == text }

    init?(_ text: String) {
        if let address = try? ServerAddress(text) {
            self = .address(address)
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let name = try? DNSName(String(parts[0])),
            name.labels.last?.allSatisfy(\.isNumber) == false,
            let port = parts.count == 2 ? UInt16(parts[1]) : 53, port > 0
        else { return nil }
        self = .name(name, port: port)
    }
}
