import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// The modules beside the two phases, ended or without room on the disk at each system call that changes a file.
@Suite struct BrokenOffWritersContract {
    private enum Break: CaseIterable {
        case killed, full

        /// Plays it at this call.
        func play(_ call: SystemCall, _ module: String, _ options: JSONValue) throws {
            switch self {
            case .killed: #expect(try call.kill(module, options), "\(call)")
            case .full:
                let answer = try call.fail("ENOSPC", module, options)
                #expect(!answer.failed || answer.msg.contains("No space left"), "\(call): \(answer.msg)")
            }
        }
    }

    /// Both breaks at each of these calls that is chosen.
    private func eachBreak(_ calls: [SystemCall], _ body: (Break, SystemCall) throws -> Void) rethrows {
        for call in calls.chosen {
            for kind in Break.allCases { try body(kind, call) }
        }
    }

    @Test func `files for hiera are each the old or the new one whenever their writer ends, and the next one goes on`()
        throws
    {
        try withArea { area in
            try area.makeCertificates()
            _ = try area.call()
            let old = try ["h1", "h2"].map(area.bytes)
            try area.makeCertificates(force: true)
            let (hiera, copy) = (area.path + "/hiera", area.path + "/before")
            _ = try Program.run(["cp", "-a", hiera, copy])
            let calls = try SystemCall.trace(
                "acme_write_hiera", area.options(), replacing: ["/h1.certs.yaml", "/h2.certs.yaml"])
            let new = try ["h1", "h2"].map(area.bytes)
            try eachBreak(calls.filter { $0.changes(hiera) }) { kind, call in
                try Files.remove(hiera)
                _ = try Program.run(["cp", "-a", copy, hiera])
                try kind.play(call, "acme_write_hiera", area.options())
                for (number, host) in ["h1", "h2"].enumerated() {
                    let now = try area.bytes(host)
                    #expect(now == old[number] || now == new[number], "\(call)")
                }
                #expect(try !area.call().failed, "\(call)")
                #expect(try ["h1", "h2"].map(area.bytes) == new, "\(call)")
                #expect(try Files.list(hiera) == [".lock", "h1.certs.yaml", "h2.certs.yaml"], "\(call)")
                #expect(try !area.call().changed, "\(call)")
            }
        }
    }

    @Test func `an account that is rotated has a key that its CA knows whenever that breaks off`() throws {
        try withWorld { world in
            let url = try world.account()["account_url"]
            let options = world.accountOptions(["rotate_key": true])
            let calls = try SystemCall.trace("acme_account", options, replacing: ["/account.key"])
            let place = try world.accountDirectory()
            try eachBreak(calls.filter { $0.changes(world.directory) }) { kind, call in
                try kind.play(call, "acme_account", options)
                let next = try world.account()
                #expect(!next.failed && next["account_url"] == url, "\(call): \(next.msg)")
                #expect(try Files.status(place + "/account.key")?.access.mode == 0o600, "\(call)")
                let left = try Files.list(place).filter { $0.hasPrefix(".new-") || $0.hasSuffix(".new") }
                #expect(left == [], "\(call)")
                #expect(try !world.account().changed, "\(call)")
            }
            try world.issue(world.options(["web": ["a.example.org"]]))
            #expect(try world.accounts() == 1)
        }
    }
    @Test func `a certificate that is to be revoked is in the end, and is replaced, whenever that breaks off`() throws {
        try withWorld { world in
            let (web, wish) = (["web": ["a.example.org"]], ["domains": ["a.example.org"]] as [String: JSONValue])
            try world.issue(world.options(web))
            let options = world.revocation(wish)
            let calls = try SystemCall.trace("acme_revoke", options, replacing: ["/revoked.json"])
            try eachBreak(calls.filter { $0.changes(world.directory) }) { kind, call in
                try world.server.clearTXT("_acme-challenge.a.example.org")
                try world.issue(world.options(web, ["force": true]))
                let before = try Files.read(world.path("a.example.org", "fullchain.cer"))
                try kind.play(call, "acme_revoke", options)
                #expect(try !world.revoke(wish).failed, "\(call)")
                #expect(try world.status(of: "a.example.org").status == "Revoked", "\(call)")
                #expect(try Files.read(world.path("a.example.org", "fullchain.cer")) == before, "\(call)")
                #expect(try !world.revoke(wish).changed, "\(call)")
                try world.expectReplaced(world.options(web))
            }
        }
    }
}
