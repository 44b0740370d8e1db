import AnsibleModule
import DNS
import Names
import Platform
import TestSupport
import Testing

@testable import Publishers

@Suite struct `Publishing through a program` {
    @Test func `calls it once with all records as JSON, and not again where nothing is new`() throws {
        try withProgram("cat >>$LOG") { bench in
            #expect(try bench.publish("one", "two").changed)
            let expected = """
                {"add": [{"name": "web.acme.example.org", "value": "one"}, {"name": "web.acme.example.org", \
                "value": "two"}], "remove": [], "zone": "acme.example.org"}

                """
            #expect(try bench.log() == expected)
            let again = try bench.publish("two", "one")
            #expect(!again.changed)
            #expect(again.kept.count == 2)
            #expect(try bench.log() == expected)
        }
    }

    @Test func `calls it for each record with the record in its environment and in its words`() throws {
        try withProgram(
            #"echo "$ACME_ACTION $ACME_NAME $ACME_VALUE $ACME_ZONE / $*" >>$LOG"#, per: "record",
            words: ["{action}", "{name}", "{value}"]
        ) { bench in
            _ = try bench.publish("old")
            bench.clock.pause(seconds: 3601)
            let publication = try bench.publish("new {name}")
            #expect(publication.removed.map(\.value.text) == ["old"])
            #expect(
                try bench.log() == """
                    add web.acme.example.org old acme.example.org / add web.acme.example.org old
                    remove web.acme.example.org old acme.example.org / remove web.acme.example.org old
                    add web.acme.example.org new {name} acme.example.org / add web.acme.example.org new {name}

                    """)
        }
    }

    @Test func `says what the program said, hides what it was trusted with, and tries again at the next call`() throws {
        try withProgram("echo \"no zone for $TOKEN\" >&2; test -e $LOG.ok", variables: ["TOKEN": "s3cret", "CA": "e"]) {
            bench in
            let failure = #expect(throws: PublishError.self) { try bench.publish("one") }
            #expect(failure?.description.hasPrefix("the zone acme.example.org was not published: sh ") == true)
            #expect(failure?.description.hasSuffix("ended with status 1: no zone for (hidden)") == true)
            try AtomicFile.write([], to: bench.logPath + ".ok", access: .own(mode: 0o600))
            #expect(try bench.publish("one").added.map(\.value.text) == ["one"])
        }
    }

    @Test func `keeps the note of a record that could not be removed, and warns`() throws {
        try withProgram("test $ACME_ACTION = add || test -e $LOG.ok", per: "record") { bench in
            _ = try bench.publish("old")
            bench.clock.pause(seconds: 3601)
            let publication = try bench.publish("new")
            #expect(publication.removed.isEmpty)
            #expect(publication.warnings.count == 1)
            try AtomicFile.write([], to: bench.logPath + ".ok", access: .own(mode: 0o600))
            #expect(try bench.publish("newer").removed.map(\.value.text) == ["old"])
        }
    }

    @Test func `adds what is new though its one call for all cannot remove what is old, and warns`() throws {
        let script = #"cat >$LOG.in; ! grep -q '"remove": \[{' $LOG.in && cat $LOG.in >>$LOG"#
        try withProgram(script) { bench in
            _ = try bench.publish("old")
            bench.clock.pause(seconds: 3601)
            let publication = try bench.publish("new")
            #expect(publication.added.map(\.value.text) == ["new"])
            #expect(publication.removed.isEmpty)
            #expect(
                publication.warnings.map { $0.hasPrefix("old TXT records (1) could not be removed, ") } == [true])
            #expect(try bench.log().split(separator: "\n").count == 2)
        }
    }

    @Test func `adds again what was removed by a call that could not add`() throws {
        let script = #"test "$ACME_ACTION $ACME_VALUE" != "add bad" && echo "$ACME_ACTION $ACME_VALUE" >>$LOG"#
        try withProgram(script, per: "record") { bench in
            _ = try bench.publish("old")
            bench.clock.pause(seconds: 3601)
            #expect(throws: PublishError.self) { try bench.publish("bad") }
            #expect(try bench.publish("old").added.map(\.value.text) == ["old"])
            #expect(try bench.log() == "add old\nremove old\nadd old\n")
        }
    }

    @Test func `calls it again for what servers were seen to answer without, and for nothing else`() throws {
        try withProgram("cat >>$LOG") { bench in
            #expect(try bench.publish("one", "two").remedy == "the next call publishes again what was not seen")
            try bench.publisher.doubt([
                TXTRecord(name: try DNSName("web.acme.example.org"), value: try TXTValue("two"))
            ])
            let again = try bench.publish("one", "two")
            #expect(again.added.map(\.value.text) == ["two"])
            #expect(again.kept.map(\.value.text) == ["one"])
            #expect(try !bench.publish("one", "two").changed)
            #expect(try bench.log().split(separator: "\n").count == 2)
        }
    }

    @Test func `notes nothing of doubts about what was never published`() throws {
        try withProgram("cat >>$LOG") { bench in
            try bench.publisher.doubt([
                TXTRecord(name: try DNSName("web.acme.example.org"), value: try TXTValue("never"))
            ])
            #expect(try bench.publish("one").kept == [])
        }
    }

    @Test func `ends it where it does not end in time`() throws {
        try withProgram("sleep 60", clock: SystemClock(), seconds: 0.2) { bench in
            let failure = #expect(throws: PublishError.self) { try bench.publish("one") }
            #expect(failure?.description.contains("did not end in time and was killed") == true)
        }
    }

    @Test func `predicts without calling it`() throws {
        try withProgram("echo called >>$LOG") { bench in
            let publication = try bench.publish("one", dryRun: true)
            let log = try bench.log()
            #expect(publication.added.count == 1)
            #expect(log == "")
        }
    }

    @Test func `says what is wrong with its options`() throws {
        try withTemporaryDirectory { directory in
            let task = PublishingTask(
                zone: try DNSName("acme.example.org"), statePath: directory,
                deadline: Deadline(seconds: 60, clock: ManualClock()))
            var none = Options([:], path: "command")
            #expect(throws: OptionError("command.run", "is missing")) { try CommandService(&none, for: task) }
            var odd = Options(["run": "true", "environment": ["A=B": "x"]], path: "command")
            #expect(throws: OptionError.self) { try CommandService(&odd, for: task) }
        }
    }
}

/// A shell script as the program of the provider `command`, with a log of its own.
private struct ProgramBench {
    let publisher: RecordPublisher<CommandService>
    let clock: any Clock
    let logPath: String

    func publish(_ values: String..., dryRun: Bool = false) throws -> Publication {
        let name = try DNSName("web.acme.example.org")
        let records = try values.map { TXTRecord(name: name, value: try TXTValue($0)) }
        return try publisher.publish(records, keep: 3600, dryRun: dryRun)
    }

    func log() throws -> String { String(decoding: try Files.read(logPath) ?? [], as: UTF8.self) }
}

private func withProgram(
    _ script: String, per calls: String = "run", words: [String] = [], variables: [String: String] = [:],
    clock: any Clock = ManualClock(), seconds: Double = 86_400, _ body: (ProgramBench) throws -> Void
) throws {
    try withTemporaryDirectory { directory in
        let log = directory + "/log"
        let environment = variables.merging(["LOG": log]) { $1 }.mapValues { JSONValue.string($0) }
        var options = Options(
            [
                "run": .strings(["sh", "-c", script, "sh"] + words), "per": .string(calls),
                "environment": .object(environment),
            ], path: "command")
        let task = PublishingTask(
            zone: try DNSName("acme.example.org"), statePath: directory + "/state",
            deadline: Deadline(seconds: seconds, clock: clock))
        try body(
            ProgramBench(publisher: try RecordPublisher(&options, for: task), clock: clock, logPath: log))
    }
}
