package import AnsibleModule
package import DNS
internal import FoundationEssentials
package import Names
package import Platform

/// Keeps a signing zone in a file that a name server on this machine loads.
package struct ZoneFilePublisher: Provider {
    package static let option = "zone_file"

    /// Seconds that the lock is waited for.
    private static let lockPatience: Double = 120
    /// Seconds that the check or the reload may take.
    private static let commandPatience: Double = 60
    /// Times that a zone is planned where somebody else changes the file in between.
    private static let attempts = 3

    package let zone: DNSName
    private let settings: ZoneFileSettings
    private let clock: any Clock

    private typealias OldFile = (bytes: [UInt8], access: FileAccess)

    package init(_ options: inout Options, for task: PublishingTask) throws(OptionError) {
        self.init(zone: task.zone, settings: try ZoneFileSettings(&options), clock: task.clock)
    }

    package init(zone: DNSName, settings: ZoneFileSettings, clock: any Clock) {
        self.zone = zone
        self.settings = settings
        self.clock = clock
    }

    package func publish(
        _ records: [TXTRecord], keep: Int64, dryRun: Bool
    ) throws(PublishError) -> Publication {
        try checkInside(records)
        do {
            let file = ZoneFile(settings.path)
            try file.checkKind()
            if dryRun || records.isEmpty { return try prepare(file, records, keep: keep).0 }
            let lock = try lock(file)
            return try lock.whileHeld { () throws(PublishError) in
                try attempt { () throws(SystemError) in try file.removeTemporaries() }
                return try update(file, records, keep: keep)
            }
        } catch let error as PublishError {
            throw error
        } catch {
            throw PublishError("the zone \(zone) was not published: \(error)")
        }
    }

    /// The file says what was published, so that only its loading can be in doubt.
    package func doubt(_ records: [TXTRecord]) throws(PublishError) {
        let file = ZoneFile(settings.path)
        do {
            try lock(file).whileHeld { () throws(SystemError) in try file.noteUnloaded() }
        } catch {
            throw PublishError("\(file.path) will not be loaded again by the next call: \(error)")
        }
    }

    private func lock(_ file: ZoneFile) throws(FileLock.Failure) -> FileLock {
        try FileLock(
            file.lockPath, purpose: "acme_publish_txt",
            deadline: Deadline(seconds: Self.lockPatience, clock: SystemClock()))
    }

    private func update(_ file: ZoneFile, _ records: [TXTRecord], keep: Int64) throws(PublishError) -> Publication {
        for _ in 0..<Self.attempts {
            let (publication, work) = try prepare(file, records, keep: keep)
            switch work {
            case .none: return publication
            case .load:
                try load(file)
                return publication
            case .write(let text, let old):
                if try replace(file, by: text, old: old) { return publication }
            }
        }
        throw PublishError(
            "the zone \(zone) was not published: somebody else changed \(file.path) each of the \(Self.attempts) times "
                + "that it was about to be written, and it was left as it is; try again when nobody edits it")
    }

    /// What a publication has to do to the file.
    private enum Work {
        case none
        case load
        case write([UInt8], old: OldFile?)
    }

    private func prepare(
        _ file: ZoneFile, _ records: [TXTRecord], keep: Int64
    ) throws(PublishError) -> (Publication, Work) {
        let old = try attempt { () throws(SystemError) in try file.read() }
        let present = try present(old?.bytes ?? [])
        let now = Int64(clock.now.timeIntervalSince1970)
        let plan = try ZonePlan(
            zone: zone, text: old?.bytes ?? [], present: present, wanted: records, settings: settings, keep: keep,
            now: now)
        var publication = publication(of: plan, before: old?.bytes ?? [], serial: present?.serial)
        if plan.needsWrite {
            let serial = ZoneSerial.next(after: present?.serial, now: now)
            publication.changed = true
            publication.serial = serial
            let text = plan.zone.bytes(serial: serial)
            publication.after = String(decoding: text, as: UTF8.self)
            return (publication, .write(text, old: old))
        }
        guard !records.isEmpty, try attempt({ () throws(SystemError) in try file.isUnloaded }) else {
            return (publication, .none)
        }
        publication.changed = true
        return (publication, .load)
    }

    private func publication(of plan: ZonePlan, before: [UInt8], serial: UInt32?) -> Publication {
        var publication = Publication()
        publication.place = settings.path
        publication.before = String(decoding: before, as: UTF8.self)
        publication.after = publication.before
        publication.serial = serial
        publication.added = plan.added
        publication.removed = plan.removed
        publication.kept = plan.kept
        publication.warnings = plan.warnings
        publication.remedy = "the next call has the zone loaded again"
        return publication
    }

    private func present(_ bytes: [UInt8]) throws(PublishError) -> PresentZone? {
        do throws(ZoneSyntaxError) {
            return try PresentZone(bytes, zone: zone)
        } catch {
            throw PublishError("the zone file \(settings.path) cannot be read: \(error); it was left as it is")
        }
    }

    /// Check, then rename, then reload; whatever fails leaves the old zone in place and loaded. False where the file is
    /// not the old one any more, and is left as it is.
    private func replace(_ file: ZoneFile, by text: [UInt8], old: OldFile?) throws(PublishError) -> Bool {
        let access = old?.access ?? .own(mode: 0o644)
        let temporary = try attempt { () throws(SystemError) in
            try AtomicFile.create(text, beside: file.path, access: access)
        }
        do throws(PublishError) {
            if let failure = run(settings.checkCommand, on: temporary) {
                throw PublishError("the new zone \(zone) was refused, and \(file.path) was left as it is: \(failure)")
            }
            guard try attempt({ () throws(SystemError) in try file.replace(by: temporary, old: old) }) else {
                try attempt { () throws(SystemError) in try Files.remove(temporary) }
                return false
            }
        } catch {
            try? Files.remove(temporary)
            throw error
        }
        if let failure = run(settings.reloadCommand, on: file.path) {
            throw putBack(file, old, after: failure)
        }
        try attempt { () throws(SystemError) in try file.noteLoaded() }
        return true
    }

    /// Loads a zone that an earlier run replaced but did not live to load.
    private func load(_ file: ZoneFile) throws(PublishError) {
        if let failure = run(settings.reloadCommand, on: file.path) {
            throw PublishError("the zone \(zone), which an earlier run wrote, was not loaded: \(failure)")
        }
        try attempt { () throws(SystemError) in try file.noteLoaded() }
    }

    private func putBack(_ file: ZoneFile, _ old: OldFile?, after failure: String) -> PublishError {
        do throws(SystemError) {
            try file.restore(old)
            try file.noteLoaded()
        } catch {
            return PublishError(
                "the new zone \(zone) was not loaded, nor could the old one be put back: \(failure); \(error)")
        }
        guard old != nil else {
            return PublishError("the new zone \(zone) was not loaded and \(file.path) was removed again: \(failure)")
        }
        let again = run(settings.reloadCommand, on: file.path)
        let end = again == nil ? "put back and reloaded" : "put back, but reloading it failed too"
        return PublishError("the new zone \(zone) was not loaded, the old one was \(end): \(failure)")
    }

    /// Runs a command; nil where it went well, else its words and what became of it.
    private func run(_ command: Command?, on path: String) -> String? {
        guard let command else { return nil }
        do throws(SystemError) {
            let filled = try command.filling(["zone": zone.description, "file": path])
            let outcome = try filled.run(deadline: Deadline(seconds: Self.commandPatience, clock: SystemClock()))
            return outcome.succeeded ? nil : "\(filled) \(outcome.description)"
        } catch {
            return "\(command): \(error)"
        }
    }

    @discardableResult
    private func attempt<Result>(_ body: () throws(SystemError) -> Result) throws(PublishError) -> Result {
        do throws(SystemError) {
            return try body()
        } catch {
            throw PublishError("the zone \(zone) was not published: \(error)")
        }
    }
}
