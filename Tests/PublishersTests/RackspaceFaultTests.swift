import AnsibleModule
import DNS
import Platform
import TestSupport
import Testing

@testable import Publishers

@Suite struct `Rackspace Cloud DNS at fault` {
    @Test(
        arguments: [
            #"{"Reply-After": "2027-01-15T08:00:42.000Z"}"#, #"{"Retry-After": "42"}"#,
            #"{"Retry-After": "Fri, 15 Jan 2027 08:00:42 GMT"}"#,
        ])
    func `over its limit is waited for as long as it asks`(header: String) throws {
        try withRackspace { bench in
            try bench.server.play(
                """
                [{"on": "POST records", "play": "answer", "status": 413, "headers": \(header),
                "body": {"overLimit": {"code": 413, "message": "OverLimit Retry..."}}}]
                """)
            try bench.publish("one")
            #expect((42.0..<60).contains(bench.clock.uptime))
            #expect(try bench.shown() == ["one"])
        }
    }

    @Test func `over its limit for longer than there is time names the moment`() throws {
        try withRackspace { bench in
            try bench.server.play(
                """
                [{"on": "GET domains", "play": "answer", "status": 413, "headers": {"Retry-After": "900"},
                "body": {"overLimit": {"code": 413, "message": "OverLimit Retry...", "details": "Too many GET"}}}]
                """)
            let sentence = try bench.failure()
            #expect(
                sentence.hasSuffix(
                    "it answered 413 OverLimit Retry..: Too many GET; it asks to wait until 2027-01-15T08:15:00Z, which "
                        + "is past this run's time limit: run again then, or raise timeout"), "\(sentence)")
        }
    }

    @Test func `is tried again when it is not available, and given up in the end`() throws {
        try withRackspace { bench in
            let fault = #""play": "answer", "status": 503, "body": {"code": 503, "message": "Service Unavailable"}"#
            try bench.server.play(
                #"[{"on": "POST tokens", \#(fault)}, {"on": "POST records", "times": 3, \#(fault)}]"#)
            try bench.publish("one")
            #expect(try bench.server.count("POST records") == 4)
            try bench.server.play(#"[{"on": "GET records", "times": 9999, \#(fault)}]"#)
            let sentence = try bench.failure("two")
            #expect(
                sentence.contains("503 Service Unavailable; no time is left for another try: run again"), "\(sentence)")
        }
    }

    @Test func `whose job fails is quoted`() throws {
        try withRackspace { bench in
            try bench.server.play(
                """
                [{"on": "POST records", "play": "job_error",
                "error": {"code": 500, "message": "Internal error", "details": "The backend is away."}}]
                """)
            #expect(
                try bench.failure() == "the zone acme.example.org was not published: Cloud DNS could not add 1 TXT "
                    + "record to example.org: 500 Internal error: The backend is away")
            #expect(try bench.publish("one").changed)
        }
    }

    @Test func `that finds a request invalid is quoted with every reason`() throws {
        try withRackspace { bench in
            try bench.server.play(
                """
                [{"on": "POST records", "play": "answer", "status": 400, "body": {"code": 400, "message": "Bad Request",
                "details": "See below.", "validationErrors": {"messages": ["Name is odd", "TTL is odd"]}}}]
                """)
            #expect(try bench.failure().hasSuffix("400 Bad Request: See below (Name is odd; TTL is odd)"))
        }
    }

    @Test func `whose token ends in the middle is logged in to once more`() throws {
        try withRackspace { bench in
            try bench.server.play(#"[{"on": "GET status", "play": "expire"}]"#)
            try bench.publish("one")
            #expect(try bench.server.count("POST tokens") == 2)
            #expect(try bench.server.tokens().count == 2)
            #expect(try bench.shown() == ["one"])
        }
    }

    @Test func `that takes no token at all is logged in to twice and no more`() throws {
        try withRackspace { bench in
            try bench.server.play(#"[{"on": "GET domains", "play": "expire", "times": 9999}]"#)
            let sentence = try bench.failure()
            #expect(sentence.contains("401 Unauthorized: token (hidden) is not valid"), "\(sentence)")
            #expect(try bench.server.count("POST tokens") == 2)
        }
    }

    @Test(arguments: [1, 2, 3])
    func `that has some records already gets the rest`(count: Int) throws {
        try withRackspace { bench in
            try bench.server.play(#"[{"on": "POST records", "play": "race", "count": \#(count)}]"#)
            #expect(try bench.publish("one", "three", "two").added.count == 3)
            #expect(try bench.shown() == ["one", "three", "two"])
            #expect(try bench.server.count("POST records") == (count == 3 ? 1 : 2))
        }
    }

    @Test(arguments: ["lost", "truncate"])
    func `whose answer does not arrive has done the work all the same`(play: String) throws {
        try withRackspace { bench in
            try bench.server.play(#"[{"on": "POST records", "play": "\#(play)"}]"#)
            try bench.publish("one", "two")
            #expect(try bench.shown() == ["one", "two"])
        }
    }

    @Test func `that removes some and not others is asked again at the next call`() throws {
        try withRackspace { bench in
            try bench.publish("one", "two", "three")
            bench.clock.pause(seconds: 3601)
            try bench.server.play(#"[{"on": "DELETE records", "play": "partial", "count": 2}]"#)
            let publication = try bench.publish("new")
            #expect(publication.removed.count == 1)
            let warning = try #require(publication.warnings.first)
            #expect(warning.hasPrefix("Cloud DNS could not remove 3 TXT records from example.org: 500 One or more"))
            #expect(
                warning.contains("is busy")
                    && warning.hasSuffix("; 2 old TXT records may stay in example.org until the next call"))
            #expect(try bench.shown().count == 3)
            #expect(try bench.publish("newer").removed.count == 2)
            #expect(try bench.shown() == ["new", "newer"])
        }
    }

    @Test func `that cannot be asked for what is old adds what is new, and warns`() throws {
        try withRackspace { bench in
            try bench.publish("one")
            bench.clock.pause(seconds: 3601)
            try bench.server.play(#"[{"on": "DELETE records", "play": "answer", "status": 400, "body": "{}"}]"#)
            let publication = try bench.publish("new")
            #expect(publication.added.count == 1 && publication.removed.isEmpty && publication.warnings.count == 1)
            #expect(try bench.publish("newer").removed.count == 1)
        }
    }

    @Test(arguments: ["plain", "foreign"])
    func `that names another place for its jobs is asked itself`(place: String) throws {
        try withRackspace { bench in
            try bench.server.play(#"[{"on": "POST records", "play": "callback", "to": "\#(place)"}]"#)
            try bench.publish("one")
            #expect(try bench.server.count("GET status") == 3)
            #expect(try bench.shown() == ["one"])
        }
    }

    @Test(
        arguments: [
            (#""play": "endpoint", "to": "plain""#, "as Cloud DNS, and the token is sent to https:// URLs only"),
            (#""play": "no_dns""#, "the service catalog of the account has no Cloud DNS"),
        ])
    func `without an endpoint to trust is not sent the token`(fault: String, sentence: String) throws {
        try withRackspace { bench in
            try bench.server.play("[{\"on\": \"POST tokens\", \(fault)}]")
            let failure = try bench.failure()
            #expect(failure.contains("could not log in as \(RackspaceServer.username): "), "\(failure)")
            #expect(failure.contains(sentence), "\(failure)")
            #expect(try bench.server.requests().count == 1)
        }
    }

    @Test(arguments: ["POST tokens", "GET domains", "GET records", "POST records", "GET status"])
    func `that answers with something else than its JSON is named, with what was asked`(request: String) throws {
        try withRackspace { bench in
            for body in ["<html>Proxy</html>", "{", "[]", "{}", ""] {
                let text = JSONValue.string(body).rendered
                try bench.server.play(
                    #"[{"on": "\#(request)", "play": "answer", "status": 200, "body": \#(text), "times": 9999}]"#)
                let failure = try bench.failure()
                #expect(
                    failure.contains("its answer is not the JSON that it documents: try again, or ask Rackspace"),
                    "\(failure)")
                #expect(!failure.contains("html"))
            }
        }
    }

    @Test func `whose job never ends is left when the time is over`() throws {
        try withRackspace { bench in
            try bench.server.play(#"[{"on": "POST records", "play": "stuck"}]"#)
            let failure = try bench.failure(seconds: 60)
            #expect(failure.hasSuffix("has not ended within this run's time limit: run again, or raise timeout"))
            #expect((40.0...60).contains(bench.clock.uptime))
        }
    }

    @Test func `that holds as many records as a domain may is told from other limits`() throws {
        try withRackspace { bench in
            try bench.publish((1...497).map { "token-\($0)" }, by: bench.publisher())
            let more = try bench.publisher()
            let error = #expect(throws: PublishError.self) { try bench.publish(["a", "b", "c"], by: more) }
            #expect(
                error?.description == "the zone acme.example.org was not published: the domain example.org holds 499 "
                    + "records and 3 more are wanted, but Cloud DNS allows 500 in a domain: remove records that nobody "
                    + "needs, or have Rackspace raise the limit (Cloud DNS could not add 3 TXT records to example.org: "
                    + "413 Over Limit: Record limit for the domain exceeded)")
        }
    }

    @Test func `that knows no such domain names the account`() throws {
        try withRackspace(domains: ["example.net"]) { bench in
            let failure = try bench.failure()
            #expect(
                failure.hasSuffix(
                    "the account of acme-bot has no domain acme.example.org in Cloud DNS, nor one above it: create the "
                        + "domain there, or correct zone or username"))
        }
    }

    @Test func `that refuses the key is not asked again, and the key is not told`() throws {
        try withRackspace { bench in
            let failure = try bench.failure(with: ["api_key": "wr0ng-key"])
            #expect(
                failure.hasSuffix(
                    "refused it (401 Unable to authenticate user with credentials provided: (hidden)): check username "
                        + "and api_key"), "\(failure)")
            #expect(try bench.server.requests().count == 1)
        }
    }

    @Test func `that is not there is named`() throws {
        try withRackspace { bench in
            let nobody = "127.0.0.1:\(try FreePorts.take(1)[0])"
            let failure = try bench.failure(with: ["identity_url": .string("https://\(nobody)")])
            #expect(failure.contains("Cloud DNS could not log in as acme-bot: \(nobody): "), "\(failure)")
            #expect(failure.hasSuffix("no time is left for another try: run again"), "\(failure)")
        }
    }

    @Test func `that shows a certificate that is not trusted is sent nothing`() throws {
        try withRackspace { bench in
            let failure = try bench.failure(with: ["ca_path": nil])
            #expect(failure.contains("certificate"), "\(failure)")
            #expect(try bench.server.requests().isEmpty)
        }
    }
}
