package import AnsibleModule
internal import Platform
internal import YAML

extension Options {
    /// The path and the bytes of a file that holds a secret, named by an option; nil where none is named. Others than
    /// its owner must have no access to it.
    package mutating func secretFile(_ option: String) throws(OptionError) -> (path: String, bytes: [UInt8])? {
        guard let path = try path(option) else { return nil }
        let status = try reading(option) { () throws(SystemError) in try Files.status(path) }
        let bytes = try reading(option) { () throws(SystemError) in try Files.read(path, limit: 1 << 20) }
        guard let status, let bytes else { throw invalid(option, "names \(path), which is not there") }
        guard status.access.mode & 0o077 == 0 else {
            let mode = String(status.access.mode, radix: 8)
            throw invalid(option, "names \(path), which has mode \(mode) but holds secrets: chmod 600 \(path)")
        }
        return (path, bytes)
    }

    /// The members of a YAML or JSON file that holds credentials, named by an option; nil where none is named.
    package mutating func credentials(_ option: String) throws(OptionError) -> Options? {
        guard let (path, bytes) = try secretFile(option) else { return nil }
        let document: JSONValue
        do throws(YAML.Failure) {
            document = try YAML.parse(bytes)
        } catch {
            throw invalid(option, "names \(path), which is neither YAML nor JSON: \(error)")
        }
        guard let members = document.object else { throw invalid(option, "names \(path), which holds no mapping") }
        return Options(members, path: self.path(of: option))
    }

    private func reading<Result>(
        _ option: String, _ body: () throws(SystemError) -> Result
    ) throws(OptionError) -> Result {
        do throws(SystemError) {
            return try body()
        } catch {
            throw invalid(option, "cannot be read: \(error)")
        }
    }
}
