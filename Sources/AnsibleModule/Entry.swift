internal import Glibc
internal import Platform

/// The way from a process's arguments to one JSON document and an exit status.
package enum Entry {
    /// Runs what `arguments` (with the program's own name first) ask for and returns the exit status: 0, or 1 where
    /// the result is a failure. `version` is what `--version` prints.
    package static func run(
        arguments: [String], modules: [any Module.Type], version: @autoclosure () -> String
    ) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        switch arguments.dropFirst().first {
        case "--version": return say(Array(version().utf8)) ? 0 : 1
        case "--help", nil: return say(Array(usage(modules).utf8)) ? 0 : 1
        default: break
        }
        let result = result(arguments: arguments, modules: modules)
        guard say(result.json.bytes) else { return 1 }
        result.whenWritten()
        return result.failed ? 1 : 0
    }

    /// The result of the module that the arguments name, or the failure to find it or to read its options.
    package static func result(arguments: [String], modules: [any Module.Type]) -> ModuleResult {
        let selection = Selection(modules: modules)
        let named: (any Module.Type)?
        let members: [String: JSONValue]
        do throws(Selection.Failure) {
            named = try selection.module(arguments: arguments)
        } catch {
            return .failure(error.description)
        }
        do throws(Selection.Failure) {
            members = try Selection.options(file: arguments.last ?? "")
        } catch {
            return .failure(error.description).completed(with: named?.emptyFields ?? [:])
        }
        do throws(Selection.Failure) {
            let module = try selection.module(named, orAnsibleName: members["_ansible_module_name"]?.string)
            return module.run(Invocation(arguments: consume members)).completed(with: module.emptyFields)
        } catch {
            return .failure(error.description)
        }
    }

    private static func usage(_ modules: [any Module.Type]) -> String {
        """
        usage: acme-modules MODULE FILE    run an Ansible module with the options in a JSON file
               acme-modules --version      print the versions of this program and of its libraries
               acme-modules --help         print this text

        modules: \(modules.map { $0.name }.joined(separator: ", "))
        MODULE may be left out where the program is called by a module's name.
        """
    }

    /// Writes a text and the end of its line; tells whether it could.
    private static func say(_ text: consuming [UInt8]) -> Bool {
        text.append(0x0a)
        var rest = text[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
