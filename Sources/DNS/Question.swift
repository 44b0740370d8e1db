internal import CResolv
package import Names

/// The kinds of record that are asked for here (RFC 1035, section 3.2.2; RFC 3596; RFC 8659).
package enum RecordType: UInt16, Sendable, CustomStringConvertible {
    case a = 1
    case ns = 2
    case cname = 5
    case soa = 6
    case txt = 16
    case aaaa = 28
    case caa = 257

    package var description: String {
        switch self {
        case .a: "A"
        case .ns: "NS"
        case .cname: "CNAME"
        case .soa: "SOA"
        case .txt: "TXT"
        case .aaaa: "AAAA"
        case .caa: "CAA"
        }
    }
}

/// What is asked of a server (RFC 1035, section 4.1.2), always in class IN.
package struct Question: Sendable, Hashable, CustomStringConvertible {
    package let name: DNSName
    package let type: RecordType
    /// Whether the server is to follow up the question elsewhere (the RD bit).
    package let recursion: Bool

    package init(_ name: DNSName, _ type: RecordType, recursion: Bool) {
        self.name = name
        self.type = type
        self.recursion = recursion
    }

    package var description: String { "\(type) of \(name)" }

    /// The size of UDP answer that passes every network unfragmented (RFC 6891; DNS flag day 2020).
    static let payload: UInt16 = 1232

    /// The question as a message (`res_nmkquery`), with an EDNS(0) record that offers `payload` where `edns` is set.
    /// Nil where the name fits no message.
    func message(id: UInt16, edns: Bool) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 512)
        let length = shim_make_query(
            name.description, Int32(type.rawValue), recursion ? 1 : 0, &buffer, Int32(buffer.count))
        guard length >= 12 else { return nil }
        var message = Array(buffer[..<Int(length)])
        message[0] = UInt8(id >> 8)
        message[1] = UInt8(id & 0xff)
        if edns {
            message[11] = 1
            // The root name, type OPT (41), the payload as class, no flags, no options (RFC 6891, section 6.1.2).
            message += [0, 0, 41, UInt8(Self.payload >> 8), UInt8(Self.payload & 0xff), 0, 0, 0, 0, 0, 0]
        }
        return message
    }
}
