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

        @Test func `a host that was taken over gets nothing of another's, and stops none`() throws {
            let inventory = try Inventory(["web01": ["evil": ["n81"]], "web02": ["honest": ["n82"]]])
            defer { try? Host.web01.forgetAgent() }
            try withTemporaryDirectory { directory in
                let mark = directory + "/executed"
                let stolen = String(repeating: "s", count: 43)
                let finalize: [String: Any] = [
                    "changed": true, "failed": true, "msg": bait(mark), "updated": ["nobody listens", bait(mark)],
                    "certificates": [["name": bait(mark), "error": bait(mark)]],
                ]
                let theirs = ["evil": [try Inventory.complete("n82")]]
                let attacks: [(request: [String: Any], words: String)] = [
                    (request([try record("n82", at: "n82", stolen)], mark), "belongs to none of the names"),
                    (request([try record("n81", at: "n82", stolen)], mark), "and it wants a record at"),
                    (request([try record("n81", at: "n81", bait(mark))], mark), "has a value that is no token"),
                    (
                        request([try record("n82", at: "n82", stolen)], mark, facts: ["letsencrypt_certs": theirs]),
                        "it gave itself the variable letsencrypt_certs"
                    ),
                ]
                for (number, attack) in attacks.enumerated() {
                    try Zone.clear()
                    try Host.web02.run("rm -rf /etc/letsencrypt-certs")
                    try take(.web01, request: attack.request, finalize: finalize)
                    let check = number == 0 ? ["--check"] : []
                    let dry = try check.map { try inventory.play("--skip-tags", "letsencrypt_install", $0) }
                    #expect(dry.allSatisfy { $0.recap["web02"]?.failed == 0 }, "\(dry)")
                    let run = try inventory.play("--skip-tags", "letsencrypt_install")
                    #expect(run.recap["web02"]?.isFine == true, "\(run)")
                    #expect(run.recap["web01"]?.failed == 1, "\(run)")
                    #expect(run.sentences.contains("nothing that web01 asked for was published: "), "\(run)")
                    #expect(run.sentences.contains(attack.words), "\(run)")
                    #expect(run.handlers == ["web02: honest"], "\(run)")
                    try InstalledCertificate(.web02, "n82").expectPromised()
                    #expect(try !Zone.file.contains(stolen))
                    #expect(try !Zone.texts(Inventory.complete("n82")).contains(stolen))
                    #expect(!FileManager.default.fileExists(atPath: mark))
                    try Host.nameServer.run("[ ! -e \(mark) ]")
                }
            }
        }
    }
}
