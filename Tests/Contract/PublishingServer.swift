import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// The signing zone of the tests that publish.
let zone = "acme.example.org"

/// A zone that a name server can load, with nothing in it but what it must have.
let emptyZone = """
    $ORIGIN \(zone).
    $TTL 60
    @ IN SOA ns1.example.org. hostmaster.example.org. 7 3600 600 864000 60
    @ IN NS ns1.example.org.

    """

/// 43 characters, as an ACME token's digest has.
func token(_ number: Int) -> String {
    let tail = String(number)
    return String(repeating: "a", count: 43 - tail.count) + tail
}

extension NamedServer {
    /// Options of `acme_publish_txt` for these records on this server.
    func options(_ records: [String: String], _ more: [String: JSONValue] = [:]) -> JSONValue {
        let list = records.sorted { $0.key < $1.key }.map { record -> JSONValue in
            ["target": .string(record.key), "value": .string(record.value)]
        }
        return options(.array(list), more)
    }

    func options(_ records: JSONValue, _ more: [String: JSONValue] = [:]) -> JSONValue {
        let file: JSONValue = [
            "path": .string(zoneFile(zone)), "nameservers": ["ns1.example.org"],
            "reload_command": .strings(rndc("reload", "{zone}")),
        ]
        let all: [String: JSONValue] = [
            "zone": .string(zone), "records": records, "zone_file": file, "servers": [.string(address)],
            "visible_timeout": 20,
        ]
        return .object(all.merging(more) { $1 })
    }

    func publish(
        _ options: JSONValue, at location: SourceLocation = #_sourceLocation
    ) throws -> RealProgram.Answer {
        let answer = try RealProgram.call("acme_publish_txt", options, at: location)
        ModuleContract.publishTXT.expectLists(in: answer, at: location)
        return answer
    }

    /// What is beside the zone file, the file's bytes and its number, which a file that is written anew has not.
    var files: [String] {
        get throws {
            let names = try Files.list(Files.parent(of: zoneFile(zone))).filter { !$0.hasSuffix(".lock") }
            let number = try FileManager.default.attributesOfItem(atPath: zoneFile(zone))[.systemFileNumber]
            return names + ["\(number ?? "")", "\(try Files.read(zoneFile(zone)) ?? [])"]
        }
    }
}
