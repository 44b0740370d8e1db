internal import DNS
internal import Names

/// A zone file, made by us or by anybody else.
enum ZoneFiles {
    static func read(_ bytes: [UInt8]) {
        guard let zone = try? DNSName("acme.example.org") else { return }
        if let value = try? TXTValue(String(decoding: bytes, as: UTF8.self)) { readBack(value, zone) }
        guard let present = try? PresentZone(bytes, zone: zone) else { return }
        guard let hostmaster = try? DNSName(present.hostmaster) else { return }
        let tokens = SigningZone.Token.latest(present.tokens)
        require(tokens.allSatisfy { $0.record.name.isInside(zone) }, "a token lies in the zone")
        let written = SigningZone(
            name: zone, primary: present.primary, hostmaster: hostmaster.description,
            nameServers: present.nameServers, glue: present.glue, ttl: 60, tokens: tokens)
        let text = written.bytes(serial: present.serial)
        guard let again = try? PresentZone(text, zone: zone) else { return require(false, "what we write can be read") }
        require(again.tokens == tokens && again.strangers.isEmpty, "what we write holds our tokens and nothing else")
        require(again.serial == present.serial && again.glue.keys == present.glue.keys, "what we write says the same")
    }

    /// No value can be more than the one string of its own record.
    private static func readBack(_ value: TXTValue, _ zone: DNSName) {
        let token = SigningZone.Token(record: TXTRecord(name: zone, value: value), written: 1)
        let written = SigningZone(
            name: zone, primary: zone, hostmaster: "a.\(zone)", nameServers: [zone], glue: [:], ttl: 60, tokens: [token]
        )
        let again = try? PresentZone(written.bytes(serial: 1), zone: zone)
        require(again?.tokens == [token] && again?.strangers == [], "a value is one string")
    }
}
