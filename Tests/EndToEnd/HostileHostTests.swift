import Foundation
import TestSupport
import Testing

extension TheFiveSteps {
    /// A host that somebody else has taken over: its program says what that somebody wants.
    @Suite struct HostileHosts {
        /// Puts a program on the host that answers a request and a completion with these documents.
        private func take(_ host: Host, request: [String: Any], finalize: [String: Any]) throws {
            let answers = try [request, finalize].map {
                String(decoding: try JSONSerialization.data(withJSONObject: $0), as: UTF8.self)
            }
            try host.run("mkdir -p /usr/local/libexec; cat >/root/request.json", input: answers[0])
            try host.run("cat >/root/finalize.json", input: answers[1])
            let program = """
                #!/bin/sh
                case $1 in acme_request_tokens) cat /root/request.json ;; *) cat /root/finalize.json ;; esac
                """
            try host.run(
                "rm -f /usr/local/libexec/acme-modules; cat >/usr/local/libexec/acme-modules; chmod 0755 $1",
                "/usr/local/libexec/acme-modules", input: program + "\n")
        }

        /// What a template would do on the machine that it is filled in on.
        private func bait(_ mark: String) -> String { "{{ lookup('pipe', 'touch \(mark)') }}\n$INCLUDE /etc/shadow" }

        private func record(_ name: String, at label: String, _ value: String) throws -> [String: Any] {
            let full = try Inventory.complete(name)
            return [
                "certificate": "evil", "domain": full, "record": "_acme-challenge." + full,
                "target": try Inventory.complete(label) + "." + Lab.current().signingZone, "value": value,
            ]
        }

        private func request(_ records: [Any], _ mark: String, facts: [String: Any] = [:]) -> [String: Any] {
            let certificate: [String: Any] = ["name": "evil", "action": "authorize", "error": bait(mark)]
            return [
                "changed": true, "failed": false, "msg": bait(mark), "txt_required": records, "ansible_facts": facts,
                "certificates": [certificate], "warnings": [bait(mark)],
            ]
        }

        /// What a host asks for, and what is said of that.
        private typealias Attack = (request: [String: Any], words: String)

        private func attacks(_ stolen: String, _ mark: String) throws -> [[Attack]] {
            let theirs = ["evil": [try Inventory.complete("n82")]]
            return [
                [
                    (request([try record("n82", at: "n82", stolen)], mark), "belongs to none of the names"),
                    (request([try record("n83", at: "n82", stolen)], mark), "and it wants a record at"),
                ],
                [
                    (
                        request([try record("n82", at: "n82", stolen)], mark, facts: ["letsencrypt_certs": theirs]),
                        "it gave itself the variable letsencrypt_certs"
                    ),
                    (request([try record("n83", at: "n83", bait(mark))], mark), "has a value that is no token"),
                ],
            ]
        }

        @Test func `hosts that were taken over get nothing of another's, stop none, and have nothing executed`() throws
        {
            let inventory = try Inventory([
                "web01": ["evil": ["n81"]], "web02": ["honest": ["n82"]], "web03": ["evil": ["n83"]],
            ])
            let (taken, stolen) = ([Host.web01, .web03], String(repeating: "s", count: 43))
            defer { for host in taken { try? host.forgetAgent() } }
            #expect(try inventory.play("--tags", "letsencrypt_install").isFine)
            try withTemporaryDirectory { directory in
                let mark = directory + "/executed"
                let finalize: [String: Any] = [
                    "changed": true, "failed": true, "msg": bait(mark), "updated": ["nobody listens", bait(mark)],
                    "certificates": [["name": bait(mark), "error": bait(mark)]],
                ]
                for round in try attacks(stolen, mark) {
                    try Zone.clear()
                    try Host.web02.run("rm -rf /etc/letsencrypt-certs")
                    for (host, attack) in zip(taken, round) {
                        try take(host, request: attack.request, finalize: finalize)
                    }
                    try expectHarmless(inventory, taken, round, stolen, mark)
                }
            }
        }

        private func expectHarmless(
            _ inventory: Inventory, _ taken: [Host], _ round: [Attack], _ stolen: String, _ mark: String
        ) throws {
            let dry = try inventory.play("--skip-tags", "letsencrypt_install", "--check")
            #expect(dry.recap["web02"]?.isFine == true, "\(dry)")
            let run = try inventory.play("--skip-tags", "letsencrypt_install")
            #expect(run.recap["web02"]?.isFine == true, "\(run)")
            for (host, attack) in zip(taken, round) {
                #expect(run.recap[host.name]?.failed == 1, "\(run)")
                #expect(run.sentences.contains("nothing that \(host.name) asked for was published: "), "\(run)")
                #expect(run.sentences.contains(attack.words), "\(run)")
            }
            #expect(run.handlers == ["web02: honest"], "\(run)")
            try InstalledCertificate(.web02, "n82").expectPromised()
            #expect(try !Host.nameServer.run("cat \(Zone.path)").contains(stolen))
            #expect(try !Zone.texts(Inventory.complete("n82")).contains(stolen))
            #expect(!FileManager.default.fileExists(atPath: mark))
            try Host.nameServer.run("[ ! -e \(mark) ]")
        }
    }
}
