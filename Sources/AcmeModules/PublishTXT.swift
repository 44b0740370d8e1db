package import AnsibleModule
internal import DNS
internal import Names
internal import Platform
internal import Publishers

/// Step 4 of the flow: puts the TXT records of all hosts into the signing zone and waits until every authoritative
/// server shows them.
package enum PublishTXT: Module {
    package static let name = "acme_publish_txt"
    package static let emptyFields: [String: JSONValue] = [
        "added": [], "removed": [], "kept": [], "visible_on": [], "warnings": [], "refused": [], "serial": nil,
        "waited": 0, "timings": [:],
    ]

    /// Seconds for the question where the hosts' challenge names lead.
    private static let aliasPatience = 30.0

    package static func run(_ invocation: consuming Invocation) -> ModuleResult {
        let dryRun = invocation.checkMode
        do {
            return try run(try PublishTXTOptions(consume invocation), dryRun: dryRun)
        } catch {
            return .failure("\(error)")
        }
    }

    private static func run(
        _ options: PublishTXTOptions, dryRun: Bool
    ) throws(PublishError) -> ModuleResult {
        let limit = Deadline(seconds: aliasPatience, clock: SystemClock())
        let timings = Timings(limit.clock)
        let judged = options.claims.map { claims in
            timings.measure("aliases") { claims.judged(Resolver(servers: options.resolvers, deadline: limit)) }
        }
        let records = judged?.records ?? options.records
        let publication = try timings.measure("publish") { () throws(PublishError) in
            try options.publisher.publish(records, keep: options.keep, dryRun: dryRun)
        }
        var report = PublicationReport(publication, zone: options.zone, dryRun: dryRun)
        if let judged { report.note(judged) }
        if !records.isEmpty && !dryRun && options.visibleTimeout > 0 {
            timings.measure("visible") { report.wait(for: records, options) }
        }
        return report.result(timings)
    }
}

/// What one call of `acme_publish_txt` did, as Ansible is told.
private struct PublicationReport {
    private let publication: Publication
    private var message: String
    private var failure: String?
    private var warnings: [String]
    private var refusals: [HostClaims.Refusal] = []
    private var visibleOn: [String] = []
    private var waited = 0.0

    init(_ publication: Publication, zone: DNSName, dryRun: Bool) {
        self.publication = publication
        warnings = publication.warnings
        let count = publication.added.count
        let records = count == 1 ? "1 record" : "\(count) records"
        message =
            switch (publication.changed, dryRun) {
            case (true, true): "\(records) would be added to \(zone)"
            case (true, false): "\(records) added to \(zone)"
            case (false, _): "\(zone) has nothing new to show"
            }
    }

    /// Hosts that get nothing fail alone: the others' records are in place.
    mutating func note(_ judgement: HostClaims.Judgement) {
        refusals = judgement.refusals
        warnings += refusals.map(\.sentence) + judgement.warnings
    }

    /// Waits until all values of this call are visible, in a zone that was not changed too.
    mutating func wait(for records: [TXTRecord], _ options: PublishTXTOptions) {
        let deadline = Deadline(seconds: Double(options.visibleTimeout), clock: SystemClock())
        let resolver = Resolver(servers: options.resolvers, deadline: deadline)
        do throws(AuthoritativeServers.Failure) {
            let found = try AuthoritativeServers(of: options.zone, given: options.servers, resolver: resolver)
            warnings += found.warnings
            let values = Dictionary(grouping: records, by: \.name).mapValues { $0.map(\.value.text) }
            let outcome = Visibility(zone: options.zone, values: values, servers: found.servers).wait(until: deadline)
            visibleOn = outcome.visible.map(\.address.description)
            waited = outcome.waited
            failure = outcome.error?.description
            doubt(records, outcome.unseen, options)
            message += "; visible on \(visibleOn.joined(separator: ", "))"
        } catch {
            failure = error.description
        }
    }

    /// Has the next call do its part again where servers answered without records of this one.
    private mutating func doubt(
        _ records: [TXTRecord], _ unseen: [DNSName: Set<String>], _ options: PublishTXTOptions
    ) {
        let records = records.filter { unseen[$0.name]?.contains($0.value.text) == true }
        guard !records.isEmpty else { return }
        do throws(PublishError) {
            try options.publisher.doubt(records)
            if let remedy = publication.remedy { failure = failure.map { "\($0); \(remedy)" } }
        } catch {
            warnings.append(error.description)
        }
    }

    func result(_ timings: Timings) -> ModuleResult {
        let fields: [String: JSONValue] = [
            "serial": publication.serial.map { .integer(Int($0)) } ?? .null,
            "added": Self.list(publication.added),
            "removed": Self.list(publication.removed),
            "kept": Self.list(publication.kept),
            "visible_on": .strings(visibleOn),
            "waited": .number((waited * 1000).rounded() / 1000), "timings": timings.json,
            "warnings": .strings(warnings),
            "refused": .array(refusals.map { ["host": .string($0.host), "reason": .string($0.sentence)] }),
            "diff": [
                "before": .string(publication.before),
                "after": .string(publication.after),
                "before_header": .string(publication.place),
                "after_header": .string(publication.place),
            ],
        ]
        if let failure { return .failure(failure, changed: publication.changed, fields: fields) }
        return ModuleResult(changed: publication.changed, msg: message, fields: fields)
    }

    private static func list(_ records: [TXTRecord]) -> JSONValue {
        .array(records.map { ["target": .string($0.name.description), "value": .string($0.value.text)] })
    }
}
