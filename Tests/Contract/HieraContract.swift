import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// Two hosts, and their certificates in a storage area that only its owner can look into.
struct HieraArea {
    let path: String

    let hosts: JSONValue = [
        "h1": [
            "web-1.main": ["a.example.org", "b.example.org"], "y": ["domains": "c.example.org", "formats": "jks"],
        ],
        "h2": ["null": ["a.example.org", "d.example.org"], "shared": ["b.example.org:443", "A.example.org"]],
    ]

    func file(_ host: String) -> String { "\(path)/hiera/\(host).certs.yaml" }

    func bytes(_ host: String) throws -> [UInt8] { try #require(try Files.read(file(host))) }

    /// Signs every certificate of both hosts in one call of each module.
    func makeCertificates(force: Bool = false) throws {
        let plan = try call(["plan": true])
        let options = hermetic(
            path,
            [
                "self_signed": true, "certs": plan["certs"] ?? .null, "private_path": .string(path), "mode": "0600",
                "force": .bool(force),
            ])
        for module in ["acme_request_tokens", "acme_finalize"] {
            let answer = try RealProgram.call(module, options)
            #expect(!answer.failed, "\(answer.msg)")
        }
    }

    func options(_ more: [String: JSONValue] = [:]) -> JSONValue {
        let base: [String: JSONValue] = [
            "hosts": hosts, "path": .string(path + "/hiera"), "cert_path": .string(path + "/certs"),
            "private_path": .string(path),
        ]
        return .object(base.merging(more) { $1 })
    }

    func call(_ more: [String: JSONValue] = [:]) throws -> RealProgram.Answer {
        let answer = try RealProgram.call("acme_write_hiera", options(more))
        ModuleContract.writeHiera.expectLists(in: answer)
        return answer
    }

    /// The file as PyYAML reads it.
    func loaded(_ host: String) throws -> JSONValue {
        let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)"
        let read = try Program.run([RealProgram.root + "/.venv/bin/python", "-c", script, file(host)])
        return try #require(JSONValue.parse(read.output), "\(read)")
    }
}

/// Not in a directory that everybody may write to, as /tmp is.
func withArea<Result>(_ body: (HieraArea) throws -> Result) throws -> Result {
    let base = geteuid() == 0 ? "/var/lib" : NSHomeDirectory()
    let path = "\(base)/acme-test-\(UUID().uuidString)"
    try Files.makeDirectory(path, access: .own(mode: 0o700))
    defer { try? Files.remove(path) }
    try Files.makeDirectory(path + "/certs", access: .own(mode: 0o700))
    return try body(HieraArea(path: path))
}

@Suite struct HieraContract {
    @Test func `each host gets a file of its own, and a second call touches none`() throws {
        try withArea { area in
            try area.makeCertificates()
            let answer = try area.call()
            #expect(answer.changed)
            #expect(answer["updated"] == ["h1", "h2"])
            let status = try #require(try Files.status(area.file("h1")))
            #expect(status.access == .own(mode: 0o600))
            let before = try listing(area.path)
            let again = try area.call()
            #expect(!again.changed)
            #expect(again["updated"] == [])
            #expect(try listing(area.path) == before)
        }
    }

    @Test func `PyYAML reads the bytes of the certificate files, whatever the keys look like`() throws {
        try withArea { area in
            try area.makeCertificates()
            _ = try area.call()
            let directory = area.path + "/certs/h1/a.example.org"
            let read = { (file: String) throws in
                JSONValue.string(String(decoding: try #require(try Files.read("\(directory)/\(file)")), as: UTF8.self))
            }
            let h1 = try area.loaded("h1")
            let certificate = try #require(h1["cert_web_1_main"])
            #expect(certificate["key_contents"] == (try read("a.example.org.key")))
            #expect(certificate["cert_contents"] == (try read("a.example.org.cer")))
            #expect(certificate["chain_contents"] == (try read("ca.cer")))
            #expect(certificate["full_chain_contents"] == (try read("fullchain.cer")))
            #expect(h1["web_1_main_ssl_key"] == certificate["key_contents"])
            #expect(h1["web_1_main_ssl_cert"] == certificate["cert_contents"])
            #expect(h1["web_1_main_ssl_chain"] == certificate["chain_contents"])
            #expect(
                h1.object?.keys.filter { $0.contains("y") }.sorted() == [
                    "cert_y", "web_1_main_ssl_key", "y_ssl_cert", "y_ssl_chain", "y_ssl_key",
                ])
            let h2 = try area.loaded("h2")
            #expect(
                h2.object?.keys.sorted() == [
                    "cert_null", "cert_shared", "null_ssl_cert", "null_ssl_chain", "null_ssl_key", "shared_ssl_cert",
                    "shared_ssl_chain", "shared_ssl_key",
                ])
            #expect(h2["cert_shared"] == h1["cert_web_1_main"])
        }
    }

    @Test func `nothing of a key is in the result or the diff`() throws {
        try withArea { area in
            try area.makeCertificates()
            let answer = try area.call()
            let key = try #require(try area.loaded("h1")["y_ssl_key"]?.string)
            #expect(answer["diff"]?["after"]?.string?.contains("h1 cert_y: c.example.org, serial ") == true)
            for line in key.split(separator: "\n") { #expect(!answer.text.contains(line)) }
        }
    }

    @Test func `check mode writes nothing and says what would be written`() throws {
        try withArea { area in
            try area.makeCertificates()
            let predicted = try area.call(["_ansible_check_mode": true])
            #expect(predicted["updated"] == ["h1", "h2"])
            #expect(try Files.status(area.path + "/hiera") == nil)
        }
    }

    @Test func `a host that lacks one certificate keeps its old file, and the others get theirs`() throws {
        try withArea { area in
            try area.makeCertificates()
            _ = try area.call()
            let (h1, h2) = (try area.bytes("h1"), try area.bytes("h2"))
            try area.makeCertificates(force: true)
            try Files.remove(area.path + "/certs/h1/c.example.org/c.example.org.key")
            let answer = try area.call()
            #expect(answer.failed)
            #expect(answer["updated"] == ["h2"])
            #expect(
                answer.msg
                    == "host h1: certificate y: \(area.path)/certs/h1/c.example.org/c.example.org.key is missing; "
                    + "its file is left as it is")
            #expect(try area.bytes("h1") == h1)
            #expect(try area.bytes("h2") != h2)
        }
    }

    @Test func `a certificate for other names than the host's is not written`() throws {
        try withArea { area in
            try area.makeCertificates()
            let answer = try area.call(["hosts": ["h1": ["y": ["c.example.org", "new.example.org"]]]])
            #expect(answer.msg.contains("lacks names that were ordered: new.example.org"), "\(answer.msg)")
            #expect(try Files.status(area.file("h1")) == nil)
        }
    }

    @Test func `a host that left is reported, and its file stays`() throws {
        try withArea { area in
            try area.makeCertificates()
            _ = try area.call()
            let one: JSONValue = ["h1": area.hosts["h1"] ?? .null]
            let answer = try area.call(["hosts": one])
            #expect(!answer.failed)
            #expect(!answer.changed)
            #expect(answer["orphaned"] == [.string(area.file("h2"))])
            #expect(answer["warnings"]?.array?.first?.string?.contains("belongs to no host of the inventory") == true)
            #expect(try Files.status(area.file("h2")) != nil)
            let limited = try area.call(["only": ["h1"]])
            #expect(limited["orphaned"] == [])
            #expect(limited.all("hosts", "name") == ["h1"])
        }
    }

    @Test func `what a run that was killed left is swept`() throws {
        try withArea { area in
            try area.makeCertificates()
            _ = try area.call()
            try AtomicFile.write([0], to: area.path + "/hiera/.new-1-2", access: .own(mode: 0o600))
            try Files.remove(area.file("h1"))
            _ = try area.call()
            #expect(try Files.list(area.path + "/hiera") == [".lock", "h1.certs.yaml", "h2.certs.yaml"])
        }
    }

    @Test(
        arguments: [
            (
                ["a.b": ["x.example.org"], "a-b": ["z.example.org"]],
                "certificates a-b and a.b would both be the variable cert_a_b"
            ),
            (
                ["cert_a": ["x.example.org"], "a_ssl_cert": ["z.example.org"]],
                "certificates a_ssl_cert and cert_a would both be the variable cert_a_ssl_cert"
            ),
            (["a": []], "certificate a has no domains"), (["x"], "must be a mapping"),
            (["a": ["under_score.org"]], "has a '_'"),
            (["a": ["domain": ["x.example.org"]]], "certificates.a.domain is unknown"),
            (["": ["x.example.org"]], "a certificate's key must not be empty"),
            (
                ["a": ["domains": ["a.example.org", "d.example.org"], "key_type": "ec-384"]],
                "has the names of h2/null, but other options"
            ),
        ] as [(JSONValue, String)])
    func `what is wrong with one host is its failure alone, and is known before anything is ordered`(
        certs: JSONValue, problem: String
    ) throws {
        try withArea { area in
            var hosts = area.hosts.object ?? [:]
            hosts["h3"] = certs
            let plan = try area.call(["hosts": .object(hosts), "plan": true])
            #expect(!plan.failed)
            let errors = plan.all("hosts", "error")
            #expect(errors.map { $0.string?.contains(problem) } == [nil, nil, true], "\(plan.text)")
            #expect(plan["certs"]?.object?.keys.sorted() == ["h1/web-1.main", "h1/y", "h2/null"])
            try area.makeCertificates()
            let written = try area.call(["hosts": .object(hosts)])
            #expect(written.failed)
            #expect(written["updated"] == ["h1", "h2"])
            #expect(written.msg.hasPrefix("host h3: "))
            #expect(written["orphaned"] == [])
        }
    }

    @Test(arguments: ["../h1", ".h1", "h 1", "h1\n", ""])
    func `a host name that is no file name is refused`(name: String) throws {
        try withArea { area in
            let answer = try area.call(["hosts": .object([name: ["a": ["a.example.org"]]])])
            #expect(answer.msg.contains("cannot name a file"), "\(answer.msg)")
            #expect(try Files.list(area.path) == ["certs"])
        }
    }

    @Test func `a wish to renew a shared certificate counts, whichever host has it`() throws {
        try withArea { area in
            let hosts: JSONValue = [
                "h1": ["a": ["x.example.org"]], "h2": ["b": ["domains": ["x.example.org"], "force": true]],
            ]
            let plan = try area.call(["hosts": hosts, "plan": true, "only": ["h2"]])
            #expect(plan["certs"]?.object?.keys.sorted() == ["h1/a"])
            #expect(plan["certs"]?["h1/a"]?["force"] == true)
            #expect(plan["certs"]?["h1/a"]?["cert_path"] == .string(area.path + "/certs/h1"))
        }
    }

    @Test func `a host that wants nothing has no file, and is no failure`() throws {
        try withArea { area in
            let answer = try area.call(["hosts": ["h1": [:], "h2": nil]])
            #expect(!answer.failed)
            #expect(answer["hosts"] == [])
        }
    }
}

extension HieraContract {
    @Test(arguments: ["acme_request_tokens", "acme_finalize", "acme_write_hiera"])
    func `others must have no access to the private path, nor to a directory above it`(module: String) throws {
        try withArea { area in
            let inner = area.path + "/inner"
            try Files.makeDirectory(inner, access: .own(mode: 0o750))
            #expect(try refusal(module, inner).contains("\(inner) has mode 750, so that others can look into it"))
            try Files.set(.own(mode: 0o700), on: inner)
            try Files.set(.own(mode: 0o720), on: area.path)
            #expect(try refusal(module, inner).contains("\(area.path), which is above \(inner), has mode 720"))
            try Files.set(.own(mode: 0o700), on: area.path)
            try AtomicFile.link(area.path + "/link", to: "inner")
            #expect(try refusal(module, area.path + "/link").contains("\(area.path)/link is no directory"))
            #expect(try refusal(module, area.path + "/link/x").contains("\(area.path)/link is no directory"))
            #expect(try refusal(module, inner + "/../inner").contains("must not hold . or .."))
            #expect(
                try refusal(module, area.path + "/none")
                    .hasSuffix("(playbooks/letsencrypt-bastion.yaml does)"))
            #expect(try Files.list(area.path) == ["certs", "inner", "link"])
        }
    }

    private func refusal(_ module: String, _ path: String) throws -> String {
        let options: [String: JSONValue] =
            module == "acme_write_hiera"
            ? ["path": .string(path + "/hiera"), "hosts": ["h1": ["a": ["a.example.org"]]]]
            : [
                "certs": ["a": ["a.example.org"]], "self_signed": true, "state_path": .string(path + "/state"),
                "cert_path": .string(path + "/certs"), "owner": .string("\(geteuid())"),
                "group": .string("\(getegid())"),
            ]
        let answer = try RealProgram.call(module, .object(options.merging(["private_path": .string(path)]) { $1 }))
        #expect(answer.failed)
        #expect(!answer.changed)
        return answer.msg
    }
}
