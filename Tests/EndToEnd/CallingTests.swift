import Foundation
import Testing

extension TheFiveSteps {
    /// The modules themselves, in every way in which Ansible calls a module: Tests/Playbooks/calling.yaml.
    @Suite struct Calling {
        @Test(arguments: [".venv", ".venv-oldest"])
        func `every way to call a module works, with the newest Ansible and with the oldest`(python: String) throws {
            let inventory = try Inventory(["web02": [:]])
            try #require(try inventory.play("--tags", "letsencrypt_install").isFine)
            let run = try inventory.written { path in
                try Inventory.run(
                    ["ansible-playbook", "-i", path, Lab.root + "/Tests/Playbooks/calling.yaml", "-v"],
                    python: python)
            }
            #expect(run.isFine, "\(run)")
            #expect(run.output.components(separatedBy: "the output has been hidden").count == 2, "\(run)")
        }
    }
}
