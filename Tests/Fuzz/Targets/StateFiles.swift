internal import ACME
internal import FoundationEssentials
internal import Glibc
internal import Names
internal import PKI
internal import Platform
internal import Publishers
internal import Store

/// What this program keeps between two runs, as a crash, another version or a hand may have left it. What was read is
/// used as a run would use it.
enum StateFiles {
    static func read(_ bytes: [UInt8]) {
        if let record: OrderRecord = found(bytes) { use(record) }
        if let record: FailureRecord = found(bytes) { use(record) }
        if let cache: SessionCache = found(bytes) { ScriptedAuthority.resume(cache) }
        if let issuance: Issuance = found(bytes) { _ = issuance.authority }
        if let note: RevocationNote = found(bytes) { _ = note.clause }
        if let answer: RenewalAnswer = found(bytes) { _ = answer.suggestion?.moment }
        if let notes: RecordNotes = found(bytes) { require(found(written(notes)) == notes, "notes read as themselves") }
    }

    private static func use(_ record: OrderRecord) {
        let names = record.names.compactMap { try? DomainName($0) }
        _ = record.serves(names, .ec256)
        switch record.work {
        case .order(let order): ScriptedAuthority.resume(order)
        case .selfSigned: break
        }
    }

    private static func use(_ record: FailureRecord) {
        let names = record.names.compactMap { try? DomainName($0) }
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        _ = record.objection(to: names, .ordered, now: now)
        guard !names.isEmpty else { return }
        let next = FailureRecord(of: names, because: "why", .refusal(notBefore: nil), after: record, now: now)
        require(next.next > now, "a failure puts the next try off")
    }

    /// What a state file with these bytes holds. The file is in memory, and has no name.
    private static func found<Content: Codable>(_ bytes: [UInt8]) -> Content? {
        var template = Array("/dev/shm/state-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        defer { close(descriptor) }
        unlink(template)
        require(write(descriptor, bytes, bytes.count) == bytes.count, "the machine has memory")
        return (try? StateFile<Content>(path: "/proc/self/fd/\(descriptor)").read()) ?? nil
    }

    private static func written(_ notes: RecordNotes) -> [UInt8] { Array((try? JSONEncoder().encode(notes)) ?? Data()) }
}
