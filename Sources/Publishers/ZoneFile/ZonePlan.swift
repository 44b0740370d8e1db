internal import DNS
internal import Names

/// What is to become of a zone, worked out from what it is and what is wanted, without touching anything.
struct ZonePlan {
    let zone: SigningZone
    /// False where the zone may stay as it is.
    let needsWrite: Bool
    let added: [TXTRecord]
    let removed: [TXTRecord]
    let kept: [TXTRecord]
    let warnings: [String]

    /// `text` is the zone file that is there, and `present` what it says.
    init(
        zone name: DNSName, text: [UInt8], present: PresentZone?, wanted: [TXTRecord], settings: ZoneFileSettings,
        keep: Int64, now: Int64
    ) throws(PublishError) {
        let old = SigningZone.Token.latest(present?.tokens ?? [])
        let future = Future(old, wanted.unique, keep: keep, now: now)
        let same = try Self.zone(name, present, settings, tokens: old, lenient: true)
        needsWrite = future.isDue || !wanted.isEmpty && same.bytes(serial: present?.serial ?? 0) != text
        guard needsWrite else {
            zone = same
            (added, removed, kept) = ([], [], old.map(\.record))
            warnings = TXTRecord.crowdingWarnings(kept)
            return
        }
        let records = future.tokens.map(\.record)
        try Self.checkLoadable(records, settings.mostValues)
        zone = try Self.zone(name, present, settings, tokens: future.tokens, lenient: false)
        (added, removed, kept) = (future.added, future.removed, future.kept)
        warnings = Self.warnings(records, strangers: present?.strangers ?? [], settings)
    }

    private static func checkLoadable(_ records: [TXTRecord], _ most: Int) throws(PublishError) {
        guard most > 0, let full = records.sharingNames.first(where: { $0.count > most }) else { return }
        throw PublishError(
            "\(full[full.startIndex].name) would have \(full.count) TXT values and its server loads no zone with more than "
                + "\(most) at a name: let each _acme-challenge name be a CNAME to a label of its own, or raise "
                + "max-records-per-type in BIND and zone_file.max_records_per_type here; the zone was left as it is")
    }

    private static func zone(
        _ name: DNSName, _ present: PresentZone?, _ settings: ZoneFileSettings, tokens: [SigningZone.Token],
        lenient: Bool
    ) throws(PublishError) -> SigningZone {
        let servers = settings.nameServers?.map(\.name) ?? present?.nameServers ?? []
        guard lenient || !servers.isEmpty else {
            throw PublishError(
                "zone_file.nameservers is needed: the zone \(name) has no name servers yet in \(settings.path)")
        }
        var glue = present?.glue ?? [:]
        for server in settings.nameServers ?? [] where !server.addresses.isEmpty {
            glue[server.name] = server.addresses
        }
        glue = glue.filter { $0.key.isInside(name) && servers.contains($0.key) }
        if !lenient, let bare = servers.first(where: { $0.isInside(name) && glue[$0] == nil }) {
            throw PublishError(
                "the name server \(bare) lies in the zone \(name): zone_file.nameservers must be a mapping that gives "
                    + "its addresses")
        }
        let first = settings.nameServers?.first?.name ?? present?.primary ?? name
        return SigningZone(
            name: name, primary: first,
            hostmaster: settings.hostmaster ?? present?.hostmaster ?? "hostmaster.\(name)",
            nameServers: servers, glue: glue, ttl: settings.ttl, tokens: tokens)
    }

    private static func warnings(
        _ records: [TXTRecord], strangers: [String], _ settings: ZoneFileSettings
    ) -> [String] {
        var warnings = TXTRecord.crowdingWarnings(records)
        if !strangers.isEmpty {
            let shown = strangers.prefix(10).joined(separator: ", ")
            let more = strangers.count > 10 ? " and \(strangers.count - 10) more" : ""
            warnings.append(
                "\(settings.path) held records that are no tokens of ours and were left out: \(shown)\(more)")
        }
        return warnings
    }
}

/// What becomes of each record that the zone has or that is wanted, in order.
private struct Future {
    private(set) var tokens: [SigningZone.Token] = []
    private(set) var added: [TXTRecord] = []
    private(set) var removed: [TXTRecord] = []
    private(set) var kept: [TXTRecord] = []
    /// Whether a record that is wanted is new, or too old to be left as it is.
    private(set) var isDue = false
    private let keep: Int64
    private let now: Int64

    /// Merges two lists that are in order and name each record once.
    init(_ old: [SigningZone.Token], _ wanted: [TXTRecord], keep: Int64, now: Int64) {
        (self.keep, self.now) = (keep, now)
        tokens.reserveCapacity(old.count + wanted.count)
        var next = 0
        for token in old {
            while next < wanted.count && wanted[next] < token.record {
                take(wanted[next])
                next += 1
            }
            if next < wanted.count && wanted[next] == token.record {
                take(wanted[next], written: token.written)
                next += 1
            } else {
                pass(token)
            }
        }
        for record in wanted[next...] { take(record) }
    }

    /// A record that is wanted, with the time at which the zone's own was written.
    private mutating func take(_ record: TXTRecord, written: Int64? = nil) {
        tokens.append(SigningZone.Token(record: record, written: now))
        if let written {
            kept.append(record)
            // A token that is asked for again past half of `keep` has its time renewed: else the next run would drop
            // what this one still waits on.
            isDue = isDue || now - written > keep / 2
        } else {
            added.append(record)
            isDue = true
        }
    }

    /// A token of another call. A time that lies ahead of the clock is no reason to keep it for ever.
    private mutating func pass(_ token: SigningZone.Token) {
        if abs(now - token.written) <= keep {
            tokens.append(token)
            kept.append(token.record)
        } else {
            removed.append(token.record)
        }
    }
}
