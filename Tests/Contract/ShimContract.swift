import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

@Suite struct ShimContract {
    private static let installed = "/usr/local/libexec/acme-modules"

    /// A module's shim, with another path in place of the installed program's.
    private func shim(_ module: ModuleContract, program: String, in directory: String) throws -> String {
        let source = try String(
            contentsOfFile: "\(RealProgram.root)/ansible/library/\(module.rawValue)", encoding: .utf8)
        #expect(source.contains(Self.installed))
        let path = "\(directory)/AnsiballZ_\(module.rawValue)"
        let text = source.replacingOccurrences(of: "p=\(Self.installed)", with: "p=\(program)")
        try AtomicFile.write(Array(text.utf8), to: path, access: .own(mode: 0o700))
        return path
    }

    @Test(arguments: ModuleContract.allCases)
    func `a shim is a small executable text that Ansible gives JSON to`(module: ModuleContract) throws {
        let path = "\(RealProgram.root)/ansible/library/\(module.rawValue)"
        let status = try #require(try Files.status(path))
        #expect(status.access.mode & 0o111 == 0o111)
        #expect(status.size < 1000)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.hasPrefix("#!/bin/sh\n"))
        #expect(text.prefix(1024).contains("WANT_JSON"))
    }

    @Test(arguments: ModuleContract.allCases)
    func `a shim hands its file to the module of its name`(module: ModuleContract) throws {
        try withTemporaryDirectory { directory in
            let shim = try shim(module, program: try RealProgram.path(), in: directory)
            let answer = try RealProgram.run([shim], text: hermetic(directory, ["zzzzzz": 1]).rendered)
            #expect(answer.failed)
            #expect(["is missing", "is unknown"].contains { answer.msg.contains($0) }, "\(answer.msg)")
            module.expectLists(in: answer)
        }
    }

    @Test(arguments: ModuleContract.allCases)
    func `without the program a shim fails with the role to run`(module: ModuleContract) throws {
        try withTemporaryDirectory { directory in
            let shim = try shim(module, program: directory + "/nothing", in: directory)
            let answer = try RealProgram.run([shim], text: #"{"_ansible_check_mode": false}"#)
            #expect(answer.failed)
            #expect(answer["skipped"] == nil)
            #expect(answer.msg.contains("letsencrypt_install"))
            module.expectLists(in: answer)
        }
    }

    @Test(arguments: ModuleContract.allCases)
    func `without the program a shim skips under check mode`(module: ModuleContract) throws {
        try withTemporaryDirectory { directory in
            let shim = try shim(module, program: directory + "/nothing", in: directory)
            let answer = try RealProgram.run([shim], text: #"{"name": "x", "_ansible_check_mode": true}"#)
            #expect(!answer.failed)
            #expect(answer["skipped"] == true)
            module.expectLists(in: answer)
        }
    }

    @Test func `a value that looks like check mode is not check mode`() throws {
        try withTemporaryDirectory { directory in
            let shim = try shim(.finalize, program: directory + "/nothing", in: directory)
            let options: JSONValue = ["name": "\"_ansible_check_mode\": true", "_ansible_check_mode": false]
            #expect(try RealProgram.run([shim], text: options.rendered).failed)
        }
    }
}
