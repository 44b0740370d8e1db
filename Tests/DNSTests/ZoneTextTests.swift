import DNS
import Names
import Testing

private func read(_ text: String) throws -> PresentZone? {
    try PresentZone(Array(text.utf8), zone: DNSName("acme.example.org"))
}

@Suite struct `The text of a zone` {
    private func zone(_ tokens: [SigningZone.Token]) throws -> SigningZone {
        let zone = try DNSName("acme.example.org")
        let inside = try DNSName("ns.acme.example.org")
        return SigningZone(
            name: zone, primary: inside, hostmaster: "host\\.master.example.org",
            nameServers: [inside, try DNSName("ns.example.net")],
            glue: [inside: ["2001:db8::1", "192.0.2.1"]], ttl: 60, tokens: tokens)
    }

    private func token(_ name: String, _ value: String, _ written: Int64) throws -> SigningZone.Token {
        SigningZone.Token(
            record: TXTRecord(name: try DNSName(name), value: try TXTValue(value)), written: written)
    }

    @Test func `is the same bytes for the same records in any order and number`() throws {
        let tokens = [
            try token("acme.example.org", "b", 5), try token("x.acme.example.org", "a", 7),
            try token("acme.example.org", "a", 6),
        ]
        let text = try zone(tokens).text(serial: 9)
        #expect(try zone(tokens.reversed() + tokens).text(serial: 9) == text)
    }

    @Test func `reads back as what was written`() throws {
        let tokens = [
            try token("acme.example.org", "quote \" and \\ and ; and (", 5),
            try token("x.acme.example.org", String(repeating: "~", count: 255), 7),
        ]
        let present = try #require(try read(zone(tokens).text(serial: 4_294_967_295)))
        #expect(present.tokens == tokens)
        #expect(present.serial == 4_294_967_295)
        #expect(present.hostmaster == "host\\.master.example.org")
        #expect(present.nameServers.map(\.description).sorted() == ["ns.acme.example.org", "ns.example.net"])
        #expect(try present.glue == [DNSName("ns.acme.example.org"): ["192.0.2.1", "2001:db8::1"]])
        #expect(present.strangers.isEmpty)
    }

    @Test func `is read with all that master files may have`() throws {
        let present = try #require(
            try read(
                """
                $TTL 1h ; one hour
                $ORIGIN example.org.
                acme 1d IN SOA ( ns.acme hostmaster.acme ; names
                   17 ; serial
                   1 2 3 4 )
                \tIN 300 NS ns.acme
                acme NS NS2.example.net.
                $ORIGIN acme
                ns A 192.0.2.7
                a TXT "o\\110e" ; written 12
                b TXT one ; written 13
                  TXT ( "tw"
                        "o" ) ; written 14
                c TXT "no time"
                d TXT "no time since 1970" ; written -9223372036854775808
                $GENERATE 1-4 h$ A 192.0.2.$
                """))
        #expect(present.serial == 17)
        #expect(present.primary.description == "ns.acme.example.org")
        #expect(present.nameServers.map(\.description) == ["ns.acme.example.org", "ns2.example.net"])
        #expect(
            present.tokens.map { "\($0.record.name) \($0.record.value) \($0.written)" } == [
                "a.acme.example.org one 12", "b.acme.example.org one 13", "b.acme.example.org two 14",
            ])
        #expect(
            present.strangers == ["$GENERATE 1-4 h$ A 192.0.2.$", "c.acme.example.org TXT", "d.acme.example.org TXT"])
    }

    @Test(arguments: [
        ("@ SOA a b )", "line 1: has a ) without a ("), ("\n@ TXT \"a", "line 2: has a quote without its partner"),
        ("@ TXT \\", "line 1: has a broken escape"), ("@ TXT \\999", "line 1: has an escape past \\255"),
        ("x TXT y", "line 1: the file has no SOA record of acme.example.org"),
        ("$BAD", "line 1: has the unknown directive $BAD"), ("@ IN 5", "line 1: has no record type"),
        ("@ SOA a b", "line 1: the SOA record has no serial"),
        ("@ SOA a b -1", "line 1: the SOA record has no serial"),
        ("@ SOA", "line 1: the SOA record is too short"),
    ])
    func `that is broken is an error with its line`(text: String, description: String) throws {
        let error = try #require(throws: ZoneSyntaxError.self) { try read(text) }
        #expect(error.description == description)
    }

    @Test func `with nothing but comments is no zone`() throws {
        #expect(try read("; nothing\n\n  ; here\n") == nil)
    }
}

@Suite struct `The serial of a changed zone` {
    @Test(
        arguments: [
            (nil, 1_800_000_000, 1_800_000_000), (5, 1_800_000_000, 1_800_000_000),
            (1_800_000_000, 1_800_000_000, 1_800_000_001), (2_026_112_301, 1_800_000_000, 2_026_112_302),
            (4_000_000_000, 1_800_000_000, 4_000_000_001), (4_294_967_295, 1_800_000_000, 1_800_000_000),
        ] as [(UInt32?, Int64, UInt32)])
    func `is the time, or one more than the old`(old: UInt32?, now: Int64, next: UInt32) {
        #expect(ZoneSerial.next(after: old, now: now) == next)
    }

    @Test(arguments: [0, 1, 1_700_000_000, 2_147_483_648, 3_000_000_000, 4_294_967_294, 4_294_967_295] as [UInt32])
    func `is later than the old one for every secondary`(old: UInt32) {
        for now: Int64 in [-5, 0, 1_800_000_000, 2_200_000_000, 4_294_967_295, 4_294_967_296] {
            #expect(ZoneSerial.isLater(ZoneSerial.next(after: old, now: now), than: old))
        }
    }
}

@Suite struct `The text of a TXT record` {
    @Test(arguments: ["", "a\nb", "\u{7f}", "ü", "a\0", String(repeating: "x", count: 256)])
    func `that cannot be one is refused`(text: String) {
        #expect(throws: TXTValue.Invalid.self) { try TXTValue(text) }
    }

    @Test func `is sorted by its name, then by itself, and there once`() throws {
        let names = ["a", "ab", "a.b", "a-b", "abcdefg", "abcdefgh", "abcdefghi", "abcdefgh.i", "z", "_a", "0"]
        let records = try names.flatMap { name in
            try ["2", "1", "~", "2"].map { TXTRecord(name: try DNSName(name), value: try TXTValue($0)) }
        }
        for records in [records, records.reversed(), records + records] {
            #expect(records.unique == Set(records).sorted())
        }
    }

    @Test func `is counted against what one answer carries`() throws {
        let name = try DNSName("acme.example.org")
        let records = try (0..<22).map { number in
            TXTRecord(name: name, value: try TXTValue("\(number)" + String(repeating: "x", count: 42)))
        }
        #expect(TXTRecord.crowdingWarnings(Array(records.prefix(21)).unique) == [])
        let warnings = TXTRecord.crowdingWarnings(records.unique)
        #expect(warnings.count == 1)
        #expect(warnings[0].hasPrefix("acme.example.org has 22 TXT values: their answer is larger than the 1232 bytes"))
    }
}
