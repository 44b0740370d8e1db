import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// A module is known by the sentence with which it refuses an option that no module has.
private func expectModule(
    _ module: ModuleContract, _ answer: RealProgram.Answer, at location: SourceLocation = #_sourceLocation
) {
    #expect(answer.failed, sourceLocation: location)
    module.expectLists(in: answer, at: location)
}

/// Options that every module refuses before it touches anything.
private let nonsense = #"{"zzzzzz": 1}"#

@Suite struct SelectionContract {
    @Test(arguments: ModuleContract.allCases)
    func `the first argument names the module, fully qualified too`(module: ModuleContract) throws {
        let program = try RealProgram.path()
        expectModule(module, try RealProgram.run([program, module.rawValue], text: nonsense))
        expectModule(module, try RealProgram.run([program, "infra.acme." + module.rawValue], text: nonsense))
    }

    @Test(arguments: ModuleContract.allCases)
    func `a link or a copy under a module's name is that module`(module: ModuleContract) throws {
        try withTemporaryDirectory { directory in
            let program = try RealProgram.path()
            let link = "\(directory)/\(module.rawValue)"
            let copy = "\(directory)/AnsiballZ_\(module.rawValue)"
            try AtomicFile.link(link, to: program)
            try FileManager.default.copyItem(atPath: program, toPath: copy)
            expectModule(module, try RealProgram.run([link], text: nonsense))
            expectModule(module, try RealProgram.run([copy], text: nonsense))
        }
    }

    @Test(arguments: ModuleContract.allCases)
    func `Ansible's own key names the module, fully qualified too`(module: ModuleContract) throws {
        let program = try RealProgram.path()
        for name in [module.rawValue, "infra.acme." + module.rawValue] {
            let options: JSONValue = ["_ansible_module_name": .string(name), "zzzzzz": 1]
            expectModule(module, try RealProgram.run([program], text: options.rendered))
        }
    }

    @Test func `the first argument wins over the name, and the name over Ansible's key`() throws {
        try withTemporaryDirectory { directory in
            let link = directory + "/acme_finalize"
            try AtomicFile.link(link, to: try RealProgram.path())
            let options: JSONValue = ["_ansible_module_name": "acme_request_tokens"]
            let byArgument = try RealProgram.run([link, "acme_request_tokens"], text: nonsense)
            #expect(byArgument["txt_required"] != nil)
            let byName = try RealProgram.run([link], text: options.rendered)
            #expect(byName["updated"] != nil)
        }
    }

    @Test func `a module that does not exist is a failure that lists those that do`() throws {
        let answer = try RealProgram.call("acme_nonsense", [:])
        #expect(answer.failed)
        #expect(answer.msg.contains("acme_nonsense"))
        for module in ModuleContract.allCases { #expect(answer.msg.contains(module.rawValue)) }
    }

    @Test func `the versions of the program and of its libraries are printed`() throws {
        let result = try Program.run([try RealProgram.path(), "--version"])
        #expect(result.status == 0)
        let lines = result.stdout.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.first?.hasPrefix("acme-modules ") == true)
        #expect(lines.contains { $0.hasPrefix("OpenSSL 3.") })
        #expect(lines.contains { $0.hasPrefix("libcurl/") })
    }

    @Test func `help lists the modules`() throws {
        let result = try Program.run([try RealProgram.path(), "--help"])
        #expect(result.status == 0)
        for module in ModuleContract.allCases { #expect(result.stdout.contains(module.rawValue)) }
    }

    @Test func `output that nobody reads ends the program quietly`() throws {
        let result = try Program.run(["sh", "-c", "{ \"$0\" --help; echo $? >&2; } | true", try RealProgram.path()])
        #expect(["0\n", "1\n"].contains(result.stderr))
    }
}
