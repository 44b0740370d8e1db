import Foundation

/// What a CA has written into its log since a mark.
struct CALog {
    private let path: String
    private let mark: Int

    /// Sets the mark: what is there already does not count.
    init(_ ca: CA) throws {
        let name = ca == .main ? "main" : ca.rawValue.dropFirst().lowercased().replacingOccurrences(of: "_", with: "-")
        path = try Lab.current()["LOGS"] + "/pebble-\(name).log"
        mark = try Data(contentsOf: URL(fileURLWithPath: path)).count
    }

    private var lines: [String] {
        get throws {
            let written = try Data(contentsOf: URL(fileURLWithPath: path)).dropFirst(mark)
            return String(decoding: written, as: UTF8.self).components(separatedBy: "\n")
        }
    }

    private func count(_ text: String) throws -> Int { try lines.count { $0.contains(text) } }

    /// Requests of any kind.
    var requests: Int { get throws { try count("-> calling handler()") } }
    /// Orders made. An order that was refused, or sent with a nonce that was refused, is none.
    var orders: Int { get throws { try count("Added order ") } }
    /// Challenges that the CA was told to look at.
    var answeredChallenges: Int { get throws { try count("Pulled a task from the Tasks queue") } }
    var certificates: Int { get throws { try count("Issued certificate serial") } }
}
