package import Names

/// A zone that holds nothing but its name servers and ACME tokens, and its text (RFC 1035, section 5).
package struct SigningZone: Sendable, Equatable {
    /// A TXT record with the time at which it was last asked for by a write, in seconds since 1970. The comment behind
    /// it in the file is the only place where the time is kept.
    package struct Token: Sendable, Hashable {
        package let record: TXTRecord
        package let written: Int64

        package init(record: TXTRecord, written: Int64) {
            self.record = record
            self.written = written
        }
    }

    package let name: DNSName
    package let primary: DNSName
    /// A mailbox as the SOA record has it: dots escaped in its first label.
    package let hostmaster: String
    package let nameServers: [DNSName]
    /// Addresses of name servers that lie in the zone.
    package let glue: [DNSName: [String]]
    /// Seconds, for every record and for the answer that there is none.
    package let ttl: UInt32
    package let tokens: [Token]

    package init(
        name: DNSName, primary: DNSName, hostmaster: String, nameServers: [DNSName], glue: [DNSName: [String]],
        ttl: UInt32, tokens: [Token]
    ) {
        self.name = name
        self.primary = primary
        self.hostmaster = hostmaster
        self.nameServers = nameServers
        self.glue = glue
        self.ttl = ttl
        self.tokens = tokens
    }

    /// The text of the zone file. Equal zones with equal serials give equal bytes, in whatever order their parts were
    /// given.
    package func text(serial: UInt32) -> String { String(decoding: bytes(serial: serial), as: UTF8.self) }

    /// The same as bytes.
    package func bytes(serial: UInt32) -> [UInt8] {
        var text = """
            ; The ACME signing zone \(name). It is written anew at each publication; changes made here are lost.
            $ORIGIN \(name).
            $TTL \(ttl)
            @ IN SOA \(primary). \(hostmaster). \(serial) 3600 600 864000 \(ttl)

            """
        for server in Set(nameServers).sorted() { text += "@ IN NS \(server).\n" }
        for address in addresses { text += address }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + tokens.count * 128)
        bytes += text.utf8
        for token in Token.latest(tokens) { token.write(to: &bytes) }
        return bytes
    }

    private var addresses: [String] {
        glue.sorted { $0.key < $1.key }.flatMap { name, addresses in
            Set(addresses).sorted().map { "\(name). IN \($0.contains(":") ? "AAAA" : "A") \($0)\n" }
        }
    }

}

extension SigningZone.Token {
    /// Each record once, with the latest of its times, in order. What is so already is only looked through.
    package static func latest(_ tokens: [Self]) -> [Self] {
        if tokens.indices.dropFirst().allSatisfy({ tokens[$0 - 1].record < tokens[$0].record }) { return tokens }
        let latest = Dictionary(tokens.map { ($0.record, $0.written) }, uniquingKeysWith: max)
        return latest.sorted { $0.key < $1.key }.map { Self(record: $0.key, written: $0.value) }
    }

    /// The token as a line of a zone file.
    fileprivate func write(to text: inout [UInt8]) {
        text += record.name.description.utf8
        text += ". IN TXT ".utf8
        record.value.quote(into: &text)
        text += " ; written ".utf8
        text += String(written).utf8
        text += "\n".utf8
    }

    /// The time in the comment behind a token; nil in any other comment.
    static func written(_ comment: ArraySlice<UInt8>) -> Int64? {
        let text = comment.drop(while: isSpace)
        guard text.starts(with: "written".utf8) else { return nil }
        let behind = text.dropFirst("written".utf8.count)
        guard let first = behind.first, isSpace(first) else { return nil }
        let time = behind.drop(while: isSpace)
        guard let last = time.lastIndex(where: { !isSpace($0) }) else { return nil }
        return Int64(String(decoding: time[...last], as: UTF8.self)).flatMap { $0 >= 0 ? $0 : nil }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
}
