import AnsibleModule
import Platform
import TestSupport
import Testing

/// A host and the options of its two modules.
typealias SharingHost = (host: World, options: JSONValue)

extension World {
    /// Hosts at this server with one account key, each with its own wishes.
    func hosts(_ wishes: [[String: JSONValue]]) throws -> [SharingHost] {
        let key = try makeKey("ec-256", "organisation.key")
        try Files.set(.own(mode: 0o600), on: key)
        return try wishes.enumerated().map { number, wish in
            let host = World("\(directory)/host\(number)", beside: self)
            try Files.makeDirectory(host.directory, access: .own(mode: 0o700))
            return (host, host.options([:], wish.merging(["account_key_src": .string(key)]) { $1 }))
        }
    }

    /// Publishes what hosts were told for one name, as the publishing step does: each value once.
    func publish(_ requests: [RealProgram.Answer], of name: String) throws {
        try server.clearTXT("_acme-challenge." + name)
        let values = requests.flatMap { $0.all("txt_required", "value") }.compactMap(\.string)
        try server.addTXT(Set(values).map { (name: "_acme-challenge." + name, value: $0) })
    }
}

/// Requests and finalizes at all hosts at the same time; the last answers.
func issueAtOnce(_ hosts: [SharingHost], of name: String, in world: World) throws -> [RealProgram.Answer] {
    let requests = try atOnce(hosts.map(\.options)) { try RealProgram.call("acme_request_tokens", $0) }
    for answer in requests { #expect(!answer.failed, "\(answer.msg)") }
    try world.publish(requests, of: name)
    let finals = try atOnce(hosts.map(\.options)) { try RealProgram.call("acme_finalize", $0) }
    for answer in finals { #expect(!answer.failed, "\(answer.msg)") }
    return finals
}

/// The serials of what the hosts have installed for a name, each of which leads to the server's root.
func serials(_ hosts: [SharingHost], of name: String) throws -> Set<String> {
    Set(
        try hosts.map { host, _ in
            try host.verify(name)
            let file = host.path(name, name + ".cer")
            return try Program.run(["openssl", "x509", "-noout", "-serial", "-in", file]).stdout
        })
}
