internal import ACME
package import AnsibleModule
internal import FoundationEssentials
internal import HTTP
internal import Names
internal import PKI
internal import Platform
internal import Store

/// Has the CA revoke a certificate. Its files stay as they are; the next request step obtains a new one.
package enum Revoke: Module {
    package static let name = "acme_revoke"
    package static let emptyFields: [String: JSONValue] = [
        "domains": [], "deactivated": [], "serial": nil, "reason": nil,
    ]

    package static func run(_ invocation: Invocation) -> ModuleResult {
        do {
            let options = try RevokeOptions(invocation)
            let deadline = Deadline(seconds: Double(options.timeout), clock: SystemClock())
            let run = try RevocationRun(options, deadline)
            guard let work = run.work else { return run.report(.none) }
            try work.checkSigner()
            if invocation.checkMode { return run.report(work.prediction) }
            let lock = try StateDirectory(path: options.statePath).lock(purpose: name, deadline: deadline)
            return try lock.whileHeld { try run.perform(work) }
        } catch {
            return .failure("\(error)")
        }
    }
}

/// One call of `acme_revoke`.
private struct RevocationRun {
    let options: RevokeOptions
    let subject: RevocationSubject
    let deadline: Deadline

    init(_ options: RevokeOptions, _ deadline: Deadline) throws {
        self.options = options
        self.deadline = deadline
        subject = try RevocationSubject(options)
    }

    /// What was done.
    struct Done {
        var isRevoked = false
        /// The CA had revoked it before.
        var wasRevoked = false
        var deactivated: [String] = []

        static let none = Done()
    }

    private var note: RevocationNote? {
        subject.place?.installed.revocation.flatMap { $0.names(subject.leaf) ? $0 : nil }
    }

    /// Nil where another certificate is meant, and where the note beside this one says that all of it has been done:
    /// asking for another reason is a wish of its own.
    var work: RevocationWork? {
        guard subject.isMeant else { return nil }
        let isRevocationDue = note.map { options.reason != .unspecified && options.reason != $0.reason } ?? true
        let areAuthorizationsDue = options.endsAuthorizations && note?.endedAuthorizations != true
        guard isRevocationDue || areAuthorizationsDue else { return nil }
        return RevocationWork(
            options: options, subject: subject, isRevocationDue: isRevocationDue,
            areAuthorizationsDue: areAuthorizationsDue)
    }

    func perform(_ work: RevocationWork) throws -> ModuleResult {
        var done = Done()
        do {
            let transport = try CurlTransport(caBundle: options.caPath, userAgent: Version.userAgent)
            let session = CASession(options.directory, transport: transport, deadline: deadline)
            if work.isRevocationDue {
                done.isRevoked = try work.revoke(session) == .revoked
                done.wasRevoked = !done.isRevoked
                try keep(endedAuthorizations: note?.endedAuthorizations ?? false)
            }
            if work.areAuthorizationsDue {
                let ended = try work.endAuthorizations(session)
                done.deactivated = ended.names
                if let failure = ended.failure { throw failure }
                try keep(endedAuthorizations: true)
            }
            return report(done)
        } catch {
            return report(done, failure: "\(error)")
        }
    }

    /// Notes the revocation beside the certificate, so that the next request step replaces it, and with a compromised
    /// key beside those that have the key as well.
    private func keep(endedAuthorizations: Bool) throws {
        let reason = options.reason == .unspecified ? note?.reason ?? .unspecified : options.reason
        let note = RevocationNote(
            of: subject.leaf, because: reason, on: note?.date ?? deadline.clock.now,
            endedAuthorizations: endedAuthorizations)
        let others = note.reason == .keyCompromise ? subject.sharingKey : []
        for name in [subject.place?.name].compactMap(\.self) + others { try options.store.keep(note, for: name) }
    }

    func report(_ done: Done, failure: String? = nil) -> ModuleResult {
        let leaf = subject.leaf
        let isChanged = done.isRevoked || !done.deactivated.isEmpty
        var fields: [String: JSONValue] = [
            "domains": .strings(leaf.names.map(\.description)), "serial": .string(leaf.serial),
            "reason": .string((done.isRevoked ? options.reason : note?.reason ?? options.reason).rawValue),
            "deactivated": .strings(done.deactivated),
        ]
        if done.isRevoked {
            fields["diff"] = [
                "before": .string("\(leaf.summary)\n"),
                "after": .string("\(leaf.summary), revoked (\(options.reason.rawValue))\n"),
                "before_header": "certificate", "after_header": "certificate",
            ]
        }
        let msg = summary(done)
        guard let failure else { return ModuleResult(changed: isChanged, msg: msg, fields: fields) }
        return .failure(isChanged ? "\(failure) (after this: \(msg))" : failure, changed: isChanged, fields: fields)
    }

    private func summary(_ done: Done) -> String {
        let title = "the certificate \(subject.leaf.label) (serial \(subject.leaf.serial))"
        guard subject.isMeant else { return "\(title) is left alone: it is not the one with the serial that was given" }
        var text = done.isRevoked ? "\(title) was revoked" : "\(title) had been revoked before"
        if !done.deactivated.isEmpty {
            text += "; authorizations deactivated: " + done.deactivated.joined(separator: ", ")
        }
        return text
    }
}

extension RevocationWork {
    /// What check mode tells: the CA is not asked.
    fileprivate var prediction: RevocationRun.Done { RevocationRun.Done(isRevoked: isRevocationDue) }
}
