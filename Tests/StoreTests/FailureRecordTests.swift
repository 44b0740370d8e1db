import ACME
import FoundationEssentials
import Names
import Store
import Testing

@Suite struct FailureRecordTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)
    private let error = ACMEError("order a certificate for a.example.org", "policy")

    private func names(_ texts: String...) throws -> [DomainName] { try texts.map { try DomainName($0) } }

    @Test func `the CA is asked again after 1, 10 and 100 minutes, and then less than a day later`() throws {
        var record: FailureRecord?
        for pause in [60.0, 600, 6000, 72_000, 72_000] {
            record = FailureRecord(of: try names("a.example.org"), error, after: record, now: start)
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
        var limited = error
        limited.retryAfter = start.addingTimeInterval(90_000)
        let record = FailureRecord(of: try names("a.example.org"), limited, after: nil, now: start)
        #expect(record.next == start.addingTimeInterval(90_000))
    }

    @Test func `other names begin anew, the same in another order do not`() throws {
        let first = FailureRecord(of: try names("a.example.org", "b.example.org"), error, after: nil, now: start)
        #expect(first.objection(to: try names("b.example.org", "a.example.org"), now: start) != nil)
        #expect(first.objection(to: try names("a.example.org"), now: start) == nil)
        #expect(FailureRecord(of: try names("a.example.org"), error, after: first, now: start).count == 1)
    }
}
