package import Names

/// What a zone file that is there now says, made by us or by anybody else.
package struct PresentZone: Sendable, Equatable {
    /// The names in the SOA record; the hostmaster may have escaped dots, and is text for that.
    package let primary: DNSName
    package let hostmaster: String
    package let serial: UInt32
    package let nameServers: [DNSName]
    /// The addresses that the file gives for name servers that lie in the zone.
    package let glue: [DNSName: [String]]
    package let tokens: [SigningZone.Token]
    /// What has no place in a signing zone, sorted: as "name type" TXT records without the time at which they were
    /// written and whatever else was put there, and the directives that bring records from elsewhere.
    package let strangers: [String]

    /// Reads the file of `zone`; nil where there is nothing but white space and comments in it.
    package init?(_ text: [UInt8], zone: DNSName) throws(ZoneSyntaxError) {
        let file = try MasterFile(text, origin: zone)
        let records = file.records
        if records.isEmpty && file.bringing.isEmpty { return nil }
        guard let soa = records.first(where: { $0.type == "SOA" && $0.owner == zone.description }) else {
            throw ZoneSyntaxError(line: 1, problem: "the file has no SOA record of \(zone)")
        }
        primary = try Self.name(soa, 0)
        hostmaster = try soa.name(1)
        guard soa.words.count >= 3, let serial = UInt32(soa.words[2].text) else {
            throw ZoneSyntaxError(line: soa.line, problem: "the SOA record has no serial")
        }
        self.serial = serial
        var servers: [DNSName] = []
        for record in records where record.type == "NS" && record.owner == zone.description {
            let name = try Self.name(record, 0)
            if !servers.contains(name) { servers.append(name) }
        }
        nameServers = servers
        let rest = records.lazy.filter { !($0.type == "SOA" || $0.type == "NS") || $0.owner != zone.description }
        let (glue, tokens, others) = Self.sort(rest, servers: servers.filter { $0.isInside(zone) }, zone)
        (self.glue, self.tokens) = (glue, tokens)
        strangers = (others + file.bringing).sorted()
    }

    private static func name(_ record: MasterFile.Record, _ index: Int) throws(ZoneSyntaxError) -> DNSName {
        let text = try record.name(index)
        do {
            return try DNSName(text)
        } catch {
            throw ZoneSyntaxError(line: record.line, problem: error.description)
        }
    }

    private static func sort(
        _ records: some Sequence<MasterFile.Record>, servers: [DNSName], _ zone: DNSName
    ) -> (glue: [DNSName: [String]], tokens: [SigningZone.Token], strangers: Set<String>) {
        var glue: [DNSName: [String]] = [:]
        var tokens: [SigningZone.Token] = []
        var strangers: Set<String> = []
        for record in records {
            if let token = token(record), token.record.name.isInside(zone) {
                tokens.append(token)
            } else if ["A", "AAAA"].contains(record.type), let name = try? DNSName(record.owner),
                servers.contains(name), let address = record.words.first.flatMap({ try? ServerAddress($0.text) })
            {
                glue[name, default: []].append(address.address)
            } else {
                strangers.insert("\(record.owner) \(record.type)")
            }
        }
        return (glue.mapValues { $0.sorted() }, tokens, strangers)
    }

    /// A TXT record as `SigningZone` writes it; nil for everything else.
    private static func token(_ record: MasterFile.Record) -> SigningZone.Token? {
        guard record.type == "TXT", let written = SigningZone.Token.written(record.comment),
            let name = try? DNSName(record.owner),
            let value = try? TXTValue(record.content)
        else { return nil }
        return SigningZone.Token(record: TXTRecord(name: name, value: value), written: written)
    }
}
