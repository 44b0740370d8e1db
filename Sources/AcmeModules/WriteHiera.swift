package import AnsibleModule
internal import FoundationEssentials
internal import Names
internal import PKI
internal import Platform
internal import Store

/// The legacy path's last step (S19): the certificates of each host, with their keys, in one YAML file that Puppet looks
/// up through hiera.
package enum WriteHiera: Module {
    package static let name = "acme_write_hiera"
    package static let emptyFields: [String: JSONValue] = [
        "hosts": [], "certs": [:], "updated": [], "orphaned": [], "warnings": [],
    ]

    package static func run(_ invocation: Invocation) -> ModuleResult {
        do {
            let options = try WriteHieraOptions(invocation)
            if options.isPlanOnly { return options.planned }
            let run = HieraRun(options: options, now: SystemClock().now)
            if invocation.checkMode { return try run.report(run.inspect()) }
            let deadline = Deadline(seconds: Double(options.timeout), clock: SystemClock())
            return try run.perform(until: deadline)
        } catch {
            return .failure("\(error)")
        }
    }
}

extension WriteHieraOptions {
    /// What the hosts need, without a look at what is there. Hosts that cannot be served are said with the others.
    fileprivate var planned: ModuleResult {
        let written = hosts.map { WrittenHost(host: $0, path: path + "/" + $0.fileName) }
        let failures = written.compactMap { host in host.failure.map { "host \(host.host.name): \($0)" } }
        return ModuleResult(
            changed: false, msg: failures.isEmpty ? "\(hosts.count) hosts" : failures.joined(separator: "; "),
            fields: ["hosts": .array(written.map(\.json)), "certs": plan.requests(for: hosts)])
    }
}

/// One call of `acme_write_hiera`.
private struct HieraRun {
    let options: WriteHieraOptions
    let now: Date

    func perform(until deadline: Deadline) throws -> ModuleResult {
        let found = inspect()
        guard found.contains(where: \.isChanged) else { return try report(found) }
        try Files.makeDirectory(options.path, access: .own(mode: 0o700))
        let lock = try FileLock(options.path + "/.lock", purpose: WriteHiera.name, deadline: deadline)
        return try lock.whileHeld {
            // Of runs that were killed, keys among them; whoever holds the lock knows that nobody writes them.
            for name in try Files.list(options.path) where AtomicFile.isTemporary(name) {
                try Files.remove(options.path + "/" + name)
            }
            return try report(inspect().map { $0.written() })
        }
    }

    /// Reads and verifies the certificates of each host, and compares with the file that is there.
    func inspect() -> [WrittenHost] {
        options.hosts.map { host in
            var written = WrittenHost(host: host, path: options.path + "/" + host.fileName)
            guard written.failure == nil else { return written }
            do {
                written.compare(with: try contents(of: host))
            } catch {
                written.outcome = .failed("\(error)")
            }
            return written
        }
    }

    private func contents(of host: PlannedFile) throws -> Secret<[UInt8]> {
        var file = HieraFile()
        for entry in host.entries {
            do {
                let installed = try installed(entry)
                try installed.chain.validate(
                    names: Set(entry.certificate.names), key: installed.key, now: now)
                try file.append(entry.variables, installed.chain, installed.key)
            } catch {
                throw StoreError("certificate \(entry.key): \(error); its file is left as it is")
            }
        }
        return try file.rendered()
    }

    private func installed(_ entry: PlannedFile.Entry) throws(StoreError) -> InstalledCertificate {
        switch try entry.certificate.store.installation(of: entry.certificate.firstName) {
        case .complete(let installed): return installed
        case .unusable(let reason): throw StoreError(reason)
        }
    }

    func report(_ hosts: [WrittenHost]) throws(SystemError) -> ModuleResult {
        let known = Set(options.plan.hosts.map(\.name))
        let orphaned = try Files.list(options.path).filter {
            $0.hasSuffix(HieraHost.suffix) && !known.contains(String($0.dropLast(HieraHost.suffix.count)))
        }.map { options.path + "/" + $0 }
        let updated = hosts.filter(\.isChanged).map(\.host.name)
        var fields: [String: JSONValue] = [
            "hosts": .array(hosts.map(\.json)), "certs": options.plan.requests(for: options.hosts),
            "updated": .strings(updated), "orphaned": .strings(orphaned),
            "warnings": .strings(
                orphaned.map { "\($0) belongs to no host of the inventory: remove it when nothing needs it any more" }),
        ]
        if !updated.isEmpty { fields["diff"] = WrittenHost.diff(of: hosts) }
        let failures = hosts.compactMap { host in host.failure.map { "host \(host.host.name): \($0)" } }
        let summary = updated.isEmpty ? "nothing to do" : "written: " + updated.joined(separator: ", ")
        return ModuleResult(
            changed: !updated.isEmpty, msg: failures.isEmpty ? summary : failures.joined(separator: "; "),
            failed: !failures.isEmpty, fields: fields)
    }
}
