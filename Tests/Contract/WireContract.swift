import AnsibleModule
import TestSupport
import Testing

/// What the CA is sent, as a proxy before it sees it.
@Suite struct WireContract {
    private static let certs = ["web": ["a.example.org", "*.a.example.org", "b.example.org"]]

    /// The members of each kind of message that has any (RFC 8555, sections 7.3 and 7.4). None has the `resource` and
    /// `keyAuthorization` of drafts.
    private static let messages = [
        "newAccount": ["contact", "termsOfServiceAgreed"], "newOrder": ["identifiers"], "finalize": ["csr"],
        "challenge": [],
    ]

    @Test func `messages hold what RFC 8555 wants and no more, and only the directory is read without a signature`()
        throws
    {
        try withHostileServer { world, proxy in
            try world.issue(world.options(Self.certs, ["account_email": "ops@example.org"]))
            let requests = try proxy.requests()
            #expect(Set(requests.map(\.kind)) == Set(everyKind))
            for request in requests {
                switch request.kind {
                case "directory": #expect(request.method == "GET")
                case "nonce": #expect(request.method == "HEAD")
                case let kind:
                    #expect(request.method == "POST")
                    let members = JSONValue.parse(Array((request.text ?? "").utf8))?.object?.keys.sorted()
                    #expect(members == Self.messages[kind], "\(request)")
                    #expect(members != nil || request.text == "", "\(request)")
                }
            }
            #expect(try Set(proxy.requests("challenge").map(\.text)) == ["{}"])
        }
    }

    @Test func `the order in which a CA lists names, authorizations and challenges does not matter`() throws {
        try withHostileServer { world, proxy in
            // Not of later looks at the order: each reply has its own order.
            let lists = #""play": "change", "reverse": ["identifiers", "authorizations", "challenges"], "times": -1"#
            try proxy.play("{\(lists)}", on: ["newOrder", "authorization", "finalize"])
            #expect(try world.issue(world.options(Self.certs))["updated"] == ["web"])
            try world.verify("a.example.org")
        }
    }
}
