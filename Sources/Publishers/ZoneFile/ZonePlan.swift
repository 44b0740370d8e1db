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

    init(
        zone name: DNSName, present: PresentZone?, wanted: [TXTRecord], settings: ZoneFileSettings, keep: Int64,
        now: Int64
    ) throws(PublishError) {
        let wanted = Set(wanted)
        let old = Dictionary((present?.tokens ?? []).map { ($0.record, $0.written) }, uniquingKeysWith: max)
        // A token that is asked for again past half of `keep` has its time renewed: else the next run would drop
        // what this one still waits on.
        let age = keep / 2
        needsWrite = wanted.contains { record in old[record].map { now - $0 > age } ?? true }
        guard needsWrite else {
            zone = try Self.zone(name, present, settings, tokens: present?.tokens ?? [], lenient: true)
            (added, removed, kept, warnings) = ([], [], old.keys.sorted(), [])
            return
        }
        // A time that lies ahead of the clock is no reason to keep a token for ever.
        let young = old.filter { !wanted.contains($0.key) && abs(now - $0.value) <= keep }
        let tokens =
            young.map { SigningZone.Token(record: $0.key, written: $0.value) }
            + wanted.map { SigningZone.Token(record: $0, written: now) }
        try Self.checkLoadable(tokens, settings.mostValues)
        zone = try Self.zone(name, present, settings, tokens: tokens, lenient: false)
        added = wanted.filter { old[$0] == nil }.sorted()
        removed = old.keys.filter { !wanted.contains($0) && young[$0] == nil }.sorted()
        kept = old.keys.filter { wanted.contains($0) || young[$0] != nil }.sorted()
        warnings = Self.warnings(tokens.map(\.record), strangers: present?.strangers ?? [], settings)
    }

    private static func checkLoadable(_ tokens: [SigningZone.Token], _ most: Int) throws(PublishError) {
        let counts = Dictionary(tokens.map { ($0.record.name, 1) }, uniquingKeysWith: +)
        guard most > 0, let full = counts.filter({ $0.value > most }).min(by: { $0.key < $1.key }) else { return }
        throw PublishError(
            "\(full.key) would have \(full.value) TXT values and its server loads no zone with more than \(most) at a "
                + "name: let each _acme-challenge name be a CNAME to a label of its own, or raise "
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
