import FoundationEssentials
import Names
import Store
import Testing

@Suite struct FailureRecordTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)
    private let reason = "cannot order a certificate for a.example.org: policy"

    private func record(
        _ names: String..., notBefore: Date? = nil, after previous: FailureRecord? = nil
    ) throws -> FailureRecord {
        try record(names, .refusal(notBefore: notBefore), after: previous)
    }

    private func record(
        _ names: [String], _ weight: FailureRecord.Weight, after previous: FailureRecord? = nil
    ) throws -> FailureRecord {
        FailureRecord(
            of: try names.map { try DomainName($0) }, because: reason, weight, after: previous, now: start)
    }

    private func names(_ texts: String...) throws -> [DomainName] { try texts.map { try DomainName($0) } }

    @Test func `the CA is asked again after 1, 10 and 100 minutes, and then less than a day later`() throws {
        var record: FailureRecord?
        for pause in [60.0, 600, 6000, 72_000, 72_000] {
            record = try self.record("a.example.org", after: record)
            #expect(record?.next == start.addingTimeInterval(pause))
        }
        #expect(record?.count == 5)
        let words = record?.objection(to: try names("a.example.org"), .ordered, now: start.addingTimeInterval(1)) ?? ""
        #expect(
            words.hasPrefix(
                "not ordered again before 2027-01-16T04:00:00Z, unless its own force is set, since 5 tries in a row"))
        #expect(words.hasSuffix("cannot order a certificate for a.example.org: policy"))
        #expect(
            record?.objection(to: try names("a.example.org"), .ordered, now: start.addingTimeInterval(72_000)) == nil)
    }

    @Test func `a CA that says when is obeyed`() throws {
        let record = try record("a.example.org", notBefore: start.addingTimeInterval(90_000))
        #expect(record.next == start.addingTimeInterval(90_000))
    }

    @Test func `a CA that asks to be left alone is, and what it refused before counts no more for that`() throws {
        let end = start.addingTimeInterval(3600)
        let outage = try record(["a.example.org"], .outage(until: end))
        #expect(outage.next == end)
        let words = outage.objection(to: try names("a.example.org"), .finalized, now: start) ?? ""
        let start = "not finalized again before 2027-01-15T09:00:00Z, unless its own force is set, since the last"
        #expect(words.hasPrefix(start))
        let first = try record("a.example.org", after: outage)
        #expect(first.count == 1)
        #expect(try record(["a.example.org"], .outage(until: end), after: first).count == 1)
    }

    @Test func `an outage neither shortens the pause after a refusal nor lasts longer than a day`() throws {
        let refusal = try record("a.example.org", notBefore: start.addingTimeInterval(7200))
        let soon = start.addingTimeInterval(60)
        #expect(try record(["a.example.org"], .outage(until: soon), after: refusal).next == refusal.next)
        #expect(try record(["b.example.org"], .outage(until: soon), after: refusal).next == soon)
        let year = try record(["a.example.org"], .outage(until: start.addingTimeInterval(31_536_000)))
        #expect(year.next == start.addingTimeInterval(86_400))
    }

    @Test func `a refusal lasts no longer than a week, whatever moment the CA names`() throws {
        let record = try record("a.example.org", notBefore: start.addingTimeInterval(31_536_000))
        #expect(record.next == start.addingTimeInterval(604_800))
    }

    @Test func `what was written while the clock was ahead forbids nothing and does not count`() throws {
        let wrong = start.addingTimeInterval(31_536_000)
        let name = try names("a.example.org")
        let ahead = FailureRecord(of: name, because: reason, .refusal(notBefore: nil), after: nil, now: wrong)
        #expect(ahead.objection(to: name, .ordered, now: wrong) != nil)
        #expect(ahead.objection(to: name, .ordered, now: start) == nil)
        #expect(try record("a.example.org", after: ahead).count == 1)
        #expect(try record(["a.example.org"], .outage(until: start), after: ahead).next == start)
    }

    @Test func `a key that the CA did not take is remembered over failures of another kind`() throws {
        let names = try names("a.example.org")
        let refused = FailureRecord(
            of: names, because: reason, .refusal(notBefore: nil), refusedKey: "thumbprint", after: nil, now: start)
        let later = try record(["b.example.org"], .outage(until: start), after: refused)
        #expect(later.refusedKey == "thumbprint")
        #expect(later.lifted(at: start).refusedKey == "thumbprint")
    }

    @Test func `an order that was made by force may be ended, and earlier failures still count`() throws {
        let lifted = try record("a.example.org").lifted(at: start)
        #expect(lifted.objection(to: try names("a.example.org"), .finalized, now: start) == nil)
        #expect(try record("a.example.org", after: lifted).count == 2)
    }

    @Test func `other names begin anew, the same in another order do not`() throws {
        let first = try record("a.example.org", "b.example.org")
        #expect(first.objection(to: try names("b.example.org", "a.example.org"), .ordered, now: start) != nil)
        #expect(first.objection(to: try names("a.example.org"), .ordered, now: start) == nil)
        #expect(try record("a.example.org", after: first).count == 1)
    }
}
