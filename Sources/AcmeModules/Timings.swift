internal import AnsibleModule
internal import Platform

/// How long each phase of a module took, in seconds, for the result's `timings`.
final class Timings {
    private let clock: any Clock
    private var seconds: [String: Double] = [:]

    init(_ clock: any Clock) { self.clock = clock }

    /// Does the work of a phase. Of one that comes twice the times are added up.
    func measure<Value, Failure>(
        _ phase: String, _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let start = clock.uptime
        defer { seconds[phase, default: 0] += clock.uptime - start }
        return try body()
    }

    /// By phase, to the millisecond.
    var json: JSONValue { .object(seconds.mapValues { .number(($0 * 1000).rounded() / 1000) }) }
}
