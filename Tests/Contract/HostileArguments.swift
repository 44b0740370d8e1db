import AnsibleModule
import Platform
import TestSupport
import Testing

@Suite struct HostileArguments {
    /// The answer to a file with these bytes.
    private func answer(_ bytes: [UInt8]) throws -> RealProgram.Answer {
        try withTemporaryDirectory { directory in
            let file = directory + "/args"
            try AtomicFile.write(bytes, to: file, access: .own(mode: 0o600))
            return try RealProgram.run([try RealProgram.path(), "acme_finalize", file])
        }
    }

    @Test(
        arguments: [
            ("", "is not valid JSON"), ("{\"a\": ", "is not valid JSON"), ("name=x domains=y", "is not valid JSON"),
            ("[1, 2]", "must hold a mapping, not a list"), ("null", "must hold a mapping, not null"),
            ("{\"a\": \"\\ud800\"}", "is not valid JSON"), ("\u{0}", "is not valid JSON"),
            (String(repeating: "{\"a\":", count: 50_000), "is not valid JSON"),
        ])
    func `a file that holds no mapping is a failure that says so`(text: String, problem: String) throws {
        let answer = try answer(Array(text.utf8))
        #expect(answer.failed)
        #expect(answer.msg.hasSuffix(problem))
        ModuleContract.finalize.expectLists(in: answer)
    }

    @Test func `a file that is not UTF-8 is a failure that says so`() throws {
        #expect(
            try answer(Array("{\"name\": \"".utf8) + [0xff, 0xc0] + Array("\"}".utf8)).msg.hasSuffix(
                "is not UTF-8 text"))
        #expect(try answer([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]).msg.hasSuffix("is not UTF-8 text"))
    }

    @Test func `a file of unreasonable size is refused`() throws {
        let answer = try answer([UInt8](repeating: 0x20, count: (16 << 20) + 1))
        #expect(answer.failed)
        #expect(answer.msg.contains("File too large"))
    }

    @Test func `a missing file, a directory and no file at all are failures that say so`() throws {
        let program = try RealProgram.path()
        #expect(try RealProgram.run([program, "acme_finalize", "/nowhere/args"]).msg.contains("is not there"))
        #expect(try RealProgram.run([program, "acme_finalize", "/"]).msg.contains("Is a directory"))
        #expect(try RealProgram.run([program, "acme_finalize"]).msg.contains("no arguments file"))
    }

    @Test(arguments: [
        "\"a\\nb.example.org\"", "\"\\u0000.example.org\"", "\"../../etc\"", "\"/etc/x\"", "\"-rf.example.org\"",
        "\"a..example.org\"", "\"192.0.2.1\"", "\"\"", "\"a.example.org:https\"", "1e999", "{}", "[[\"a\"]]",
        "\"*.*.example.org\"", "\"localhost\"", "\"\u{2028}.example.org\"", "\"\u{ff0f}etc.example.org\"",
    ])
    func `a name that is no host name is refused before anything is touched`(domain: String) throws {
        try withTemporaryDirectory { directory in
            let options = hermetic(directory, ["self_signed": true]).rendered
            let text = options.dropLast() + ", \"certs\": {\"web\": [\(domain)]}}"
            let program = try RealProgram.path()
            for module in ["acme_request_tokens", "acme_finalize"] {
                let answer = try RealProgram.run([program, module], text: String(text))
                #expect(answer.failed)
                #expect(!answer.changed)
            }
            #expect(try Files.list(directory) == [])
        }
    }
}
