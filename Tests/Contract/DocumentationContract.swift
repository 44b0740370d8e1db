import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// The documentation beside a shim, read by its indentation: this project's own files, not any YAML.
private struct Documentation {
    private let lines: [String]

    init(_ module: ModuleContract) throws {
        let path = "\(RealProgram.root)/ansible/library/\(module.rawValue).yml"
        lines = try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: "\n")
    }

    /// The keys one level below the line `header` (with its indentation), up to the next line that is not deeper.
    func keys(below header: String) throws -> [String] { try block(below: header).keys }

    /// The suboptions of an option.
    func suboptions(of option: String) throws -> [String] {
        let inner = try block(below: "    \(option):").lines
        let start = try #require(inner.firstIndex(of: "      suboptions:"))
        return Self.keys(inner[(start + 1)...].prefix { Self.depth($0) > 6 }, depth: 8)
    }

    /// The options that their description allows per certificate.
    func optionsPerCertificate() throws -> [String] {
        try keys(below: "  options:").filter { option in
            try block(below: "    \(option):").lines.contains { $0.hasSuffix("May also stand in O(certs).") }
        }
    }

    func choices(of option: String) throws -> String {
        let prefix = "      choices: ["
        let line = try #require(try block(below: "    \(option):").lines.first { $0.hasPrefix(prefix) })
        return String(line.dropFirst(prefix.count).dropLast())
    }

    private func block(below header: String) throws -> (lines: [String], keys: [String]) {
        let start = try #require(lines.firstIndex(of: header), "no line '\(header)'")
        let depth = Self.depth(header)
        let inner = lines[(start + 1)...].prefix { $0.isEmpty || Self.depth($0) > depth }
        return (Array(inner), Self.keys(inner, depth: depth + 2))
    }

    private static func keys(_ lines: some Sequence<String>, depth: Int) -> [String] {
        lines.filter { Self.depth($0) == depth && $0.hasSuffix(":") }.map { String($0.dropFirst(depth).dropLast()) }
    }

    private static func depth(_ line: String) -> Int { line.prefix { $0 == " " }.count }
}

@Suite struct DocumentationContract {
    /// Options that are accepted, but for what is added to them.
    private static let certificates: [String: JSONValue] = ["certs": ["web": ["domains": ["a.example.org"]]]]
    private static let publication: [String: JSONValue] = [
        "zone": "acme.example.org", "records": [],
        "zone_file": ["path": "/nowhere/zone.db", "nameservers": ["ns1.example.org"]],
    ]

    /// The names that the program itself lists when it is given one that it does not know.
    private func known(_ module: ModuleContract, _ options: [String: JSONValue]) throws -> [String] {
        try withTemporaryDirectory { directory in
            let isCertificates = [ModuleContract.requestTokens, .finalize].contains(module)
            let all = isCertificates ? hermetic(directory, options) : .object(options)
            let words = try RealProgram.call(module.rawValue, all).msg.components(separatedBy: "known options: ")
            try #require(words.count == 2, "\(words)")
            return words[1].components(separatedBy: ", ").sorted()
        }
    }

    private func base(_ module: ModuleContract) -> [String: JSONValue] {
        switch module {
        case .requestTokens, .finalize: Self.certificates
        case .publishTXT: Self.publication
        case .writeHiera: ["path": "/nowhere", "hosts": [:]]
        case .plan: ["hosts": [:]]
        case .account, .info: [:]
        case .revoke: ["domains": ["a.example.org"]]
        }
    }

    @Test(arguments: ModuleContract.allCases)
    func `every option is documented, and every documented option exists`(module: ModuleContract) throws {
        let documented = try Documentation(module).keys(below: "  options:").sorted()
        #expect(try known(module, base(module).merging(["zzzzzz": 1]) { $1 }) == documented)
    }

    /// But for those of a single certificate, who may read keys, which `letsencrypt_install` decides, and `private_path`,
    /// which is for the legacy path.
    @Test(arguments: [
        (ModuleContract.requestTokens, "letsencrypt_request_certs"), (.finalize, "letsencrypt_create_certs"),
    ])
    func `the roles pass every option on that a host may want to set for all its certificates`(
        module: ModuleContract, role: String
    ) throws {
        let tasks = try String(contentsOfFile: "\(RealProgram.root)/roles/\(role)/tasks/main.yaml", encoding: .utf8)
        let given = tasks.components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        // Finalizing asks no name server.
        let apart =
            ["name", "domains", "owner", "group", "mode", "private_path"]
            + (module == .finalize ? ["signing_domain", "check_cname", "check_caa", "dns_servers"] : [])
        for option in try known(module, base(module).merging(["zzzzzz": 1]) { $1 }) where !apart.contains(option) {
            #expect(given.contains { $0.hasPrefix(option + ":") }, "\(role) does not know \(option)")
        }
    }

    @Test(arguments: [ModuleContract.requestTokens, .finalize])
    func `the options per certificate are documented as such`(module: ModuleContract) throws {
        let documented = try Documentation(module).optionsPerCertificate()
        let options: [String: JSONValue] = ["certs": ["web": ["domains": ["a.example.org"], "zzzzzz": 1]]]
        #expect(try known(module, options) == (documented + ["domains"]).sorted())
    }

    @Test func `the options of the zone file are documented`() throws {
        let zoneFile: JSONValue = ["path": "/nowhere/zone.db", "nameservers": ["ns1.example.org"], "zzzzzz": 1]
        let options = Self.publication.merging(["zone_file": zoneFile]) { $1 }
        #expect(
            try known(.publishTXT, options) == (try Documentation(.publishTXT).suboptions(of: "zone_file").sorted()))
    }

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(RealProgram.root)/\(path)", encoding: .utf8)
    }

    @Test func `the role passes every provider on`() throws {
        let known = try RealProgram.call(
            "acme_publish_txt", .object(Self.publication.merging(["zone_file": nil]) { $1 }))
        let role = "roles/letsencrypt_install_txt_record/"
        let list = try #require(
            text(role + "vars/main.yaml").firstMatch(of: /record_providers: \[(.*)\]/)
        ).1
        #expect(known.msg.contains("exactly one of \(list) must be given"), "\(known.msg)")
        let tasks = try text(role + "tasks/main.yaml")
        for name in list.split(separator: ", ") { #expect(tasks.contains("\n        \(name): ")) }
    }

    @Test func `the options of Designate are documented`() throws {
        let designate: JSONValue = [
            "auth_url": "https://keystone.example.org", "username": "a", "password": "b", "project_name": "c",
            "zzzzzz": 1,
        ]
        let options = Self.publication.merging(["zone_file": nil, "designate": designate]) { $1 }
        let documented = try Documentation(.publishTXT).suboptions(of: "designate").sorted()
        #expect(try known(.publishTXT, options) == documented)
    }

    @Test func `the options of Rackspace are documented`() throws {
        let options = Self.publication.merging([
            "zone_file": nil, "rackspace": ["username": "a", "api_key": "b", "zzzzzz": 1],
        ]) { $1 }
        let documented = try Documentation(.publishTXT).suboptions(of: "rackspace").sorted()
        #expect(try known(.publishTXT, options) == documented)
    }

    @Test(arguments: [ModuleContract.requestTokens, .finalize])
    func `the choices are documented`(module: ModuleContract) throws {
        let choices = try Documentation(module).choices(of: "key_type")
        let answer = try RealProgram.call(
            module.rawValue, .object(Self.certificates.merging(["key_type": "dsa"]) { $1 }))
        #expect(answer.msg.contains("must be one of \(choices), not"), "\(answer.msg)")
    }

    @Test(arguments: [ModuleContract.requestTokens, .finalize])
    func `the formats are documented`(module: ModuleContract) throws {
        let choices = try Documentation(module).choices(of: "formats")
        let answer = try RealProgram.call(
            module.rawValue, .object(Self.certificates.merging(["formats": "pfx"]) { $1 }))
        #expect(answer.msg.contains("must be a list of any of \(choices), not of 'pfx'"), "\(answer.msg)")
    }

    @Test func `the choices of the account's key type are documented`() throws {
        let choices = try Documentation(.account).choices(of: "account_key_type")
        let answer = try RealProgram.call("acme_account", ["account_key_type": "dsa"])
        #expect(answer.msg.contains("must be one of \(choices), not"), "\(answer.msg)")
    }

    @Test(arguments: ModuleContract.allCases)
    func `every list that is returned is documented`(module: ModuleContract) throws {
        let documented = try Documentation(module).keys(below: "RETURN:")
        for list in module.lists { #expect(documented.contains(list)) }
    }
}
