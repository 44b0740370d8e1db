package import Names
package import Platform

/// The serial of a zone (RFC 1035, section 3.3.13), compared on a circle (RFC 1982).
package enum ZoneSerial {
    /// The serial for a changed zone: the time, or one more than the old serial where that is larger. It counts as
    /// later than the old one for every secondary, past the end of the 32 bits too.
    package static func next(after old: UInt32?, now: Int64) -> UInt32 {
        let time = UInt32(truncatingIfNeeded: max(1, now))
        guard let old else { return time }
        if time > old && isLater(time, than: old) { return time }
        if old < .max { return old + 1 }
        return isLater(time, than: old) ? time : 1
    }

    /// RFC 1982, section 3.2.
    package static func isLater(_ new: UInt32, than old: UInt32) -> Bool {
        new != old && new &- old < 1 << 31
    }

    /// The serial that a server has a zone with; nil where it does not say by the deadline.
    package static func ask(of zone: DNSName, at server: ServerAddress, until deadline: Deadline) -> UInt32? {
        let errand = Transport.Errand(question: Question(zone, .soa, recursion: false), server: server)
        guard case .success(let answer)? = Transport.run([errand], deadline: deadline).first else { return nil }
        for record in answer.records where record.owner == zone {
            if case .serial(let serial) = record.value { return serial }
        }
        return nil
    }
}
