import Foundation
import TestSupport
import Testing

extension TheFiveSteps {
    /// `playbooks/letsencrypt-report.yaml` over real hosts.
    @Suite struct Reporting {
        /// The sentences of what needs somebody, each by "state subject".
        private static func attention(_ inventory: Inventory, in directory: String) throws -> [String: String] {
            struct Report: Decodable {
                struct Group: Decodable {
                    let state: String
                    let sentence: String
                    let subjects: [String]
                }
                let attention: [Group]
            }
            let run = try inventory.written { path in
                try Inventory.run([
                    "ansible-playbook", "-i", path, Lab.root + "/playbooks/letsencrypt-report.yaml",
                    "-e", "letsencrypt_report_path=\(directory)",
                ])
            }
            try #require(run.isFine, "\(run)")
            let found = try Data(contentsOf: URL(fileURLWithPath: directory + "/report.json"))
            let groups = try JSONDecoder().decode(Report.self, from: found).attention
            let said = groups.flatMap { group in group.subjects.map { ("\(group.state) \($0)", group.sentence) } }
            return Dictionary(said) { $1 }
        }

        /// Serves what is installed now on a host, as a service that is never told of a renewal.
        private static func serve(_ first: String, on host: Host, port: Int) throws -> String {
            try host.run(
                """
                cd /etc/letsencrypt-certs/"$1"
                setsid openssl s_server -accept "$2" -cert "$1.cer" -cert_chain ca.cer -key "$1.key" -quiet \\
                    </dev/null >/dev/null 2>&1 &
                echo $!
                """, Inventory.complete(first), "\(try host.address):\(port)"
            ).trimmingCharacters(in: .whitespacesAndNewlines)
        }

        @Test func `the report tells what failed, what is served stale, and which host is down`() throws {
            var inventory = try Inventory([
                "web01": ["served": ["n57"], "refused": ["blocked"]], "web09": ["never": ["n58"]],
            ])
            let endpoint = "\(try Host.web01.address):8443"
            let root = "/etc/ssl/root-of-the-report.pem"
            try Host.web01.run("cat >$1", root, input: CA.main.root)
            inventory.hostVariables["web01"] = [
                "letsencrypt_report_endpoints": [["host": endpoint, "certificate": "served"]],
                "letsencrypt_report_ca_path": root,
            ]
            _ = try inventory.play()
            let service = try Self.serve("n57", on: .web01, port: 8443)
            defer { _ = try? Host.web01.run("kill $1", service) }

            try withTemporaryDirectory { directory in
                let before = try Self.attention(inventory, in: directory)
                #expect(Set(before.keys) == ["missing web01 · refused", "host unreachable web09"], "\(before)")
                #expect(before["missing web01 · refused"]?.contains("rejectedIdentifier") == true, "\(before)")

                _ = try inventory.play("-e", "letsencrypt_force=true")
                let after = try Self.attention(inventory, in: directory)
                #expect(Set(after.keys) == Set(before.keys).union(["stale web01 · \(endpoint)"]), "\(after)")
                #expect(after["stale web01 · \(endpoint)"]?.hasSuffix("reload the service") == true, "\(after)")
            }
        }
    }
}
