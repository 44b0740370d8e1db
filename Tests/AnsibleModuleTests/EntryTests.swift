import AnsibleModule
import Platform
import TestSupport
import Testing

/// Says what it was called with.
private enum Echo: Module {
    static let name = "echo_options"
    static let emptyFields: [String: JSONValue] = ["words": []]

    static func run(_ invocation: Invocation) -> ModuleResult {
        var options = invocation.options
        do throws(OptionError) {
            let words = try options.strings("words")
            try options.rejectUnknown()
            let modes: JSONValue = ["check": .bool(invocation.checkMode), "diff": .bool(invocation.diffMode)]
            let fields = words.map { ["words": JSONValue.strings($0), "modes": modes] } ?? ["modes": modes]
            return ModuleResult(changed: !invocation.checkMode, msg: "echoed", fields: fields)
        } catch {
            return .failure(error.description)
        }
    }
}

private enum Silent: Module {
    static let name = "say_nothing"
    static func run(_ invocation: Invocation) -> ModuleResult { ModuleResult(changed: false, msg: "") }
}

/// The result for these arguments, whose "FILE" becomes the path of a file that holds `text`.
private func call(_ arguments: [String], _ text: String) throws -> ModuleResult {
    try withTemporaryDirectory { directory in
        let file = directory + "/args"
        try AtomicFile.write(Array(text.utf8), to: file, access: .own(mode: 0o600))
        let arguments = arguments.map { $0 == "FILE" ? file : $0 }
        return Entry.result(arguments: arguments, modules: [Echo.self, Silent.self])
    }
}

@Suite struct EntryTests {
    @Test func `the module is the first argument before the program's name before Ansible's`() throws {
        let named = #"{"_ansible_module_name": "ns.coll.echo_options"}"#
        #expect(try call(["/x/acme-modules", "echo_options", "FILE"], "{}").msg == "echoed")
        #expect(try call(["/x/acme-modules", "ns.coll.echo_options", "FILE"], "{}").msg == "echoed")
        #expect(try call(["/x/say_nothing", "echo_options", "FILE"], "{}").msg == "echoed")
        #expect(try call(["/x/AnsiballZ_echo_options", "FILE"], "{}").msg == "echoed")
        #expect(try call(["/x/AnsiballZ_say_nothing", "FILE"], named).msg == "")
        #expect(try call(["/x/acme-modules", "FILE"], named).msg == "echoed")
    }

    @Test func `a call that names no module of the program lists those it has`() throws {
        #expect(
            try call(["acme-modules", "nonsense", "FILE"], "{}").msg
                == "there is no module nonsense in this program; it has echo_options, say_nothing")
        #expect(
            try call(["acme-modules", "FILE"], #"{"_ansible_module_name": "ping"}"#).msg
                == "there is no module ping in this program; it has echo_options, say_nothing")
        let unnamed = try call(["acme-modules", "FILE"], "{}")
        #expect(unnamed.failed)
        #expect(unnamed.msg.hasSuffix("this program has echo_options, say_nothing"))
    }

    @Test func `a module without a file says so`() throws {
        #expect(try call(["acme-modules", "echo_options"], "{}").msg == "no arguments file was given to echo_options")
    }

    @Test func `Ansible's modes reach the module`() throws {
        let result = try call(
            ["acme-modules", "echo_options", "FILE"],
            #"{"words": "a,b", "_ansible_check_mode": true, "_ansible_diff": true, "_ansible_tmpdir": null}"#)
        #expect(!result.changed)
        #expect(result.fields == ["words": ["a", "b"], "modes": ["check": true, "diff": true]])
    }

    @Test func `a failure has the fields of the module too`() throws {
        for text in ["{", "[]", #"{"wrods": 1}"#] {
            let result = try call(["acme-modules", "echo_options", "FILE"], text)
            #expect(result.failed)
            #expect(!result.changed)
            #expect(result.fields["words"] == [])
        }
    }

    @Test func `files that hold no options are told apart`() throws {
        #expect(try call(["a", "say_nothing", "FILE"], "{").msg.hasSuffix("is not valid JSON"))
        #expect(try call(["a", "say_nothing", "FILE"], "3").msg.hasSuffix("must hold a mapping, not a number"))
        #expect(
            try call(["a", "say_nothing", "/nowhere/args"], "").msg
                == "the arguments file /nowhere/args is not there")
        #expect(try call(["a", "say_nothing", "/etc"], "").msg.contains("cannot read /etc: Is a directory"))
    }

    @Test func `the three fields of every result cannot be replaced`() {
        let result = ModuleResult(changed: true, msg: "m", fields: ["changed": false, "msg": "x", "failed": true])
        #expect(result.json == ["changed": true, "failed": false, "msg": "m"])
    }
}
