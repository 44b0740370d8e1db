import AnsibleModule
import DNS
import FoundationEssentials
import HTTP
import Names
import Platform
import TestSupport
import Testing

@testable import Publishers

@Suite struct `Publishing through Rackspace Cloud DNS` {
    @Test func `adds what is wanted and shows it, and touches nothing the second time`() throws {
        try withRackspace { bench in
            let first = try bench.publish("one", "two; \"quoted\" \\")
            #expect(first.changed)
            #expect(first.added.count == 2)
            #expect(try bench.shown() == ["one", "two; \\\"quoted\\\" \\\\"])
            let again = try bench.publish("two; \"quoted\" \\", "one")
            #expect(!again.changed)
            #expect(again.kept.count == 2)
            #expect(try bench.server.count("POST records") == 1)
        }
    }

    @Test func `asks nothing of the service where no record is wanted`() throws {
        try withRackspace { bench in
            let publication = try bench.publish()
            let requests = try bench.server.requests().map(\.kind)
            #expect(!publication.changed && requests == [])
        }
    }

    @Test func `removes what is old of its own, and leaves what another host wrote`() throws {
        try withRackspace { bench in
            let other = RackspaceBench(server: bench.server, state: bench.state + "-of-another-host")
            defer { try? Files.remove(other.state) }
            try bench.publish("one")
            try other.publish("two")
            bench.clock.pause(seconds: 3601)
            let publication = try bench.publish("three")
            #expect(publication.removed.map(\.value.text) == ["one"])
            #expect(try bench.shown() == ["three", "two"])
        }
    }

    @Test func `adds again what somebody has taken away`() throws {
        try withRackspace { bench in
            try bench.publish("one")
            let other = RackspaceBench(server: bench.server, state: bench.state)
            other.clock.pause(seconds: 3601)
            try other.publish("two")
            #expect(try bench.publish("one").added.count == 1)
            #expect(try bench.shown() == ["one", "two"])
        }
    }

    @Test func `looks for the domain from the zone upwards by exact names`() throws {
        try withRackspace { bench in
            try bench.publish("one")
            #expect(
                try bench.paths("GET domains") == [
                    "/domains?name=acme.example.org&limit=100&offset=0", "/domains?name=example.org&limit=100&offset=0",
                ])
        }
    }

    @Test func `needs no signing domain`() throws {
        try withRackspace { bench in
            let name = "_acme-challenge.web.example.org"
            let first = try bench.publish(["one"], name: name, by: bench.publisher(zone: "example.org"))
            #expect(first.changed)
            #expect(try bench.server.shown(name) == ["one"])
            #expect(try !bench.publish(["one"], name: name, by: bench.publisher(zone: "example.org")).changed)
        }
    }

    @Test func `finds the domain behind pages of others`() throws {
        let others = (1...230).map { "other\($0).example" }
        try RackspaceServer.run(domains: ["acme.example.org"] + others) { server in
            try withTemporaryDirectory { directory in
                let bench = RackspaceBench(server: server, state: directory)
                // Every list is whole, as if the name were no filter; the last domain is on the third page.
                try server.play(#"[{"on": "GET domains", "play": "unfiltered", "times": 99}]"#)
                let name = "_acme-challenge.other230.example"
                let publication = try bench.publish(
                    ["one"], name: name, by: bench.publisher(zone: "other230.example"), dryRun: true)
                #expect(publication.added.count == 1)
                #expect(try bench.paths("GET domains").map { $0.suffix(10) }.last == "offset=200")
            }
        }
    }

    @Test func `adds 250 records in three calls, and finds them on three pages`() throws {
        try withRackspace { bench in
            let values = (0..<250).map { "token-\($0)" }
            #expect(try bench.publish(values, by: bench.publisher(["ttl": "400"])).added.count == 250)
            let bodies = try bench.server.requests().filter { $0.kind == "POST records" }.map { $0.body }
            #expect(bodies.map { JSONValue.parse(Array($0.utf8))?["records"]?.array?.count } == [100, 100, 50])
            #expect(bodies.allSatisfy { $0.contains("\"ttl\": 400") })
            let lists = try bench.server.count("GET records")
            #expect(try !bench.publish(values, by: bench.publisher()).changed)
            #expect(try bench.server.count("GET records") == lists + 3)
            #expect(try bench.shown().count == 250)
            bench.clock.pause(seconds: 3601)
            #expect(try bench.publish("new").removed.count == 250)
            #expect(try bench.shown() == ["new"])
        }
    }

    @Test func `has what is old make room for what is new, in a domain that is nearly full`() throws {
        try withRackspace { bench in
            try bench.publish((0..<450).map { "old \($0)" }, by: bench.publisher())
            bench.clock.pause(seconds: 3601)
            let publication = try bench.publish((0..<100).map { "new \($0)" }, by: bench.publisher())
            #expect(publication.added.count == 100 && publication.removed.count == 450)
            #expect(try bench.shown().count == 100)
        }
    }

    @Test func `follows a job from INITIALIZED to COMPLETED, or takes it as done at once`() throws {
        try withRackspace { bench in
            try bench.publish("one")
            #expect(try bench.server.count("GET status") == 3)
            try bench.server.play(#"[{"on": "POST records", "play": "at_once"}]"#)
            try bench.publish("two")
            #expect(try bench.server.count("GET status") == 3)
            #expect(try bench.shown() == ["one", "two"])
        }
    }

    @Test func `touches nothing in a dry run`() throws {
        try withRackspace { bench in
            #expect(try bench.publish("one", dryRun: true).added.count == 1)
            let kinds = try Set(bench.server.requests().map(\.kind))
            #expect(kinds == ["POST tokens", "GET domains", "GET records"])
            #expect(try Files.status(bench.state) == nil)
        }
    }

    @Test func `takes its credentials from a file of its owner's`() throws {
        try withRackspace { bench in
            func options(_ mode: UInt32) throws -> [String: JSONValue] {
                ["auth_file": .string(try bench.server.authFile(mode: mode)), "username": nil, "api_key": nil]
            }
            try bench.publish(["one"], by: bench.publisher(options(0o600)))
            #expect(try bench.shown() == ["one"])
            let open = #expect(throws: OptionError.self) { try bench.publisher(options(0o644)) }
            #expect(open?.description.contains("mode 644 but holds secrets: chmod 600") == true)
            let both = #expect(throws: OptionError.self) {
                try bench.publisher(options(0o600).merging(["username": "me"]) { $1 })
            }
            #expect(both?.description.contains("cannot stand beside username and api_key") == true)
        }
    }

    @Test(
        arguments: [
            (["username": nil], "rackspace.username is missing"), (["api_key": nil], "rackspace.api_key is missing"),
            (["api_key": ""], "rackspace.api_key must not be empty"), (["ttl": 299], "rackspace.ttl"),
            (["identity_url": "http://127.0.0.1"], "rackspace.identity_url must be an https:// URL"),
            (["ca_path": "/nowhere/ca.pem"], "/nowhere/ca.pem does not exist"), (["user": "me"], "user is unknown"),
        ] as [([String: JSONValue], String)])
    func `says which option cannot be used`(more: [String: JSONValue], sentence: String) throws {
        try withRackspace { bench in
            let error = #expect(throws: OptionError.self) { try bench.publisher(more) }
            #expect(error?.description.contains(sentence) == true, "\(String(describing: error))")
            let requests = try bench.server.requests()
            #expect(requests.isEmpty)
        }
    }
}

@Suite struct `The time to try again` {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    @Test(
        arguments: [
            ("Reply-After", "2027-01-15T08:00:42Z", 42), ("reply-after", "2027-01-15T08:00:41.567Z", 42),
            ("Reply-After", "2027-01-15T08:00:42", 42), ("Reply-After", "2027-01-15T08:00:42+00:00", 42),
            ("Reply-After", "2027-01-15T03:00:42-05:00", 42), ("Reply-After", "2027-01-15T07:00:00Z", 0),
            ("Retry-After", "42", 42), ("Retry-After", "Fri, 15 Jan 2027 08:00:42 GMT", 42), ("Retry-After", "-1", nil),
            ("Retry-After", "soon", nil), ("Date", "42", nil),
        ] as [(String, String, Double?)])
    func `is read from either header, in seconds or as a date`(name: String, text: String, seconds: Double?) {
        let response = HTTPResponse(status: 413, fields: [HTTPField(name, text)])
        #expect(RetryTime.seconds(of: response, now: now) == seconds)
    }
}
