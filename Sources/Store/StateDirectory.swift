package import Names
package import Platform
internal import PKI

/// Where accounts and orders under way are kept between the two phases and across runs (`state_path`, 0700):
///
///     lock
///     accounts/<ca>/account.key  account-<key's thumbprint>.json  session.json  (account.key.new while the key is changed)
///     orders/<ca>/<name>/order.json  private.key
///     renewals/<ca>/<name>.json
///     failures/<ca>/<name>.json
///
/// Certificates with a `cert_path` of their own have `@<place>` between `<ca>` and `<name>`.
///
/// `<ca>` stands for one CA's directory URL, or for self-signing.
package struct StateDirectory: Sendable {
    package let path: String

    package init(path: String) {
        self.path = path
    }

    /// Makes the directory where it is missing and takes the lock on it, so that two runs on one host never work on
    /// the same orders. Waits until `deadline`.
    package func lock(purpose: String, deadline: Deadline) throws(StoreError) -> FileLock {
        try storing { () throws(PrivateDirectory.Exposed) in try PrivateDirectory.make(path) }
        let lock = try storing { () throws(FileLock.Failure) in
            try FileLock(path + "/lock", purpose: purpose, deadline: deadline)
        }
        try storing { () throws(SystemError) in try removeTemporaries(in: path) }
        return lock
    }

    /// Files, keys among them, that a run was killed over before they were in place: whoever holds the lock knows that
    /// nobody is writing them. Only what a CA said of a renewal is kept without it, by runs that have nothing else to do:
    /// one that loses its file so asks again.
    private func removeTemporaries(in directory: String) throws(SystemError) {
        for name in try Files.list(directory) {
            let entry = directory + "/" + name
            if AtomicFile.isTemporary(name) {
                try Files.remove(entry)
            } else if try Files.status(entry)?.kind == .directory {
                try removeTemporaries(in: entry)
            }
        }
    }

    package func accounts(of authority: Authority) -> AccountStore {
        AccountStore(path: path + "/accounts/" + authority.fileName, state: path)
    }

    /// The orders of certificates that are kept in the usual place, or in one of their own, a directory.
    package func orders(of authority: Authority, place: String? = nil) -> OrderStore {
        OrderStore(path: directory("orders", authority, place), state: path)
    }

    /// What the CA said of the renewal of certificates that it has issued.
    package func renewals(of authority: Authority, place: String? = nil) -> CertificateNotes<RenewalAnswer> {
        CertificateNotes(path: directory("renewals", authority, place), state: path)
    }

    /// What the CA has refused.
    package func failures(of authority: Authority, place: String? = nil) -> CertificateNotes<FailureRecord> {
        CertificateNotes(path: directory("failures", authority, place), state: path)
    }

    /// The last thing that any CA has refused of a certificate; nil where nothing is known of it.
    package func lastFailure(of name: DomainName, place: String? = nil) -> FailureRecord? {
        let all = (try? Files.list(path + "/failures")) ?? []
        let records = all.compactMap { authority in
            CertificateNotes<FailureRecord>(path: directory("failures", authority, place), state: path).find(name)
        }
        return records.max { $0.last < $1.last }
    }

    private func directory(_ kind: String, _ authority: Authority, _ place: String?) -> String {
        directory(kind, authority.fileName, place)
    }

    private func directory(_ kind: String, _ authority: String, _ place: String?) -> String {
        // No name of a certificate begins with "@".
        let apart = place.map { "/@" + Digest.label(of: $0, readable: $0.split(separator: "/").last ?? "") } ?? ""
        return "\(path)/\(kind)/\(authority)\(apart)"
    }
}

/// Who signs the certificates: a CA, known by its directory's URL, or this host itself (S21).
package enum Authority: Sendable, Equatable {
    case directory(String)
    case selfSigned

    /// A readable and unambiguous name of a directory for it.
    var fileName: String {
        switch self {
        case .selfSigned: return "self-signed"
        case .directory(let url):
            let host = url.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first ?? "ca"
            return Digest.label(of: url, readable: host)
        }
    }
}

/// State or certificates on disk that cannot be read or written: one sentence.
package struct StoreError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Runs file work and turns its error into the store's.
func storing<Result, Failure: CustomStringConvertible>(
    _ body: () throws(Failure) -> Result
) throws(StoreError) -> Result {
    do {
        return try body()
    } catch {
        throw StoreError(error.description)
    }
}

/// Makes every missing directory from `root` (which is there) down to `path`, 0700.
func makeDirectories(_ path: String, below root: String) throws(StoreError) {
    var current = root
    for part in path.dropFirst(root.count).split(separator: "/") {
        current += "/" + part
        try storing { () throws(SystemError) in try Files.makeDirectory(current, access: .own(mode: 0o700)) }
    }
}

extension StateFile {
    /// The document, its errors as the store's.
    func found() throws(StoreError) -> Content? {
        try storing { () throws(Failure) in try read() }
    }

    func keep(_ content: Content) throws(StoreError) {
        try storing { () throws(Failure) in try write(content) }
    }
}
