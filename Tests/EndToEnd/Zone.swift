import Foundation
import TestSupport

/// The signing zone, as its public name server shows it.
enum Zone {
    static let directory = "/var/lib/bind/zones"

    static var path: String { get throws { "\(directory)/\(try Lab.current().signingZone)/zone.db" } }

    static var serial: Int {
        get throws {
            let fields = try dig(try Lab.current().signingZone, "SOA").split(separator: " ")
            guard fields.count == 7, let serial = Int(fields[2]) else {
                throw Lab.Unexpected("the signing zone has no SOA record: \(fields)")
            }
            return serial
        }
    }

    /// The values of a label of the zone.
    static func texts(_ label: String) throws -> Set<String> {
        try shown("\(label).\(try Lab.current().signingZone)")
    }

    /// The TXT values of a name in any zone of the lab.
    static func shown(_ name: String) throws -> Set<String> {
        let shown = try dig(name, "TXT")
        return Set(shown.split(separator: "\n").map { $0.trimmingCharacters(in: ["\""]) })
    }

    /// The file on the primary: its bytes, its access and when it was written.
    static var file: String { get throws { try Host.nameServer.state(of: path) } }

    /// Takes all records but the zone's own out, so that an earlier run of the tests leaves none behind.
    static func clear() throws {
        let server = Host.nameServer
        let text = try server.run("cat \(path)").split(separator: "\n").filter { !$0.contains("TXT") }
        let old = String(try serial)
        let new = String(max(try serial + 1, Int(Date().timeIntervalSince1970)))
        let cleared = text.joined(separator: "\n").replacingOccurrences(of: " \(old) ", with: " \(new) ")
        try server.run("cat >\(path) && rndc reload \(Lab.current().signingZone)", input: cleared + "\n")
    }

    private static func dig(_ name: String, _ type: String) throws -> String {
        let server = try Lab.current()["SECONDARY"].split(separator: ":")
        let answer = try Program.run(["dig", "+short", "+tcp", "@\(server[0])", "-p", "\(server[1])", name, type])
        guard answer.status == 0 else { throw Lab.Unexpected("dig \(name) \(type): \(answer)") }
        return answer.stdout.trimmingCharacters(in: .newlines)
    }
}
