import Foundation
import TestSupport
import Testing

extension TheFiveSteps {
    /// A host that somebody else has taken over: its programs say what that somebody wants. The oldest supported Ansible
    /// marks what hosts say in another way than the newest.
    @Suite struct HostileHosts {
        static let pythons = [".venv", ".venv-oldest"].filter {
            FileManager.default.fileExists(atPath: Lab.root + "/" + $0)
        }

        /// A program that answers a request and a completion with these documents, or never.
        private func program(request: [String: Any]?, finalize: [String: Any]?) throws -> String {
            let answers = try [request, finalize].map { answer in
                guard let answer else { return "exec sleep 60" }
                let text = try JSONSerialization.data(withJSONObject: answer)
                return "cat <<'END'\n\(String(decoding: text, as: UTF8.self))\nEND"
            }
            return """
                #!/bin/sh
                case $1 in
                acme_request_tokens)
                \(answers[0])
                ;;
                acme_finalize)
                \(answers[1])
                ;;
                esac

                """
        }

        private func put(_ program: String, at path: String, on host: Host) throws {
            try host.run(
                "mkdir -p \"${1%/*}\"; rm -f \"$1\"; cat >\"$1\"; chmod 0755 \"$1\"", path, input: program)
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

        private func finalize(_ updated: [String], _ mark: String) -> [String: Any] {
            [
                "changed": true, "failed": true, "msg": bait(mark), "updated": updated + [bait(mark)],
                "certificates": [["name": bait(mark), "error": bait(mark)]],
            ]
        }

        /// What a host says, in how many seconds it has to, and one of the sentences that is said of it.
        private typealias Attack = (program: String, timeout: Int, words: [String])

        private func attacks(_ stolen: String, _ mark: String, _ role: String) throws -> [[Attack]] {
            let theirs = ["evil": [try Inventory.complete("n82")]]
            let facts: [String: Any] = ["letsencrypt_certs": theirs, "letsencrypt_handlers_role": role]
            // Its modules are given up after 3 seconds: a minute more than they are told to take.
            func silence(_ request: [String: Any]?) throws -> Attack {
                (try program(request: request, finalize: nil), -57, ["expected time frame", "Timed out"])
            }
            func attack(
                _ records: [Any], facts: [String: Any] = [:], updated: [String] = ["nobody listens"], _ words: String
            ) throws -> Attack {
                let request = request(records, mark, facts: facts)
                return (try program(request: request, finalize: finalize(updated, mark)), 300, [words])
            }
            return [
                [
                    try attack([try record("n82", at: "n82", stolen)], "belongs to none of the names"),
                    try attack([try record("n83", at: "n82", stolen)], "and it wants a record at"),
                ],
                [
                    try attack(
                        [try record("n82", at: "n82", stolen)], facts: facts, updated: ["evil"],
                        "web01 asked for was published: it gave itself the variable letsencrypt_"),
                    try attack([try record("n83", at: "n83", bait(mark))], "has a value that is no token"),
                ],
                [
                    try silence(nil), try silence(request([], mark)),
                ],
            ]
        }

        @Test(arguments: pythons)
        func `hosts that were taken over get nothing of another's, stop none, and have nothing executed`(
            python: String
        ) throws {
            var inventory = try Inventory([
                "web01": ["evil": ["n81"]], "web02": ["honest": ["n82"]], "web03": ["evil": ["n83"]],
            ])
            let (taken, stolen) = ([Host.web01, .web03], String(repeating: "s", count: 43))
            defer { for host in taken { try? host.forgetAgent() } }
            #expect(try inventory.play("--tags", "letsencrypt_install").isFine)
            try withTemporaryDirectory { directory in
                let mark = directory + "/executed"
                let role = try chosenRole(in: directory, mark)
                for round in try attacks(stolen, mark, role) {
                    try Zone.clear()
                    try Host.web02.run("rm -rf /etc/letsencrypt-certs")
                    for (host, attack) in zip(taken, round) {
                        inventory.hostVariables[host.name] = ["letsencrypt_timeout": attack.timeout]
                        try put(attack.program, at: "/usr/local/libexec/acme-modules", on: host)
                    }
                    if python == Self.pythons.first {
                        let dry = try inventory.play("--skip-tags", "letsencrypt_install", "--check", python: python)
                        #expect(dry.recap["web02"]?.isFine == true, "\(dry)")
                    }
                    let run = try inventory.play("--skip-tags", "letsencrypt_install", python: python)
                    try expectHarmless(run, taken, round, stolen, mark)
                }
            }
        }

        /// A role that a host would have the bastion run.
        private func chosenRole(in directory: String, _ mark: String) throws -> String {
            let role = directory + "/chosen"
            for (part, text) in [
                ("tasks", "- command: touch \(mark)\n  delegate_to: localhost\n"), ("handlers", "[]\n"),
            ] {
                try FileManager.default.createDirectory(atPath: role + "/" + part, withIntermediateDirectories: true)
                try Data(text.utf8).write(to: URL(fileURLWithPath: "\(role)/\(part)/main.yml"))
            }
            return role
        }

        private func expectHarmless(
            _ run: PlaybookRun, _ taken: [Host], _ round: [Attack], _ stolen: String, _ mark: String
        ) throws {
            #expect(run.recap["web02"]?.isFine == true, "\(run)")
            for (host, attack) in zip(taken, round) {
                #expect(run.recap[host.name]?.failed == 1, "\(run)")
                #expect(attack.words.contains { run.sentences.contains($0) }, "\(attack.words) \(run)")
            }
            // Ansible 2.14 calls handlers tasks where other hosts have failed: what this one says counts.
            #expect(run.output.contains("honest is used"), "\(run)")
            #expect(run.handlers.isSubset(of: ["web02: honest"]), "\(run)")
            try InstalledCertificate(.web02, "n82").expectPromised()
            #expect(try !Host.nameServer.run("cat \(Zone.path)").contains(stolen))
            #expect(try !Zone.texts(Inventory.complete("n82")).contains(stolen))
            #expect(!FileManager.default.fileExists(atPath: mark))
            try Host.nameServer.run("[ ! -e \(mark) ]")
        }

        @Test(arguments: pythons)
        func
            `a host that gives itself variables when it is first asked gets no file of the bastion and ends no other's run`(
                python: String
            ) throws
        {
            var inventory = try Inventory(["web01": ["evil": ["n81"]], "web02": ["honest": ["n82"]]])
            inventory.hostVariables["web01"] = ["ansible_python_interpreter": "/root/python"]
            for host in [Host.web01, .web02] { try host.forgetAgent() }
            defer { try? Host.web01.forgetAgent() }
            try withTemporaryDirectory { directory in
                let file = directory + "/secret"
                let asked: [String: Any] = ["txt_required": [], "certificates": [["name": "x", "action": "finalize"]]]
                let program = try program(request: asked, finalize: ["changed": true, "updated": ["x"]])
                try Data(program.utf8).write(to: URL(fileURLWithPath: file))
                let facts: [String: Any] = [
                    "letsencrypt_certs": ["x": [try Inventory.complete("n82")]], "letsencrypt_binary": file,
                    "letsencrypt_known_handlers": ["letsencrypt updated x"],
                ]
                let text = String(
                    decoding: try JSONSerialization.data(withJSONObject: facts, options: [.withoutEscapingSlashes]),
                    as: UTF8.self)
                try put(
                    "#!/bin/sh\n/usr/bin/python3 \"$@\" | sed 's|^{|{\"ansible_facts\": \(text), |'\n",
                    at: "/root/python", on: .web01)
                let run = try inventory.play(python: python)
                #expect(run.recap["web01"]?.failed == 1, "\(run)")
                #expect(run.sentences.contains("web01 gave itself the variable letsencrypt_"), "\(run)")
                #expect(run.recap["web02"]?.isFine == true, "\(run)")
                #expect(run.handlers == ["web02: honest"], "\(run)")
                try Host.web01.run("[ ! -e /usr/local/libexec/acme-modules ]")
            }
        }
    }
}
