import DNS
import Foundation
import Names
import Platform
import Publishers
import TestSupport

/// A directory with a zone file in it, and what publishes into it.
struct ZoneFileBench {
    let directory: String
    let clock = ManualClock()
    let zone: DNSName

    init(_ directory: String) throws {
        self.directory = directory
        zone = try DNSName("acme.example.org")
    }

    var path: String { directory + "/zone.db" }

    func publisher(
        check: [String] = ["named-checkzone", "{zone}", "{file}"], reload: [String] = ["true"],
        nameServers: [ZoneFileSettings.NameServer]? = nil, clock: (any Platform.Clock)? = nil
    ) throws -> ZoneFilePublisher {
        let settings = ZoneFileSettings(
            path: path, nameServers: try nameServers ?? [.init(name: DNSName("ns.example.org"))],
            checkCommand: try Command(check), reloadCommand: try Command(reload))
        return ZoneFilePublisher(zone: zone, settings: settings, clock: clock ?? self.clock)
    }

    func publish(
        _ values: String..., keep: Int64 = 3600, dryRun: Bool = false, by publisher: ZoneFilePublisher? = nil
    ) throws -> Publication {
        try (publisher ?? self.publisher()).publish(values.map { try record($0) }, keep: keep, dryRun: dryRun)
    }

    func record(_ text: String) throws -> TXTRecord {
        TXTRecord(name: try DNSName("web.acme.example.org"), value: try TXTValue(text))
    }

    func text() throws -> String? {
        try Files.read(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// What is in the directory but lock files.
    func files() throws -> [String] { try Files.list(directory).filter { !$0.hasSuffix(".lock") } }
}

func withBench(_ body: (ZoneFileBench) throws -> Void) throws {
    try withTemporaryDirectory { try body(ZoneFileBench($0)) }
}
