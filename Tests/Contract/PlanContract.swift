import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// `acme_plan` with what the real `acme_request_tokens` says under check mode.
@Suite struct PlanContract {
    /// What `acme_request_tokens` would say of these certificates.
    private func requested(_ counts: [String: String?]) -> JSONValue {
        [
            "certificates": .array(
                counts.sorted { $0.key < $1.key }.map { name, count in
                    [
                        "name": .string(name), "action": "authorize", "reason": "it is due",
                        "counts_as": .optional(count),
                    ]
                })
        ]
    }

    private func plan(_ hosts: [String: JSONValue], _ more: [String: JSONValue] = [:]) throws -> RealProgram.Answer {
        let answer = try RealProgram.call(
            "acme_plan", .object(["hosts": .object(hosts)].merging(more) { $1 }))
        #expect(!answer.failed && !answer.changed, "\(answer.msg)")
        ModuleContract.plan.expectLists(in: answer)
        return answer
    }

    private func text(_ answer: RealProgram.Answer) -> String {
        (answer["table"]?.array ?? []).compactMap(\.string).joined(separator: "\n")
    }

    @Test func `new certificates and renewals are told apart by what is installed`() throws {
        try withWorld { world in
            let first = [
                "kept": ["kept.example.org"], "grown": ["grown.example.org"], "forced": ["forced.example.org"],
                "adopted": ["adopted.example.org"],
            ]
            try world.issue(world.options(first))
            // As another program left it.
            try Files.remove(world.path("adopted.example.org", "current/issuance.json"))
            let certs = first.merging([
                "grown": ["grown.example.org", "more.example.com"], "first": ["a.example.co.uk"],
            ]) { $1 }
            let files = try listing(world.directory)
            let orders = try world.orders()
            let options: [String: JSONValue] = [
                "certs": [
                    "kept": ["kept.example.org"], "grown": ["grown.example.org", "more.example.com"],
                    "adopted": ["domains": ["adopted.example.org"], "force": true],
                    "forced": ["domains": ["forced.example.org"], "force": true], "first": ["a.example.co.uk"],
                ], "_ansible_check_mode": true,
            ]
            let requested = try world.request(world.options([:], options))
            #expect(
                requested.all("certificates", "counts_as") == ["renewal", "new", "renewal", "new", .null],
                "\(requested.text)")
            let answer = try plan([
                "web01": ["certs": .object(certs.mapValues { .strings($0) }), "requested": .object(requested.members)]
            ])
            #expect(
                answer.all("certificates", "action") == ["renewal", "new", "renewal", "new"].map {
                    .string("order (\($0))")
                } + ["none"])
            #expect(answer.all("domains", "domain") == ["example.co.uk", "example.com", "example.org"])
            #expect(answer.all("domains", "orders") == [1, 1, 1])
            #expect(answer["accounts"] == [["account": "web01", "orders": 2, "limit": 300]])
            #expect(answer["new_accounts"] == [])
            #expect(answer["exceeded"] == [] && answer["first_run"] == [])
            #expect(text(answer).contains("example.org        1    50              2"), "\(text(answer))")
            #expect(try world.orders() == orders)
            #expect(try listing(world.directory) == files)
        }
    }

    @Test func `a certificate of an authority that names replacements counts against no limit`() throws {
        let hosts = (1...6).map {
            ("web\($0)", ["certs": ["www": ["www.example.org"]], "requested": requested(["www": "replacement"])])
        }
        let answer = try plan(Dictionary(uniqueKeysWithValues: hosts.map { ($0.0, JSONValue.object($0.1)) }))
        #expect(answer["domains"] == [] && answer["accounts"] == [] && answer["name_sets"] == [])
        #expect(answer["exceeded"] == [])
        #expect(text(answer).contains("example.org        0    50              6"), "\(text(answer))")
    }

    @Test func `more new certificates than a domain gets are a warning, with hosts that fit`() throws {
        let hosts = (1...3).map { host in
            let keys = (1...20).map { "c\(host)-\($0)" }
            return (
                "web0\(host)",
                [
                    "certs": .object(
                        Dictionary(uniqueKeysWithValues: keys.map { ($0, [.string("\($0).example.org")]) })),
                    "requested": requested(Dictionary(uniqueKeysWithValues: keys.map { ($0, "new") })),
                ] as JSONValue
            )
        }
        let all = Dictionary(uniqueKeysWithValues: hosts)
        let answer = try plan(all)
        let sentence =
            "example.org would get 60 new certificates, more than the 50 that a registered domain gets in 7 days"
        #expect(answer["exceeded"] == [.string(sentence)])
        #expect(answer["first_run"] == ["web01", "web02"])
        #expect(text(answer).contains("\nWARNING: \(sentence)\n"), "\(text(answer))")
        #expect(text(answer).contains("Spread it: run with --limit 'web01,web02' first"))
        #expect(try plan(all, ["certificates_per_domain": 60])["exceeded"] == [])
        let none = try plan(all, ["certificates_per_domain": 19])
        #expect(none["first_run"] == [])
        #expect(text(none).contains("No host fits within the limits by itself"), "\(text(none))")
    }

    @Test func `orders of a shared account, and certificates with the same names, are counted over the hosts`() throws {
        let hosts = (1...6).map { host -> (String, JSONValue) in
            let own: JSONValue = [
                "certs": ["www": ["www.example.org", "example.org"]], "account": "/etc/acme/account.key",
                "requested": requested(["www": host == 1 ? "renewal" : "new"]),
            ]
            return ("web0\(host)", own)
        }
        let answer = try plan(Dictionary(uniqueKeysWithValues: hosts), ["orders_per_account": 4])
        #expect(answer["accounts"] == [["account": "/etc/acme/account.key", "orders": 5, "limit": 4]])
        #expect(answer["name_sets"] == [["names": ["example.org", "www.example.org"], "orders": 6, "limit": 5]])
        #expect(answer["exceeded"]?.array?.count == 2)
        #expect(answer.msg.contains("6 certificates would have exactly the names example.org, www.example.org"))
        #expect(answer["first_run"] == ["web01", "web02", "web03", "web04", "web05"])
    }

    /// What `acme_request_tokens` says of a host's account, and that one certificate is new.
    private func host(_ number: Int, account: JSONValue, named name: String?) -> JSONValue {
        let key = "c\(number)"
        let answer: JSONValue = [
            "account": account,
            "certificates": [["name": .string(key), "action": "authorize", "counts_as": "new"]],
        ]
        return [
            "certs": [key: [.string("\(key).example.org")]], "account": .optional(name), "requested": answer,
        ]
    }

    @Test func `hosts share an account where they have the same key, wherever it lies`() throws {
        let path = "/etc/acme/account.key"
        let keys = ["key-of-the-one", "key-of-the-one", "key-of-the-other"]
        var hosts: [String: JSONValue] = [:]
        for (number, key) in keys.enumerated() {
            let url: JSONValue = number == 0 ? "https://ca.example/account/1" : .null
            let account: JSONValue = ["directory": "https://ca.example/dir", "thumbprint": .string(key), "url": url]
            hosts["web\(number)"] = host(number, account: account, named: path)
        }
        let answer = try plan(hosts)
        #expect(
            answer["accounts"] == [
                ["account": "/etc/acme/account.key (key-of-t)", "orders": 2, "limit": 300],
                ["account": "/etc/acme/account.key (key-of-t)", "orders": 1, "limit": 300],
            ])
        #expect(
            answer["new_accounts"] == [["directory": "https://ca.example/dir", "accounts": 1, "limit": 10]],
            "the key of web0 and web1 has an account, which web0 knows")
    }

    @Test func `more new accounts than an address may make are a warning, at each CA, with hosts that fit`() throws {
        var hosts: [String: JSONValue] = [:]
        for number in 0..<12 {
            let directory = number < 9 ? "https://ca.example/dir" : "https://other.example/dir"
            let account: JSONValue = ["directory": .string(directory), "thumbprint": .null, "url": .null]
            hosts["web\(number + 10)"] = host(number, account: account, named: nil)
        }
        #expect(try plan(hosts)["exceeded"] == [])
        // Hosts that cannot be asked may be those of either.
        let gone: JSONValue = ["gone1": ["x": ["x.example.org"]], "gone2": ["y": ["y.example.org"]]]
        let answer = try plan(hosts, ["unreachable": gone])
        #expect(
            answer["new_accounts"] == [
                ["directory": "https://ca.example/dir", "accounts": 11, "limit": 10],
                ["directory": "https://other.example/dir", "accounts": 5, "limit": 10],
            ])
        let sentence =
            "11 accounts would be made at https://ca.example/dir, more than the 10 that it lets be made from "
        #expect(answer["exceeded"] == [.string(sentence + "one IP address in 3 hours")])
        #expect(answer["first_run"]?.array?.count == 13)
        #expect(text(answer).contains("\nCA                         NEW ACCOUNTS  LIMIT"), "\(text(answer))")
        #expect(try plan(hosts, ["unreachable": gone, "accounts_per_address": 11])["exceeded"] == [])
    }

    @Test func `the account that would be made is known from a real host`() throws {
        try withWorld { world in
            let options = world.options(["web": ["a.example.org"]])
            let dry = world.options(["web": ["a.example.org"]], ["_ansible_check_mode": true, "force": true])
            for isMade in [false, true] {
                let requested = try world.request(dry)
                #expect((requested["account"]?["url"]?.string != nil) == isMade)
                #expect((requested["account"]?["thumbprint"]?.string != nil) == isMade)
                let own: JSONValue = [
                    "certs": ["web": ["a.example.org"]], "requested": .object(requested.members),
                ]
                #expect(try plan(["web01": own])["new_accounts"]?.array?.count == (isMade ? 0 : 1))
                if !isMade { try world.issue(options) }
            }
        }
    }

    @Test func `hosts without the agent, unreachable ones, missing handlers and failures are in the plan`() throws {
        let certs: JSONValue = ["web": ["a.example.org:8443"], "mail": ["domains": ["b.example.org"]]]
        let answer = try plan(
            [
                "fresh": ["certs": certs, "requested": ["skipped": true, "certificates": [], "msg": "not installed"]],
                "wrong": [
                    "certs": certs, "requested": ["failed": true, "certificates": [], "msg": "option x is bad"],
                ],
                "half": [
                    "certs": certs, "requested": requested(["web": nil]), "unhandled": requested(["mail": "new"]),
                ],
                "blocked": [
                    "certs": ["web": ["no such name"], "mail": ["b.example.org"]],
                    "requested": ["certificates": [["name": "mail", "action": "failed", "error": "it has no CNAME"]]],
                ],
            ], ["unreachable": ["gone": certs]])
        #expect(
            answer.all("certificates", "host")
                == ["blocked", "fresh", "gone", "half", "wrong"].flatMap { [.string($0), .string($0)] })
        #expect(
            answer.all("certificates", "action").compactMap(\.string) == [
                "fail", "fail", "order (new)", "order (new)", "order (new)", "order (new)", "fail", "go on", "fail",
                "fail",
            ])
        for sentence in [
            "it has no CNAME", "'no such name' is not a valid name", "the agent is not installed there yet",
            "the host cannot be reached", "no handler \"letsencrypt updated mail\"", "option x is bad",
        ] {
            #expect(text(answer).contains(sentence), "\(text(answer))")
        }
        #expect(answer["domains"] == [["domain": "example.org", "orders": 4, "limit": 50]])
    }

    @Test func `options that cannot be meant are refused by name`() throws {
        for (options, word): (JSONValue, String) in [
            ([:], "hosts"), (["hosts": "x"], "hosts"), (["hosts": ["a": ["x": 1]]], "hosts.a.x"),
            (["hosts": [:], "certificates_per_domain": 0], "certificates_per_domain"),
            (["hosts": ["a": ["certs": ["w": true]]]], "hosts.a.certs.w"),
        ] as [(JSONValue, String)] {
            let answer = try RealProgram.call("acme_plan", options)
            #expect(answer.failed)
            #expect(answer.msg.contains(word), "\(answer.msg)")
        }
    }
}
