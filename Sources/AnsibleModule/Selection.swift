internal import Platform

/// Which module a call means, and with which options.
struct Selection {
    enum Failure: Error, CustomStringConvertible {
        case unknownModule(String, known: [String])
        case unnamedModule(known: [String])
        case noFile(module: String)
        case unreadable(SystemError)
        case missing(path: String)
        case notText(path: String)
        case notJSON(path: String)
        case notMapping(path: String, kind: String)

        var description: String {
            switch self {
            case .unknownModule(let name, let known):
                "there is no module \(name) in this program; it has \(known.joined(separator: ", "))"
            case .unnamedModule(let known):
                "no module is named by the first argument, the program's name or _ansible_module_name; "
                    + "this program has \(known.joined(separator: ", "))"
            case .noFile(let module): "no arguments file was given to \(module)"
            case .unreadable(let error): "\(error.description); it should be the arguments file"
            case .missing(let path): "the arguments file \(path) is not there"
            case .notText(let path): "the arguments file \(path) is not UTF-8 text"
            case .notJSON(let path): "the arguments file \(path) is not valid JSON"
            case .notMapping(let path, let kind): "the arguments file \(path) must hold a mapping, not \(kind)"
            }
        }
    }

    let modules: [any Module.Type]

    private var known: [String] { modules.map { $0.name } }

    /// The module that the first argument names where a file follows it, else the program's own name; nil where
    /// neither does, so that the arguments file has to.
    func module(arguments: [String]) throws(Failure) -> (any Module.Type)? {
        if arguments.count > 2 {
            guard let module = module(named: arguments[1]) else {
                throw .unknownModule(arguments[1], known: known)
            }
            return module
        }
        if arguments.count == 2, let module = module(named: arguments[1]) { throw .noFile(module: module.name) }
        return module(named: Self.ownName(arguments[0]))
    }

    /// The module that was found already, else the one that Ansible names in the arguments file.
    func module(
        _ found: (any Module.Type)?, orAnsibleName name: String?
    ) throws(Failure) -> any Module.Type {
        if let found { return found }
        guard let name else { throw .unnamedModule(known: known) }
        guard let module = module(named: name) else { throw .unknownModule(name, known: known) }
        return module
    }

    /// `name` may be fully qualified: `namespace.collection.module`.
    private func module(named name: String) -> (any Module.Type)? {
        let short = name.split(separator: ".").last.map { String($0) }
        return modules.first { $0.name == short }
    }

    /// The file name in `argv[0]`, without the prefix that Ansible puts before what it copies.
    private static func ownName(_ path: String) -> String {
        let file = path.split(separator: "/").last ?? ""
        let prefix = "AnsiballZ_"
        return String(file.hasPrefix(prefix) ? file.dropFirst(prefix.count) : file)
    }

    /// The members of the mapping in an arguments file of at most 16 MiB.
    static func options(file path: String) throws(Failure) -> [String: JSONValue] {
        let read: [UInt8]?
        do throws(SystemError) {
            read = try Files.read(path)
        } catch {
            throw .unreadable(error)
        }
        guard let bytes = read else { throw .missing(path: path) }
        guard let value = JSONValue.parse(bytes) else {
            throw bytes.isUTF8 ? .notJSON(path: path) : .notText(path: path)
        }
        guard case .object(let members) = value else { throw .notMapping(path: path, kind: value.kind) }
        return members
    }
}
