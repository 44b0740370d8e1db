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
        FailureRecord(
            of: try names.map { try DomainName($0) }, because: reason, notBefore: notBefore, after: previous, now: start
        )
    }

    private func names(_ texts: String...) throws -> [DomainName] { try texts.map { try DomainName($0) } }

    @Test func `the CA is asked again after 1, 10 and 100 minutes, and then less than a day later`() throws {
        var record: FailureRecord?
        for pause in [60.0, 600, 6000, 72_000, 72_000] {
            record = try self.record("a.example.org", after: record)
            #expect(record?.next == start.addingTimeInterval(pause))
        }
        #expect(record?.count == 5)
        let words = record?.objection(to: try names("a.example.org"), now: start.addingTimeInterval(1)) ?? ""
        #expect(
            words.hasPrefix(
                "not ordered again before 2027-01-16T04:00:00Z, unless force is set, since 5 tries in a row"))
        #expect(words.hasSuffix("cannot order a certificate for a.example.org: policy"))
        #expect(record?.objection(to: try names("a.example.org"), now: start.addingTimeInterval(72_000)) == nil)
    }

    @Test func `a CA that says when is obeyed`() throws {
        let record = try record("a.example.org", notBefore: start.addingTimeInterval(90_000))
        #expect(record.next == start.addingTimeInterval(90_000))
    }

    @Test func `other names begin anew, the same in another order do not`() throws {
        let first = try record("a.example.org", "b.example.org")
        #expect(first.objection(to: try names("b.example.org", "a.example.org"), now: start) != nil)
        #expect(first.objection(to: try names("a.example.org"), now: start) == nil)
        #expect(try record("a.example.org", after: first).count == 1)
    }
}
