import HTTP
import PKI
import Platform
import TestSupport
import Testing

@testable import ACME

@Suite struct RoundsTests {
    @Test func `a signed request before the directory is known is an error, not an endless wait`() throws {
        let server = ScriptedTransport()
        let clock = ManualClock()
        let rounds = Rounds(
            transport: server, key: try .generate(.ec256), clock: clock, nonces: Nonces(["left-over"]))
        rounds.kid = Session.kid
        let results = rounds.run(
            [Step<Reply>.send([.fetch("https://ca.example/order/1", "look at an order")])],
            until: Deadline(seconds: 10, clock: clock)
        ) { _, results in .done(results[0]) }
        let error = try failure(results[0])
        #expect(error.description == "cannot look at an order: the CA's directory has not been read yet")
        #expect(server.rounds.joined().isEmpty)
    }
}
