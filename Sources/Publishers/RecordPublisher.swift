package import AnsibleModule
package import DNS
internal import FoundationEssentials
package import Names
internal import PKI
internal import Platform

/// Publishes through a service of single records, with notes on what was written and when beside a lock:
/// `<state_path>/publish/<zone>.<service>-<digest>.json`.
package struct RecordPublisher<Service: RecordService>: Provider {
    package static var option: String { Service.option }

    /// Seconds that the lock is waited for once the work is done.
    private static var doubtPatience: Double { 10 }

    let task: PublishingTask
    let service: Service

    package init(_ options: inout Options, for task: PublishingTask) throws(OptionError) {
        self.init(task: task, service: try Service(&options, for: task))
    }

    init(task: PublishingTask, service: Service) {
        self.task = task
        self.service = service
    }

    package var zone: DNSName { task.zone }

    package func publish(_ records: [TXTRecord], keep: Int64, dryRun: Bool) throws(PublishError) -> Publication {
        try checkInside(records)
        if dryRun || records.isEmpty { return try predict(records, keep: keep) }
        let lock = try locked(until: task.deadline)
        return try lock.whileHeld { () throws(PublishError) in try perform(records, keep: keep) }
    }

    package func doubt(_ records: [TXTRecord]) throws(PublishError) {
        let lock = try locked(until: Deadline(seconds: Self.doubtPatience, clock: task.clock))
        try lock.whileHeld { () throws(PublishError) in
            var notes = try read()
            for record in records { notes.records[record]?.isConfirmed = false }
            try write(notes)
        }
    }

    // MARK: What is to be done

    /// What has to happen so that the service holds what is wanted, and nothing of ours that is too old.
    private struct Plan {
        let adding: [TXTRecord]
        let removing: [TXTRecord]
        let kept: [TXTRecord]
        /// Whether the service could not be asked what it holds.
        let isBlind: Bool
    }

    private func plan(_ wanted: [TXTRecord], _ notes: RecordNotes, keep: Int64) throws(PublishError) -> Plan {
        let noted = notes.records
        let answer = wanted.isEmpty ? [] : try service.held(among: wanted)
        // What a service refused, or a run that was killed meant to publish, is noted but not known to be there.
        let confirmed = Set(noted.filter(\.value.isConfirmed).keys)
        let held = answer ?? confirmed
        let all = Set(wanted)
        let adding = all.subtracting(held)
        // A time that lies ahead of the clock is no reason to keep a record for ever.
        let old = noted.filter { !all.contains($0.key) && abs(now - $0.value.written) > keep }
        let removing = wanted.isEmpty ? [] : old.keys.sorted()
        let kept = confirmed.union(all.intersection(held)).subtracting(removing).subtracting(adding)
        return Plan(
            adding: adding.sorted(), removing: removing, kept: kept.sorted(), isBlind: answer == nil)
    }

    private func predict(_ records: [TXTRecord], keep: Int64) throws(PublishError) -> Publication {
        let notes = try read()
        var publication = publication(of: try plan(records, notes, keep: keep))
        publication.serial = service.serial()
        return publication
    }

    private func publication(of plan: Plan) -> Publication {
        var publication = Publication()
        publication.changed = !plan.adding.isEmpty || !plan.removing.isEmpty
        publication.added = plan.adding
        publication.removed = plan.removing
        publication.kept = plan.kept
        publication.place = "TXT records of \(zone) at \(service.identity)"
        publication.before = Self.text(plan.kept + plan.removing)
        publication.after = Self.text(plan.kept + plan.adding)
        if plan.isBlind { publication.remedy = "the next call publishes again what was not seen" }
        publication.warnings = TXTRecord.crowdingWarnings((plan.kept + plan.adding).unique)
        return publication
    }

    private static func text(_ records: [TXTRecord]) -> String {
        records.sorted().map { "\($0.name) TXT \"\($0.value)\"\n" }.joined()
    }

    // MARK: Doing it

    private func perform(_ records: [TXTRecord], keep: Int64) throws(PublishError) -> Publication {
        var notes = try read()
        let plan = try plan(records, notes, keep: keep)
        var publication = publication(of: plan)
        let adding = Set(plan.adding)
        for record in records {
            notes.records[record] = .init(written: now, isConfirmed: !adding.contains(record))
        }
        // What may be gone after this is added again where the next call asks for it.
        for record in plan.removing { notes.records[record]?.isConfirmed = false }
        try write(notes)
        if publication.changed {
            let removal = try service.change(adding: plan.adding, removing: plan.removing)
            for record in records { notes.records[record]?.isConfirmed = true }
            for record in plan.removing where !removal.left.contains(record) { notes.records[record] = nil }
            try write(notes)
            publication.removed.removeAll(where: removal.left.contains)
            publication.warnings += removal.warnings
        }
        publication.serial = service.serial()
        return publication
    }

    // MARK: Notes

    private var now: Int64 { Int64(task.clock.now.timeIntervalSince1970) }

    private var directory: String { task.statePath + "/publish" }

    /// A file name for the zone at the service.
    private var stem: String {
        let text = "\(zone).\(service.identity)"
        return directory + "/" + Digest.label(of: text, readable: text[...])
    }

    private var file: StateFile<RecordNotes> {
        StateFile(
            path: stem + ".json",
            remedy: "remove it, and the tokens of earlier calls stay in the zone until somebody removes them there")
    }

    private func read() throws(PublishError) -> RecordNotes {
        try attempt { () throws(StateFile<RecordNotes>.Failure) in try file.read() } ?? RecordNotes()
    }

    private func write(_ notes: RecordNotes) throws(PublishError) {
        try attempt { () throws(StateFile<RecordNotes>.Failure) in try file.write(notes) }
    }

    private func locked(until deadline: Deadline) throws(PublishError) -> FileLock {
        try attempt { () throws(PrivateDirectory.Exposed) in
            for path in [task.statePath, directory] { try PrivateDirectory.make(path) }
        }
        return try attempt { () throws(FileLock.Failure) in
            try FileLock(stem + ".lock", purpose: "acme_publish_txt", deadline: deadline)
        }
    }

    @discardableResult
    private func attempt<Result, Failure: CustomStringConvertible>(
        _ body: () throws(Failure) -> Result
    ) throws(PublishError) -> Result {
        do {
            return try body()
        } catch {
            throw PublishError("the zone \(zone) was not published: \(error)")
        }
    }
}
