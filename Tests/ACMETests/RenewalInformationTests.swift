import ACME
import FoundationEssentials
import HTTP
import Platform
import TestSupport
import Testing

@Suite struct RenewalInformationTests {
    private let server = ScriptedTransport()
    private let clock = ManualClock()

    private func ask() -> Result<RenewalInformation, ACMEError> {
        let deadline = Deadline(seconds: 10, clock: clock)
        return RenewalInformation.fetch(
            [(base: "https://ca.example/ari", identifier: "aki.serial")], transport: server, deadline: deadline)[0]
    }

    private func window(_ start: String, _ end: String, _ fields: [HTTPField] = []) -> ScriptedTransport.Reply {
        .json(
            200,
            """
            {"suggestedWindow": {"start": "\(start)", "end": "\(end)"}, "explanationURL": "https://ca.example/why"}
            """, fields)
    }

    @Test func `the window, its explanation and when to ask again are read, without a signature`() throws {
        server.on(
            "GET /ari/aki.serial",
            window("2027-01-03T00:00:00Z", "2027-01-05T12:30:00.123456789Z", [HTTPField("Retry-After", "7200")]))
        let information = try ask().get()
        #expect(information.end.timeIntervalSince(information.start) == 2 * 86_400 + 45_000)
        #expect(information.explanationURL == "https://ca.example/why")
        #expect(information.checkAgain == clock.now.addingTimeInterval(7200))
        #expect(server.rounds[0][0].body == nil)
    }

    @Test(arguments: [("0", 60.0), ("9999999", 86_400.0), (nil, 21_600.0)])
    func `the CA is asked again within a minute and a day`(asked: String?, seconds: Double) throws {
        let fields = asked.map { [HTTPField("Retry-After", $0)] } ?? []
        server.on("GET /ari/aki.serial", window("2027-01-03T00:00:00Z", "2027-01-05T00:00:00Z", fields))
        #expect(try ask().get().checkAgain == clock.now.addingTimeInterval(seconds))
    }

    @Test(arguments: [
        ("2027-01-05T00:00:00Z", "2027-01-03T00:00:00Z"), ("2027-01-05T00:00:00Z", "2027-01-05T00:00:00Z"),
        ("soon", "2027-01-05T00:00:00Z"),
    ])
    func `a window that ends before it begins, or is none, is an error`(start: String, end: String) throws {
        server.on("GET /ari/aki.serial", window(start, end))
        let error = try failure(ask())
        #expect(error.description == "cannot read the CA's renewal information: its window is no span of time")
        #expect(error.retryAfter == clock.now.addingTimeInterval(3600))
    }

    @Test func `a refusal is said in the CA's words, and obeyed`() throws {
        server.on("GET /ari/aki.serial", .problem(429, "rateLimited", "too many", retryAfter: "120"))
        let error = try failure(ask())
        #expect(error.description.contains("rateLimited: too many"))
        #expect(error.retryAfter == clock.now.addingTimeInterval(120))
        server.on("GET /ari/aki.serial", .lost())
        #expect(try failure(ask()).retryAfter == clock.now.addingTimeInterval(3600))
    }

    @Test(arguments: ["<html>", "{}", #"{"suggestedWindow": {"start": 5, "end": null}}"#])
    func `an answer that is none is not asked for again at once`(body: String) throws {
        server.on("GET /ari/aki.serial", .json(200, body, [HTTPField("Retry-After", "120")]))
        let error = try failure(ask())
        #expect(error.description.contains("the CA's answer cannot be used"))
        #expect(error.retryAfter == clock.now.addingTimeInterval(120))
    }
}
