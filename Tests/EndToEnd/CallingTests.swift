import Foundation
import Testing

extension TheFiveSteps {
    /// The modules themselves, in every way in which Ansible calls a module: Tests/Playbooks/calling.yaml.
    @Suite struct Calling {
        @Test(arguments: [".venv", ".venv-oldest"], ["true", "false"])
        func `every way to call a module works, with the newest Ansible and the oldest, with and without pipelining`(
            python: String, pipelining: String
        ) throws {
            let inventory = try Inventory(["web02": [:]])
            try #require(try inventory.play("--tags", "letsencrypt_install").isFine)
            let run = try inventory.written { path in
                try Inventory.run(
                    ["ansible-playbook", "-i", path, Lab.root + "/Tests/Playbooks/calling.yaml", "-v"],
                    python: python, settings: ["ANSIBLE_PIPELINING": pipelining])
            }
            #expect(run.isFine, "\(run)")
            #expect(run.output.components(separatedBy: "the output has been hidden").count == 2, "\(run)")
            try expectCommands(pipelining == "true" ? 1...1 : 2...9, inventory, python, pipelining)
        }

        /// How many commands of a connection one call needs.
        private func expectCommands(
            _ count: ClosedRange<Int>, _ inventory: Inventory, _ python: String, _ pipelining: String
        ) throws {
            let call = try inventory.written { path in
                try Inventory.run(
                    ["ansible", "-vvv", "-i", path, "web02", "-m", "acme_finalize"],
                    python: python, settings: ["ANSIBLE_PIPELINING": pipelining])
            }
            #expect(call.output.contains("certs is missing"), "\(call)")
            #expect(count.contains(call.output.components(separatedBy: "SSH: EXEC").count - 1), "\(call)")
        }
    }
}
