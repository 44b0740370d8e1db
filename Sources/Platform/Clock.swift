internal import Glibc
package import FoundationEssentials

/// Where time comes from, so that a test of an hour's waiting runs at once.
package protocol Clock: Sendable {
    /// The calendar time, for what certificates and servers say.
    var now: Date { get }

    /// Seconds since some fixed moment; never steps back. For deadlines.
    var uptime: Double { get }

    /// Does nothing for this many seconds.
    func pause(seconds: Double)
}

/// The machine's own clocks.
package struct SystemClock: Clock {
    package init() {}

    package var now: Date { Date() }

    package var uptime: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    package func pause(seconds: Double) {
        guard seconds > 0 else { return }
        let whole = seconds.rounded(.down)
        var request = timespec(tv_sec: Int(whole), tv_nsec: Int((seconds - whole) * 1e9))
        var left = timespec()
        while nanosleep(&request, &left) != 0 && errno == EINTR { request = left }
    }
}

/// The moment at which a piece of work is given up, on the clock that does not step back.
package struct Deadline: Sendable {
    package let clock: any Clock
    private let end: Double

    /// `seconds` from now.
    package init(seconds: Double, clock: any Clock) {
        self.clock = clock
        end = clock.uptime + seconds
    }

    /// Seconds left; zero where the deadline has passed.
    package var remaining: Double { max(0, end - clock.uptime) }

    package var hasPassed: Bool { remaining <= 0 }

    /// Pauses for `seconds`, but never past the deadline.
    package func pause(seconds: Double) {
        clock.pause(seconds: min(seconds, remaining))
    }
}
