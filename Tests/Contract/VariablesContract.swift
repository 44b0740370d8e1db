import Foundation
import Testing

@Suite struct VariablesContract {
    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(RealProgram.root)/\(path)", encoding: .utf8)
    }

    /// The variables in a role's argument specification: whoever writes `letsencrypt_timer_` finds them in its README.
    private func variables(of role: String) throws -> [String] {
        try text("roles/\(role)/meta/argument_specs.yml").matches(of: /(?m)^ +(letsencrypt_[a-z_]+):$/).map {
            String($0.1)
        }
    }

    @Test func `every variable of the roles is found by what somebody wants`() throws {
        let page = try text("docs/variables.md")
        let roles = try FileManager.default.contentsOfDirectory(atPath: "\(RealProgram.root)/roles")
        for role in roles where role != "letsencrypt_timer" {
            let variables = try variables(of: role)
            #expect(!variables.isEmpty, "\(role) has no variables")
            for variable in Set(variables) {
                #expect(page.firstMatch(of: try Regex("\(variable)\\b")) != nil, "docs/variables.md lacks \(variable)")
            }
        }
    }
}
