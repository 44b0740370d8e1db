import AnsibleModule
import DNS
import Names
import Platform
import TestSupport
import Testing

@testable import Publishers

/// What the fault `foreign` puts at `web` first, as `dig` sorts it before ours: one of them without quotes at Designate.
private let foreign = ["\"bare\"", "\"foreign\""]

@Suite struct `Publishing through Designate` {
    @Test func `removes what is old before it adds what is new, which may need the room`() throws {
        try withDesignate { bench in
            for name in ["a", "b", "y", "z"] { _ = try bench.publish("old", name: name, keep: 20_000) }
            bench.clock.pause(seconds: 3601)
            #expect(try bench.publish("new", name: "m").removed.count == 4)
            #expect(try bench.writes().suffix(5) == ["DELETE", "DELETE", "DELETE", "DELETE", "POST"])
        }
    }

    @Test func `adds values to what is there, and writes nothing the second time`() throws {
        try withDesignate(["foreign": 1]) { bench in
            #expect(try bench.publish("one", "t\"w\\o").added.map(\.value.text) == ["one", "t\"w\\o"])
            let shown = foreign + ["\"one\"", "\"t\\\"w\\\\o\"", "\"two words\""]
            #expect(try bench.server.values("web") == shown)
            let again = try bench.publish("t\"w\\o", "one")
            #expect(!again.changed)
            #expect(again.kept.count == 2)
            #expect(try bench.writes() == ["PUT"])
        }
    }

    @Test func `removes only its own old values, and a set that is left empty`() throws {
        try withDesignate(["foreign": 1]) { bench in
            _ = try bench.publish("old")
            _ = try bench.publish("old", name: "alone")
            bench.clock.pause(seconds: 3601)
            let publication = try bench.publish("new")
            #expect(publication.removed.map(\.value.text) == ["old", "old"])
            #expect(try bench.server.values("web") == foreign + ["\"new\"", "\"two words\""])
            #expect(try bench.server.values("alone") == [])
            #expect(try bench.writes().sorted() == ["DELETE", "POST", "PUT", "PUT"])
        }
    }

    @Test func `makes a set anew that it has just deleted`() throws {
        try withDesignate(["pending": 3]) { bench in
            _ = try bench.publish("old")
            bench.clock.pause(seconds: 3601)
            _ = try bench.publish("other", name: "other")
            _ = try bench.publish("new")
            #expect(try bench.server.values("web") == ["\"new\""])
            #expect(try bench.writes().sorted() == ["DELETE", "POST", "POST", "POST"])
        }
    }

    @Test func `makes a set anew that another writer deleted in between`() throws {
        try withDesignate(["vanish": 1]) { bench in
            _ = try bench.publish("one")
            _ = try bench.publish("two")
            #expect(try bench.server.values("web") == ["\"two\""])
            #expect(try bench.writes() == ["POST", "PUT", "POST"])
        }
    }

    @Test func `touches nothing in check mode`() throws {
        try withDesignate { bench in
            let publication = try bench.publish("one", dryRun: true)
            #expect(publication.changed)
            #expect(try bench.writes() == [])
            #expect(try Files.status(bench.directory + "/state") == nil)
        }
    }

    @Test func `asks for one more token where the first is refused, and sends it to the endpoint alone`() throws {
        try withDesignate(["expire": 2, "others": 3, "page": 1]) { bench in
            #expect(try bench.publish("one").changed)
            let requests = try bench.requests()
            #expect(requests.filter { $0.server == "keystone" }.count == 2)
            #expect(requests.allSatisfy { ($0.token != nil) == ($0.server == "dns") })
            #expect(requests.allSatisfy { $0.server != "elsewhere" })
            #expect(Set(requests.compactMap(\.token)).count == 2)
            #expect(try bench.server.values("web") == ["\"one\""])
        }
    }

    @Test func `reads again where another writer made the set`() throws {
        try withDesignate(["duplicate": 1]) { bench in
            _ = try bench.publish("one")
            #expect(try bench.server.values("web") == ["\"foreign\"", "\"one\""])
            #expect(try bench.writes() == ["POST", "PUT"])
        }
    }

    @Test(arguments: [1, 3])
    func `writes again where other writers took its values away`(times: Int) throws {
        try withDesignate(["steal": times]) { bench in
            _ = try bench.publish("one")
            #expect(try bench.server.values("web") == ["\"foreign\"", "\"one\""])
            #expect(try bench.writes().count == times + 1)
        }
    }

    @Test func `waits as long as a busy server asks`() throws {
        try withDesignate(["busy": 2]) { bench in
            let start = bench.clock.uptime
            _ = try bench.publish("one")
            #expect(bench.clock.uptime - start >= 14)
        }
    }

    @Test func `works on many names at once`() throws {
        try withDesignate { bench in
            let start = bench.clock.uptime
            var works: [DNSName: RecordSetWork] = [:]
            for number in 1...30 {
                works[try DNSName("h\(number).\(DesignateServer.zone)"), default: .init()].adding = ["v\(number)"]
            }
            var options = bench.options()
            let task = PublishingTask(
                zone: try DNSName(DesignateServer.zone), statePath: bench.directory,
                deadline: Deadline(seconds: 300, clock: bench.clock))
            let records = works.flatMap { name, work in
                work.adding.compactMap { value in (try? TXTValue(value)).map { TXTRecord(name: name, value: $0) } }
            }
            _ = try DesignateService(&options, for: task).change(adding: records, removing: [])
            #expect(try bench.server.values("h30") == ["\"v30\""])
            #expect(bench.clock.uptime - start < 10)
        }
    }
}

@Suite struct `What Designate refuses` {
    @Test(
        arguments: [
            (["quota": 1], ["quota", "CNAME to a label of its own"]),
            (["zonequota": 1], ["Quota exceeded for zone_recordsets.", "quota for it raised"]),
            (["error": 1], ["ERROR", "web.acme.example.org"]),
            (["pending": 1_000_000], ["ACTIVE in time", "raise timeout"]), (["garbage": 1], ["else than JSON"]),
            (["cname": 1], ["remove the CNAME web.acme.example.org"]),
            (["nozone": 1], ["has no zone", "make it there"]),
            (["mute": 1], ["refuses a token", "access rules"]), (["regions": 2], ["one, two", "set region_name"]),
            (["plain": 1], ["unencrypted"]), (["busy": 1000], ["past this run's time limit"]),
        ] as [([String: Int], [String])])
    func `is one sentence that says what to do`(faults: [String: Int], words: [String]) throws {
        try withDesignate(faults) { bench in
            let sentence = try bench.failure("one", "two")
            #expect(sentence.hasPrefix("the zone acme.example.org was not published: "))
            for word in words { #expect(sentence.contains(word), "\(sentence)") }
        }
    }

    @Test func `as a wrong password, which Keystone may quote, is hidden`() throws {
        try withDesignate { bench in
            let sentence = try bench.failure(options: ["password": "s3cret-password-but-wrong"])
            #expect(sentence.contains("gives no token to the user acme"))
            #expect(sentence.contains("(hidden)"))
            #expect(!sentence.contains("but-wrong"))
        }
    }
}

@Suite struct `The settings of Designate` {
    @Test func `name a region and an interface`() throws {
        try withDesignate(["regions": 2]) { bench in
            let publication = try bench.publish("one", options: ["region_name": "one"])
            #expect(publication.changed)
            #expect(try bench.failure(options: ["region_name": "three"]).contains("in the region three"))
            #expect(try bench.failure(options: ["interface": "admin"]).contains("no admin endpoint"))
        }
    }

    @Test func `may be an application credential, by id or by name`() throws {
        try withDesignate { bench in
            let none: [String: JSONValue] = ["username": nil, "password": nil, "project_name": nil]
            let secret = JSONValue.string(DesignateServer.applicationSecret)
            let byID: [String: JSONValue] = [
                "application_credential_id": "cred-1", "application_credential_secret": secret,
            ]
            let publication = try bench.publish("one", options: none.merging(byID) { $1 })
            #expect(publication.changed)
            let byName: [String: JSONValue] = [
                "application_credential_name": "bastion", "application_credential_secret": secret, "username": "acme",
            ]
            #expect(try bench.publish("two", options: none.merging(byName) { $1 }).changed)
        }
    }

    @Test(
        arguments: [
            (["password": nil], "option designate.password is missing"),
            (["auth_url": "http://keystone.example.org"], "option designate.auth_url must be an https:// URL"),
            (["auth_url": "https://keystone.example.org/v2.0"], "option designate.auth_url names version 2.0"),
            (["cloud": "main"], "option designate.cloud needs clouds_file"),
            (["ca_path": "/nowhere.pem"], "option designate.ca_path cannot be used"),
            (["interface": "outer"], "option designate.interface must be one of public, internal, admin"),
            (["application_credential_id": "x"], "option designate.application_credential_secret is missing"),
        ] as [([String: JSONValue], String)])
    func `are refused with a sentence that names the option`(options: [String: JSONValue], start: String) throws {
        try withTemporaryDirectory { directory in
            let base: [String: JSONValue] = [
                "auth_url": "https://keystone.example.org", "username": "acme", "password": "s3cret",
                "project_name": "dns",
            ]
            var options = Options(base.merging(options) { $1 }, path: "designate")
            let task = PublishingTask(
                zone: try DNSName(DesignateServer.zone), statePath: directory,
                deadline: Deadline(seconds: 60, clock: ManualClock()))
            let error = try #require(throws: OptionError.self) { try DesignateService(&options, for: task) }
            #expect(error.description.hasPrefix(start), "\(error)")
        }
    }
}
