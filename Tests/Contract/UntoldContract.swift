import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// What a run put in place and never told of is `updated` in the next one, and in that one alone.
@Suite struct UntoldContract {
    enum Moment: CaseIterable, Sendable {
        /// Two new certificates are ordered.
        case orders
        /// Two certificates are good, but not in all formats that are asked for: no order is behind the change.
        case formats
    }

    /// A host with that work to do for certificates that it signs itself, and the options for it.
    private func withWork(_ moment: Moment, _ body: (_ host: String, _ options: JSONValue) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let host = directory + "/host"
            try Files.makeDirectory(host, access: .own(mode: 0o700))
            let base: [String: JSONValue] = [
                "self_signed": true, "certs": ["api": ["b.example.org"], "web": ["a.example.org"]],
            ]
            let plain = hermetic(host, base)
            #expect(try !RealProgram.call("acme_request_tokens", plain).failed)
            switch moment {
            case .orders: try body(host, plain)
            case .formats:
                #expect(try RealProgram.call("acme_finalize", plain)["updated"] == ["api", "web"])
                try body(host, hermetic(host, base.merging(["formats": ["combined", "der"]]) { $1 }))
            }
        }
    }

    private func shell(_ script: String, _ arguments: [String]) throws -> Int32 {
        try Program.run(["sh", "-euc", script, "sh"] + arguments).status
    }

    /// The calls after which the host's directories are others, up to the one that forgets the first note.
    private func calls(_ options: JSONValue, on host: String) throws -> [SystemCall] {
        let both = ["/a.example.org/current", "/b.example.org/current"]
        let changing = try SystemCall.trace("acme_finalize", options, replacing: both).filter { call in
            call.changes(host) && (isExhaustive || ["rename", "unlink"].contains(where: call.name.hasPrefix))
        }
        let last = try #require(
            changing.firstIndex { $0.name.hasPrefix("unlink") && $0.words.contains("/untold\"") },
            "no note is taken away")
        return Array(changing[...last])
    }

    /// The next run tells of both certificates, as check mode says, and the one after it of none.
    private func expectBothToBeTold(_ options: JSONValue, after event: String) throws {
        let dry = JSONValue.object((options.object ?? [:]).merging(["_ansible_check_mode": true]) { $1 })
        for (options, updated) in [(dry, true), (options, true), (dry, false), (options, false)] {
            let answer = try RealProgram.call("acme_finalize", options)
            #expect(!answer.failed && answer.changed == updated, "\(event): \(answer.msg)")
            #expect(answer["updated"] == (updated ? ["api", "web"] : []), "\(event): \(answer.msg)")
        }
    }

    @Test(arguments: Moment.allCases)
    func `a run that is killed before its result is known has told nobody, and the next one does`(moment: Moment)
        throws
    {
        try withWork(moment) { host, options in
            #expect(try shell(#"cp -a "$1" "$1.before""#, [host]) == 0)
            for call in try calls(options, on: host) {
                #expect(try shell(#"rm -rf "$1"; cp -a "$1.before" "$1""#, [host]) == 0)
                #expect(try call.kill("acme_finalize", options), "\(call)")
                try expectBothToBeTold(options, after: "\(call)")
            }
        }
    }

    @Test func `a failure after the files have switched has told nobody, and the next run does`() throws {
        try withWork(.formats) { host, options in
            #expect(try shell(#"cp -a "$1" "$1.before""#, [host]) == 0)
            let calls = try SystemCall.trace("acme_finalize", options, replacing: ["/b.example.org/current"])
            let switched = try #require(
                calls.firstIndex { $0.name.hasPrefix("rename") && $0.words.contains("/b.example.org/current\"") })
            let lasting = try #require(calls[switched...].first { $0.name == "fsync" })
            #expect(try shell(#"rm -rf "$1"; cp -a "$1.before" "$1""#, [host]) == 0)
            let answer = try lasting.fail("EIO", "acme_finalize", options)
            #expect(answer.failed && answer["updated"] == ["web"], "\(answer.msg)")
            #expect(try RealProgram.call("acme_finalize", options)["updated"] == ["api"])
            #expect(try RealProgram.call("acme_finalize", options)["updated"] == [])
        }
    }

    @Test(arguments: Moment.allCases)
    func `a result that nobody receives has told nobody`(moment: Moment) throws {
        try withWork(moment) { host, options in
            let file = host + ".args"
            try AtomicFile.write(Array(options.rendered.utf8), to: file, access: .own(mode: 0o600))
            let program = try RealProgram.path()
            #expect(try shell(#""$1" acme_finalize "$2" > /dev/full"#, [program, file]) == 1)
            let requested = try RealProgram.call("acme_request_tokens", options)
            #expect(requested.all("certificates", "action") == ["none", "none"])
            try expectBothToBeTold(options, after: "a full pipe")
        }
    }
}
