import AnsibleModule
import DNS
import Names
import Platform
import TestSupport
import Testing

@testable import Publishers

@Suite struct `Notes on what was published` {
    /// Publishes one value, by a program that does nothing, into a zone whose notes are below `state`.
    @discardableResult
    private func publish(_ value: String, zone: String = "acme.example.org", state: String) throws -> Publication {
        var options = Options(["run": "true"], path: "command")
        let task = PublishingTask(
            zone: try DNSName(zone), statePath: state, deadline: Deadline(seconds: 60, clock: ManualClock()))
        let publisher: RecordPublisher<CommandService> = try RecordPublisher(&options, for: task)
        let record = TXTRecord(name: try DNSName("w.\(zone)"), value: try TXTValue(value))
        return try publisher.publish([record], keep: 3600, dryRun: false)
    }

    private func failure(state: String) throws -> String {
        let error = #expect(throws: PublishError.self) { try publish("one", state: state) }
        return error?.description ?? ""
    }

    @Test func `of two zones whose long names begin alike are two files`() throws {
        try withTemporaryDirectory { directory in
            let label = String(repeating: "l", count: 63)
            let zones = ["a", "b"].map { "\(label).\(label).\(label).\(String(repeating: "m", count: 20))\($0).org" }
            for zone in zones { try publish("one", zone: zone, state: directory + "/state") }
            let notes = try Files.list(directory + "/state/publish").filter { $0.hasSuffix(".json") }
            #expect(notes.count == 2)
        }
    }

    @Test func `of a zone are found again, in a file that people can tell it by`() throws {
        try withTemporaryDirectory { directory in
            try publish("one", state: directory + "/state")
            #expect(try !publish("one", state: directory + "/state").changed)
            let files = try Files.list(directory + "/state/publish")
            #expect(files.allSatisfy { $0.hasPrefix("acme.example.org.command-") }, "\(files)")
        }
    }

    @Test func `that are damaged are named, with what becomes of the records`() throws {
        try withTemporaryDirectory { directory in
            try publish("one", state: directory + "/state")
            let publish = directory + "/state/publish"
            let name = try #require(try Files.list(publish).first { $0.hasSuffix(".json") })
            try AtomicFile.write(Array("{".utf8), to: "\(publish)/\(name)", access: .own(mode: 0o600))
            let said = try failure(state: directory + "/state")
            #expect(
                said.contains("\(publish)/\(name) is damaged; remove it, and the tokens of earlier calls stay"),
                "\(said)")
        }
    }

    @Test(arguments: ["", "/publish"])
    func `are not kept where others have access`(place: String) throws {
        try withTemporaryDirectory { directory in
            let state = directory + "/state"
            try publish("one", state: state)
            try Files.set(.own(mode: 0o755), on: state + place)
            let said = try failure(state: state)
            #expect(said.contains("chmod 700 \(state)\(place))"), "\(said)")
        }
    }
}
