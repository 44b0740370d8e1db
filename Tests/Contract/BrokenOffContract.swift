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
            for call in chosen(run.calls.filter { $0.talks || $0.changes(world.directory) }) {
                try run.prepare()
                let isKilled = try call.kill(run.module, run.options)
                // How often a socket is looked at is another matter each time.
                #expect(isKilled || call.talks, "\(call)")
                try run.expectOldOrNew(after: call)
                try run.expectNextToEnd(after: call)
            }
        }
    }

    @Test(arguments: BrokenRun.Moment.allCases)
    func `a disk that is full at any point costs nothing`(moment: BrokenRun.Moment) throws {
        try fail(moment, "ENOSPC", "No space left on device") { $0 != "unlink" && $0 != "rmdir" }
    }

    @Test(arguments: BrokenRun.Moment.allCases)
    func `a disk that can only be read from any point on costs nothing`(moment: BrokenRun.Moment) throws {
        try fail(moment, "EROFS", "Read-only file system") { $0 != "write" && $0 != "fsync" }
    }

    private func fail(
        _ moment: BrokenRun.Moment, _ code: String, _ words: String, at isPossible: (String) -> Bool
    ) throws {
        try withWorld { world in
            let run = try BrokenRun(world, moment)
            for call in chosen(run.calls.filter { $0.changes(world.directory) && isPossible($0.name) }) {
                try run.prepare()
                let answer = try call.fail(code, run.module, run.options)
                if answer.failed {
                    #expect(answer.msg.contains(words), "\(call): \(answer.msg)")
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
            let calls = try SystemCall.trace("acme_publish_txt", server.options(["a.\(zone)": token(0)])).calls
            let changing = chosen(calls.filter { $0.changes(directory) })
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

    /// All of them where that is wanted, else the first of each name.
    private func chosen(_ calls: [SystemCall]) -> [SystemCall] {
        if isExhaustive { return calls }
        var seen: Set<String> = []
        return calls.filter { seen.insert($0.name).inserted }
    }
}
