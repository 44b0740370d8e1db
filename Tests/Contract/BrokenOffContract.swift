import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// A run that ends at any moment, or whose disk fails at any moment: at each system call that changes a file, and at each
/// that talks to the CA. The next run does the rest.
@Suite struct BrokenOffContract {
    @Test(arguments: BrokenRun.Moment.allCases)
    func `a run that is killed at any point is taken up by the next`(moment: BrokenRun.Moment) throws {
        try withWorld { world in
            let run = try BrokenRun(world, moment)
            for call in run.calls.filter({ $0.talks || $0.changes(world.directory) }).chosen {
                try run.prepare()
                // How often a socket is looked at is another matter each time: the run may have come to its end.
                guard let words = try call.lastWords(run.module, run.options) else {
                    #expect(call.talks, "\(call)")
                    continue
                }
                run.hear(words)
                try run.expectOldOrNew(after: call)
                try run.expectNextToEnd(after: call)
            }
        }
    }

    @Test(arguments: BrokenRun.Moment.allCases)
    func `a disk that has no room for one moment costs nothing, whenever that is`(moment: BrokenRun.Moment) throws {
        // The failures that last begin at every other kind of call as well.
        try fail(moment, "ENOSPC") { name in
            isExhaustive ? name != "unlink" && name != "rmdir" : ["openat", "write"].contains(name)
        }
    }

    @Test(arguments: BrokenRun.Moment.allCases)
    func `a disk that is full from any point on costs nothing`(moment: BrokenRun.Moment) throws {
        try fail(moment, "ENOSPC", lasting: ["mkdir", "symlink", "rename", "fsync"]) { $0 != "unlink" && $0 != "rmdir" }
    }

    @Test(arguments: BrokenRun.Moment.allCases)
    func `a disk that can only be read from any point on costs nothing`(moment: BrokenRun.Moment) throws {
        let names = ["mkdir", "symlink", "rename", "unlink", "rmdir", "fchmod", "fchown"]
        try fail(moment, "EROFS", lasting: names) { $0 != "write" && $0 != "fsync" }
    }

    /// Neither opening nor writing can fail for good here: what is read and what is said would fail as well.
    private func fail(
        _ moment: BrokenRun.Moment, _ code: String, lasting: [String] = [], at isPossible: (String) -> Bool
    ) throws {
        let words = ["ENOSPC": "No space left on device", "EROFS": "Read-only file system"]
        try withWorld { world in
            let run = try BrokenRun(world, moment)
            for call in run.calls.filter({ $0.changes(world.directory) && isPossible($0.name) }).chosen {
                try run.prepare()
                let answer = try call.fail(code, lasting: lasting, run.module, run.options)
                run.hear(answer)
                if answer.failed {
                    #expect(answer.msg.contains(try #require(words[code])), "\(call): \(answer.msg)")
                } else {
                    try run.expectDone(answer, after: call)
                }
                try run.expectOldOrNew(after: call)
                try run.expectNextToEnd(after: call)
            }
        }
    }

    @Test func `a publication that is killed or fails at any point leaves a zone that loads, and the next one goes on`()
        throws
    {
        try NamedServer.run(zones: [zone: emptyZone]) { server in
            let directory = Files.parent(of: server.zoneFile(zone))
            let calls = try SystemCall.trace(
                "acme_publish_txt", server.options(["a.\(zone)": token(0)]), replacing: [server.zoneFile(zone)])
            let changing = calls.filter { $0.changes(directory) }.chosen
            for (number, call) in (changing + changing).enumerated() {
                // The one before goes, so that each publication does the same.
                let options = server.options(["a.\(zone)": token(number + 1)], ["keep": 0])
                if number < changing.count {
                    #expect(try call.kill("acme_publish_txt", options), "\(call)")
                } else {
                    let answer = try call.fail("ENOSPC", "acme_publish_txt", options)
                    #expect(!answer.failed || answer.msg.contains("No space left"), "\(call): \(answer.msg)")
                }
                let check = try Program.run(["named-checkzone", zone, server.zoneFile(zone)])
                #expect(check.status == 0, "\(call): \(check)")
                let next = try server.publish(options)
                #expect(!next.failed && next["visible_on"] != [], "\(call): \(next.msg)")
                let left = try Files.list(directory).filter { $0.hasPrefix(".new-") || $0.hasSuffix(".reloading") }
                #expect(left == [], "\(call)")
            }
        }
    }
}
