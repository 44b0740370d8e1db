/// One Ansible module of this program.
package protocol Module {
    /// The name that playbooks call it by.
    static var name: String { get }

    /// The fields that every result has, a failure before the first effect too, with their empty values.
    static var emptyFields: [String: JSONValue] { get }

    /// Does the module's work. In check mode it changes nothing anywhere and says what it would do.
    /// The options are the module's own, so that long ones need not be there twice, as they were given and as it read
    /// them.
    static func run(_ invocation: consuming Invocation) -> ModuleResult
}

extension Module {
    package static var emptyFields: [String: JSONValue] { [:] }
}

/// What Ansible asks for.
package struct Invocation: Sendable {
    package var options: Options
    package let checkMode: Bool
    package let diffMode: Bool

    package init(options: Options, checkMode: Bool = false, diffMode: Bool = false) {
        self.options = options
        self.checkMode = checkMode
        self.diffMode = diffMode
    }

    /// From the members of the arguments file, Ansible's own `_ansible_*` among them.
    init(arguments: [String: JSONValue]) {
        self.init(
            options: Options(arguments),
            checkMode: arguments["_ansible_check_mode"].flatMap(Coercion.boolean) ?? false,
            diffMode: arguments["_ansible_diff"].flatMap(Coercion.boolean) ?? false)
    }
}

/// What a module tells Ansible.
package struct ModuleResult: Sendable {
    package let changed: Bool
    package let failed: Bool
    package let msg: String
    package private(set) var fields: [String: JSONValue]
    /// What is left to do once the result is written; left undone where it cannot be.
    package var whenWritten: @Sendable () -> Void = {}

    package init(changed: Bool, msg: String, failed: Bool = false, fields: [String: JSONValue] = [:]) {
        self.changed = changed
        self.failed = failed
        self.msg = msg
        self.fields = fields
    }

    /// A failure; `changed` where something was changed before it.
    package static func failure(
        _ msg: String, changed: Bool = false, fields: [String: JSONValue] = [:]
    ) -> ModuleResult {
        ModuleResult(changed: changed, msg: msg, failed: true, fields: fields)
    }

    /// The same result with `defaults` for the fields that it does not have.
    func completed(with defaults: [String: JSONValue]) -> ModuleResult {
        var result = self
        result.fields.merge(defaults) { own, _ in own }
        return result
    }

    /// The JSON document for Ansible.
    package var json: JSONValue {
        .object(fields.merging(["changed": .bool(changed), "failed": .bool(failed), "msg": .string(msg)]) { $1 })
    }
}
