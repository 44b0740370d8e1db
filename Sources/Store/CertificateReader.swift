internal import FoundationEssentials
package import Names
internal import PKI
package import Platform

/// The certificates below `cert_path`, each in a directory named after its first name:
///
///     <cert_path>/N/N.key  N.cer  ca.cer  fullchain.cer     links into current/
///     <cert_path>/N/N.pem  N.p12  N.jks  N.der  N.key.der   the same, where these forms were asked for
///     <cert_path>/N/current -> versions/<number>
///
/// Files that another program put there (plain ones, without versions) are read as well.
package struct CertificateStore: Sendable {
    package let path: String

    package init(path: String) {
        self.path = path
    }

    package func paths(of name: DomainName) -> CertificatePaths { CertificatePaths(in: path, first: name) }

    /// Reads what is there; a file that cannot be read, and files that do not belong together, are a reason, not an
    /// error. Throws only where the system refuses to let us look.
    package func installation(of name: DomainName) throws(StoreError) -> Installation {
        let paths = paths(of: name)
        var contents: [String: [UInt8]] = [:]
        for file in paths.all {
            do throws(SystemError) {
                guard let bytes = try Files.read(file, limit: 1 << 20) else {
                    return .unusable(reason: missing(file, in: paths))
                }
                contents[file] = bytes
            } catch {
                guard error.isAboutTheFile else { throw StoreError(error.description) }
                return .unusable(reason: error.description)
            }
        }
        do {
            return .complete(try assemble(contents, paths))
        } catch {
            return .unusable(reason: "\(error)")
        }
    }

    private func missing(_ file: String, in paths: CertificatePaths) -> String {
        guard let directory = try? Files.status(paths.directory), directory.kind == .directory else {
            return "there is no certificate yet"
        }
        return "\(file) is missing"
    }

    private func assemble(_ contents: [String: [UInt8]], _ paths: CertificatePaths) throws -> InstalledCertificate {
        func parse<Value>(_ file: String, _ read: ([UInt8]) throws -> Value) throws -> Value {
            do {
                return try read(contents[file] ?? [])
            } catch {
                throw StoreError("\(file) cannot be used: \(error)")
            }
        }
        let key = try parse(paths.key) { try PrivateKey(pem: Secret($0)) }
        let cert = try parse(paths.cert) { try CertificateChain(pem: $0) }
        let chain = try parse(paths.fullchain) { try CertificateChain(pem: $0) }
        if !chain.issuers.isEmpty { _ = try parse(paths.chain) { try CertificateChain(pem: $0) } }
        guard cert.leaf.publicKeyInfo == key.publicKeyInfo else {
            throw StoreError("\(paths.key) is not the key of \(paths.cert)")
        }
        guard chain.leaf.der == cert.leaf.der else {
            throw StoreError("\(paths.fullchain) does not begin with the certificate of \(paths.cert)")
        }
        let issuance: StateFile<Issuance> = StateFile(path: paths.directory + "/current/issuance.json")
        return InstalledCertificate(
            key: key, chain: chain, issuance: try issuance.found(), revocation: revocation(of: cert.leaf, paths))
    }

    /// What keeps the files of an installed certificate from being in these forms, a clause for each; none where they
    /// are. Forms that nobody asks for any more are no difference: they go with the next set.
    package func differences(
        of name: DomainName, _ installed: InstalledCertificate, from forms: [CertificateForm]
    ) throws(StoreError) -> [String] {
        let paths = paths(of: name)
        let entry = KeyEntry(alias: name.description, key: installed.key, chain: installed.chain)
        do {
            return try forms.compactMap { form in
                try form.difference(from: entry, at: paths) { (file) throws(SystemError) in
                    guard Files.target(ofLink: file) == linkTarget(file) else { return nil }
                    return try Files.read(file, limit: 1 << 20)
                }
            }
        } catch {
            throw StoreError("\(error)")
        }
    }

    /// The owner, group and mode that the files of a certificate have now differ from these.
    package func accessDiffers(of name: DomainName, from access: FileAccess) throws(StoreError) -> Bool {
        try storing { () throws(SystemError) in
            for (path, wanted) in try managed(name, access) {
                if let status = try Files.status(path), status.access != wanted { return true }
            }
            return false
        }
    }

    /// Gives the files of a certificate this owner, group and mode where they differ; tells whether any did.
    package func setAccess(of name: DomainName, to access: FileAccess) throws(StoreError) -> Bool {
        try storing { () throws(SystemError) in
            var changed = false
            for (path, wanted) in try managed(name, access) {
                guard let status = try Files.status(path), status.access != wanted else { continue }
                try Files.set(wanted, on: path)
                changed = true
            }
            return changed
        }
    }

    /// What this project keeps of a certificate, the version before this one too, since it may have the same key, with
    /// the access that each should have. Plain files that another program put there are left alone until they are
    /// replaced.
    private func managed(_ name: DomainName, _ access: FileAccess) throws(SystemError) -> [(String, FileAccess)] {
        let directory = paths(of: name).directory
        guard let target = Files.target(ofLink: directory + "/current"), target.hasPrefix("versions/"),
            Int(target.dropFirst(9)) != nil
        else { return [] }
        let versions = directory + "/versions"
        var managed = [directory, versions].map { ($0, access.forDirectory) }
        for number in try Files.list(versions) where Int(number) != nil {
            let version = versions + "/" + number
            guard try Files.status(version)?.kind == .directory else { continue }
            managed += [(version, access.forDirectory)] + files(of: name, in: version, access)
        }
        return managed
    }

    private func files(of name: DomainName, in version: String, _ access: FileAccess) -> [(String, FileAccess)] {
        let paths = paths(of: name)
        return (paths.all + paths.optional).map { file in
            (version + "/" + fileName(file), paths.secret.contains(file) ? access : access.forPublicFile)
        }
    }

    /// What the link at a file's path leads to.
    func linkTarget(_ path: String) -> String { "current/" + fileName(path) }

    func fileName(_ path: String) -> String { String(path.dropFirst(Files.parent(of: path).count + 1)) }
}

extension FileAccess {
    /// A directory, with setgid, that whoever may read the key can search. It is our own: its owner could put a link
    /// in the place of what we are about to change.
    var forDirectory: FileAccess {
        let own = FileAccess.own(mode: 0)
        let isGroupReader = mode & 0o040 != 0
        let forStrangers: UInt32 = owner == own.owner || isGroupReader ? 0 : 0o001
        return FileAccess(owner: own.owner, group: group, mode: 0o2700 | (isGroupReader ? 0o050 : 0) | forStrangers)
    }

    /// Certificates are public; their directory decides who comes that far.
    var forPublicFile: FileAccess { with(mode: 0o644) }
}
