import AnsibleModule
import Foundation
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

    @Test func `names are ordered once each, in lower case and in A-labels, however they are written`() throws {
        try withHostileServer { world, proxy in
            let names = ["A.example.org:443", "a.example.org", "Bücher.example.org", "xn--bcher-kva.example.org"]
            #expect(try !world.request(world.options(["web": names])).failed)
            let order = try #require(try proxy.requests("newOrder").first?.text)
            let identifiers = JSONValue.parse(Array(order.utf8))?["identifiers"]?.array ?? []
            #expect(identifiers.map { $0["value"] } == ["a.example.org", "xn--bcher-kva.example.org"])
            #expect(identifiers.allSatisfy { $0["type"] == "dns" })
        }
    }

    @Test func `the request for a certificate asks for names and nothing else`() throws {
        try withHostileServer { world, proxy in
            try world.issue(world.options(Self.certs))
            let message = try #require(try proxy.requests("finalize").first?.text)
            let coded = try #require(JSONValue.parse(Array(message.utf8))?["csr"]?.string)
            let plain = coded.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
            let padded = plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
            let request = Array(try #require(Data(base64Encoded: padded)))
            let said = try Program.run(["openssl", "req", "-inform", "DER", "-noout", "-text"], input: request).stdout
            let extensions = said.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { $0.hasPrefix("X509v3 ") || $0.hasPrefix("TLS Feature") }
            #expect(extensions == ["X509v3 Subject Alternative Name:"], "\(said)")
        }
    }
}
