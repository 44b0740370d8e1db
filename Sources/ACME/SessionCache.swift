package import FoundationEssentials

/// What a later run may use again, so that it asks neither for the directory nor for nonces. Not secret.
package struct SessionCache: Codable, Sendable, Equatable {
    /// The longest that a directory and an unused nonce are trusted, in seconds.
    static let directoryAge = 3600.0
    static let nonceAge = 600.0

    package var directoryURL: String
    package var directory: Directory?
    package var directoryFetched: Date?
    package var nonces: [String]
    package var saved: Date

    /// The directory, where it is that of `url` and fresh enough.
    func directory(of url: String, now: Date) -> (Directory, Date)? {
        guard url == directoryURL, let directory, let directoryFetched else { return nil }
        return Self.isYoung(directoryFetched, Self.directoryAge, now) ? (directory, directoryFetched) : nil
    }

    /// The nonces, where they are of the CA at `url` and fresh enough. A stale one costs a round, no more.
    func nonces(of url: String, now: Date) -> [String] {
        url == directoryURL && Self.isYoung(saved, Self.nonceAge, now) ? nonces : []
    }

    private static func isYoung(_ date: Date, _ limit: Double, _ now: Date) -> Bool {
        (0..<limit).contains(now.timeIntervalSince(date))
    }
}
