internal import Synchronization
package import FoundationEssentials
internal import Platform

/// A clock that stands still until somebody pauses on it; then it jumps.
package final class ManualClock: Clock {
    private let elapsed: Mutex<Double>
    private let start: Date

    package init(at start: Date = Date(timeIntervalSince1970: 1_800_000_000)) {
        self.start = start
        elapsed = Mutex(0)
    }

    package var uptime: Double { elapsed.withLock { $0 } }
    package var now: Date { start.addingTimeInterval(uptime) }

    package func pause(seconds: Double) {
        elapsed.withLock { $0 += max(0, seconds) }
    }
}
