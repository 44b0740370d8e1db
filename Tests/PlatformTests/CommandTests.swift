import Foundation
import Platform
import TestSupport
import Testing

@Suite struct `An external program` {
    private func run(
        _ words: [String], input: String = "", environment: [String: String] = [:], limit: Int = 1 << 20,
        seconds: Double = 30
    ) throws -> Command.Outcome {
        try Command(words).run(
            input: Array(input.utf8), environment: environment, limit: limit,
            deadline: Deadline(seconds: seconds, clock: SystemClock()))
    }

    @Test func `gives back its status and both of its outputs`() throws {
        let outcome = try run(["sh", "-c", "echo out; echo err >&2; exit 3"])
        #expect(outcome.ending == .exited(3))
        #expect(outcome.output == Array("out\n".utf8))
        #expect(outcome.errors == Array("err\n".utf8))
        #expect(outcome.description == "ended with status 3: err")
    }

    @Test func `gets its words as they are, without a shell between`() throws {
        let outcome = try run(["printf", "%s|", "a b", "$HOME", "*", "", "'"])
        #expect(outcome.output == Array("a b|$HOME|*||'|".utf8))
    }

    @Test func `reads its input to the end, more than any pipe holds`() throws {
        let text = String(repeating: "0123456789", count: 100_000)
        #expect(try run(["cat"], input: text).output == Array(text.utf8))
        #expect(try run(["wc", "-c"]).output == Array("0\n".utf8))
    }

    @Test func `may end without reading its input`() throws {
        let text = String(repeating: "0123456789", count: 100_000)
        #expect(try run(["true"], input: text).succeeded)
    }

    @Test func `is cut short in what is kept of its output, not in what it may write`() throws {
        let outcome = try run(["sh", "-c", "head -c 3000000 /dev/zero; echo end >&2"], limit: 1000)
        #expect(outcome.output.count == 1000)
        #expect(outcome.errors == Array("end\n".utf8))
    }

    @Test func `is killed with its children when the deadline has passed`() throws {
        try withTemporaryDirectory { directory in
            let clock = SystemClock()
            let start = clock.uptime
            let script = "sleep 600 & echo $! > \(directory)/child; wait"
            let outcome = try run(["sh", "-c", script], seconds: 0.5)
            #expect(outcome.ending == .timedOut)
            #expect(clock.uptime - start < 10)
            let child = String(decoding: try #require(try Files.read(directory + "/child")), as: UTF8.self)
            let number = try #require(Int32(child.trimmingCharacters(in: .whitespacesAndNewlines)))
            // The killed child is gone as soon as init has taken it; until then it is a zombie, not a sleeper.
            let status = try Files.read("/proc/\(number)/stat").map { String(decoding: $0, as: UTF8.self) }
            #expect(status == nil || status?.contains(") S ") == false)
        }
    }

    @Test func `is not waited for through what it leaves running`() throws {
        let clock = SystemClock()
        let start = clock.uptime
        let outcome = try run(["sh", "-c", "sleep 60 & echo $!"])
        #expect(outcome.succeeded)
        #expect(clock.uptime - start < 30)
        let child = String(decoding: outcome.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        kill(try #require(Int32(child)), SIGKILL)
    }

    @Test func `that is killed by a signal says by which`() throws {
        #expect(try run(["sh", "-c", "kill -9 $$"]).ending == .killed(signal: 9))
    }

    @Test func `sees the variables that it is given`() throws {
        let outcome = try run(["sh", "-c", "echo $COLOUR $HOME"], environment: ["COLOUR": "red", "HOME": "/h"])
        #expect(outcome.output == Array("red /h\n".utf8))
    }

    @Test func `inherits no ignored signal`() throws {
        let before = signal(SIGPIPE, SIG_IGN)
        defer { signal(SIGPIPE, before) }
        #expect(try run(["sh", "-c", "kill -PIPE $$"]).ending == .killed(signal: SIGPIPE))
    }

    @Test func `gets no pipe of this process but its own`() throws {
        let outcome = try run(["sh", "-c", "readlink /proc/$$/fd/1 /proc/$$/fd/2; ls -l /proc/$$/fd"])
        let lines = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n")
        for own in lines.prefix(2) {
            #expect(own.hasPrefix("pipe:"))
            #expect(lines.dropFirst(2).count { $0.hasSuffix(own) } == 1)
        }
    }

    @Test func `that is not there is an error that names it`() throws {
        let error = try #require(throws: SystemError.self) { try run(["/no/such/program"]) }
        #expect(error.description == "cannot run /no/such/program: No such file or directory")
    }

    @Test func `must have a name and no NUL in its words`() {
        #expect(throws: SystemError.self) { try Command([]) }
        #expect(throws: SystemError.self) { try Command([""]) }
        #expect(throws: SystemError.self) { try Command(["echo", "a\0b"]) }
    }

    @Test func `has its placeholders filled once, and unknown ones left`() throws {
        let command = try Command(["check", "{zone}", "--file={file}", "{other}", "{"])
        let filled = try command.filling(["zone": "{file}", "file": "/tmp/x y"])
        #expect(filled.words == ["check", "{file}", "--file=/tmp/x y", "{other}", "{"])
        #expect(filled.description == "check {file} '--file=/tmp/x y' {other} {")
    }
}

@Suite struct `A line of words` {
    @Test(arguments: [
        ("named-checkzone {zone} {file}", ["named-checkzone", "{zone}", "{file}"]),
        ("  a\t b\n", ["a", "b"]),
        ("'a b' \"c d\"", ["a b", "c d"]),
        ("a\\ b \\'", ["a b", "'"]),
        (#"say "a \"b\" \n \\ \$x""#, ["say", #"a "b" \n \ $x"#]),
        (#"'\' x"#, [#"\"#, "x"]),
        ("a''b \"\" ''", ["ab", "", ""]),
        ("a\r\nb", ["a", "b"]),
        ("'\u{30c}a b' \"\u{301}\"", ["\u{30c}a b", "\u{301}"]),
        ("", []),
    ])
    func `is split as a shell would`(line: String, words: [String]) throws {
        #expect(try CommandWords.split(line) == words)
    }

    @Test(arguments: [
        ("a 'b", "has a ' without its partner"), ("a \"b\\", "has a \" without its partner"),
        ("a\\", "ends in a backslash"),
    ])
    func `with something open at its end is an error`(line: String, reason: String) throws {
        let error = try #require(throws: CommandWords.Failure.self) { try CommandWords.split(line) }
        #expect(error.description == reason)
    }

    @Test func `comes back from being joined and split`() throws {
        let words = ["rndc", "-p", "953", "a b", "it's", "", "\"", "\\", "$x", "a\nb", "ü", "'\u{30c}", "\u{30c}a b"]
        #expect(try CommandWords.split(CommandWords.join(words)) == words)
    }
}
