import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

@Suite struct ShimContract {
    private static let installed = "/usr/local/libexec/acme-modules"
    /// What Ansible replaces by the options, as JSON in one line.
    private static let mark = "<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>"

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
        #expect(status.size < 1100)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.hasPrefix("#!/bin/sh\n"))
        #expect(text.prefix(1024).contains("WANT_JSON"))
        #expect(text.components(separatedBy: Self.mark).count == 2)
    }

    /// What a shell would read in a line of its own.
    private static let hostile = #"'"\ $(touch x) `touch x` ${HOME} END"#

    @Test(arguments: ["dash", "bash"], [0, 300_000])
    func `the program gets the options that Ansible wrote into a shim, whatever they hold`(shell: String, length: Int)
        throws
    {
        try withTemporaryDirectory { directory in
            let shim = try shim(.finalize, program: directory + "/program", in: directory)
            let program = "#!/bin/sh\necho \"$1 in $TMPDIR\"; exec cat \"$2\"\n"
            try AtomicFile.write(Array(program.utf8), to: directory + "/program", access: .own(mode: 0o700))
            let options: JSONValue = [
                .init(stringLiteral: Self.hostile): .string(String(repeating: "x", count: length))
            ]
            let text = try String(contentsOfFile: shim, encoding: .utf8)
                .replacingOccurrences(of: Self.mark, with: options.rendered)
            let files = directory + "/files"
            let run = try Program.run(
                ["sh", "-euc", "cat | strace -f -qq -e trace=openat -o \"$1\" \"$2\"", "sh", files, shell],
                input: Array(text.utf8), environment: ["HOME": directory, "TMPDIR": "/tmp"], directory: directory)
            #expect(run.stdout == "acme_finalize in /tmp\n\(options.rendered)\n")
            let made = try String(contentsOfFile: files, encoding: .utf8).split(separator: "\n")
                .filter { $0.contains("O_CREAT") && !$0.contains("\"\(directory)/") }
            #expect(made == [])
        }
    }

    @Test(arguments: ModuleContract.allCases)
    func `with the options in it a shim answers as with a file of them`(module: ModuleContract) throws {
        try withTemporaryDirectory { directory in
            for program in [try RealProgram.path(), directory + "/nothing"] {
                for options in [hermetic(directory, ["zzzzzz": 1]), ["_ansible_check_mode": true]] {
                    let shim = try shim(module, program: program, in: directory)
                    let answer = try RealProgram.run([shim], text: options.rendered)
                    let text = try String(contentsOfFile: shim, encoding: .utf8)
                        .replacingOccurrences(of: Self.mark, with: options.rendered)
                    let piped = try Program.run(["sh"], input: Array(text.utf8))
                    #expect(piped.stdout == answer.text)
                }
            }
        }
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
