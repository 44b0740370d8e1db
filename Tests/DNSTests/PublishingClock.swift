import Foundation
import Platform
import Synchronization

/// A clock on which something happens at the first pause: what a wait waits for.
final class PublishingClock: Platform.Clock {
    private let time = SystemClock()
    private let event: Mutex<(() throws -> Void)?>

    init(event: sending @escaping () throws -> Void) {
        self.event = Mutex(event)
    }

    var now: Date { time.now }
    var uptime: Double { time.uptime }

    func pause(seconds: Double) {
        event.withLock { event in
            try? event?()
            event = nil
        }
        time.pause(seconds: seconds)
    }
}
