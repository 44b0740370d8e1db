internal import AnsibleModule
internal import Platform

/// What becomes of one host's file.
struct WrittenHost {
    let host: PlannedFile
    let path: String
    var outcome: Outcome = .unchanged
    private var before: [String] = []
    private var after: [String] = []

    enum Outcome {
        case unchanged
        case changed(Secret<[UInt8]>)
        case failed(String)
    }

    init(host: PlannedFile, path: String) {
        self.host = host
        self.path = path
        if case .failure(let error) = host.content { outcome = .failed(error.description) }
    }

    mutating func compare(with contents: Secret<[UInt8]>) {
        do throws(SystemError) {
            let status = try Files.status(path)
            let present = status?.kind == .file ? try Files.read(path) : nil
            before = present.map(HieraFile.summary) ?? []
            after = HieraFile.summary(of: contents.revealed)
            let isAsWanted = present == contents.revealed && status?.access == Self.access
            outcome = isAsWanted ? .unchanged : .changed(contents)
        } catch {
            outcome = .failed(error.description)
        }
    }

    private static var access: FileAccess { .own(mode: 0o600) }

    /// The same after the file was written, where it has to be.
    func written() -> WrittenHost {
        guard case .changed(let contents) = outcome else { return self }
        var written = self
        do throws(SystemError) {
            try AtomicFile.write(contents.revealed, to: path, access: Self.access)
        } catch {
            written.outcome = .failed(error.description)
        }
        return written
    }

    var isChanged: Bool { if case .changed = outcome { true } else { false } }

    var failure: String? { if case .failed(let sentence) = outcome { sentence } else { nil } }

    var json: JSONValue {
        [
            "name": .string(host.name), "path": .string(path), "changed": .bool(isChanged),
            "error": .optional(failure), "variables": .strings(host.entries.flatMap(\.variables.all)),
            "certificates": .strings(host.certificates),
        ]
    }

    static func diff(of hosts: [WrittenHost]) -> JSONValue {
        func text(_ lines: (WrittenHost) -> [String]) -> String {
            hosts.filter(\.isChanged).flatMap { host in lines(host).map { "\(host.host.name) \($0)\n" } }.joined()
        }
        return [
            "before": .string(text(\.before)), "after": .string(text(\.after)),
            "before_header": "certificates in hiera", "after_header": "certificates in hiera",
        ]
    }
}
