internal import FoundationEssentials
package import Names
package import PKI
package import Platform

/// The order in which files change: a complete new version beside the old one, then one rename of `current`.
extension CertificateStore {
    /// Puts a key and its chain in place as one set, in PEM and in these forms; on an error the old set is untouched.
    /// Files that another program put there, or links to its own, become version 1 first, so that they, too, are replaced
    /// in one step.
    package func install(
        _ chain: CertificateChain, key: PrivateKey, for name: DomainName, access: FileAccess, issuance: Issuance?,
        forms: [CertificateForm] = []
    ) throws(StoreError) {
        let paths = paths(of: name)
        let files: [CertificateFile]
        do {
            files = try Self.files(
                of: KeyEntry(alias: name.description, key: key, chain: chain), issuance, forms, at: paths)
        } catch {
            throw StoreError("cannot write the files of \(paths.directory): \(error)")
        }
        try storing { () throws(SystemError) in
            try makeDirectories(paths, access)
            try adoptForeignFiles(paths, access)
            let contents = files.map { (fileName($0.path), $0.bytes, $0.holdsKey ? access : access.forPublicFile) }
            let served = Files.target(ofLink: paths.directory + "/current")
            let version = "versions/\(try addVersion(contents, paths, access))"
            try linkFiles(paths.all)
            try serve(version, paths, insteadOf: served)
            // Now that they lead somewhere: in their place there may be files of somebody else's making.
            let optional = files.map(\.path).filter(paths.optional.contains)
            try linkFiles(optional)
            prune(paths, keeping: [version, served ?? ""], optional)
        }
        // The version before this one may have the same key. As with what is to be removed, the next run mends a failure.
        _ = try? setAccess(of: name, to: access)
    }

    private static func files(
        of entry: KeyEntry, _ issuance: Issuance?, _ forms: [CertificateForm], at paths: CertificatePaths
    ) throws -> [CertificateFile] {
        var files = [
            CertificateFile(path: paths.key, bytes: try entry.key.pem().revealed, holdsKey: true),
            CertificateFile(path: paths.cert, bytes: entry.chain.leafPEM, holdsKey: false),
            CertificateFile(path: paths.chain, bytes: entry.chain.issuersPEM, holdsKey: false),
            CertificateFile(path: paths.fullchain, bytes: entry.chain.pem, holdsKey: false),
        ]
        for form in forms { files += try form.files(of: entry, at: paths) }
        if let issuance {
            let text = Array(try JSONEncoder().encode(issuance))
            files.append(CertificateFile(path: paths.directory + "/issuance.json", bytes: text, holdsKey: false))
        }
        return files
    }

    private func makeDirectories(_ paths: CertificatePaths, _ access: FileAccess) throws(SystemError) {
        try Files.makeDirectories(paths.directory, access: access.forDirectory)
        try Files.makeDirectory(paths.directory + "/versions", access: access.forDirectory)
        for directory in [paths.directory, paths.directory + "/versions"] {
            try Files.set(access.forDirectory, on: directory)
        }
    }

    private func adoptForeignFiles(_ paths: CertificatePaths, _ access: FileAccess) throws(SystemError) {
        guard try Files.status(paths.directory + "/current") == nil else { return }
        var adopted: [String] = []
        var contents: [(String, [UInt8], FileAccess)] = []
        for file in paths.all {
            guard let (bytes, own) = try foreign(file) else { continue }
            let usual = paths.secret.contains(file) ? access : access.forPublicFile
            adopted.append(file)
            contents.append((fileName(file), bytes, own ?? usual))
        }
        guard !contents.isEmpty else { return }
        let version = try addVersion(contents, paths, access)
        try AtomicFile.link(paths.directory + "/current", to: "versions/\(version)")
        try linkFiles(adopted)
    }

    /// What another program put there: a file with its access, or a link that leads to one, as into its own store, without;
    /// nil for what nobody can read as a file. A link of another user than root is not followed: it would have files that
    /// are not that user's to read copied to where they are.
    private func foreign(_ file: String) throws(SystemError) -> (bytes: [UInt8], access: FileAccess?)? {
        guard let status = try Files.status(file), status.kind == .file || status.kind == .link && status.isOurs
        else { return nil }
        do throws(SystemError) {
            guard let bytes = try Files.read(file, limit: 1 << 20) else { return nil }
            return (bytes, status.kind == .file ? status.access : nil)
        } catch {
            guard status.kind == .link, error.isAboutTheFile else { throw error }
            return nil
        }
    }

    /// Writes a new version under a temporary name and renames it to its number, which it returns.
    private func addVersion(
        _ contents: [(String, [UInt8], FileAccess)], _ paths: CertificatePaths, _ access: FileAccess
    ) throws(SystemError) -> Int {
        let versions = paths.directory + "/versions"
        let number = (try Files.list(versions).compactMap { Int($0) }.max() ?? 0) + 1
        let temporary = AtomicFile.temporaryName(for: versions + "/new")
        do {
            try Files.makeDirectory(temporary, access: access.forDirectory)
            for (file, bytes, fileAccess) in contents {
                try AtomicFile.write(bytes, to: temporary + "/" + file, access: fileAccess)
            }
            try Files.rename(temporary, to: versions + "/\(number)")
        } catch {
            try? Files.remove(temporary)
            throw error
        }
        return number
    }

    /// Switches to a version, of which nobody has been told until somebody says so.
    private func serve(
        _ version: String, _ paths: CertificatePaths, insteadOf served: String?
    ) throws(SystemError) {
        let (current, note) = (paths.directory + "/current", untoldFile(paths))
        let isNew = try Files.status(note) == nil
        do {
            if isNew { try AtomicFile.write([], to: note, access: .own(mode: 0o600)) }
            try AtomicFile.link(current, to: version)
        } catch {
            if isNew, Files.target(ofLink: current) == served { try? Files.remove(note) }
            throw error
        }
    }

    /// Whether files were put in place, and those who use them have not been told: an empty file `untold` in the
    /// certificate's directory, which is there before they are.
    package func isUntold(_ name: DomainName) throws(StoreError) -> Bool {
        try storing { () throws(SystemError) in try Files.status(untoldFile(paths(of: name))) != nil }
    }

    /// They have been told. Where this fails, they are told again.
    package func forgetUntold(_ name: DomainName) {
        try? Files.remove(untoldFile(paths(of: name)))
    }

    private func untoldFile(_ paths: CertificatePaths) -> String { paths.directory + "/untold" }

    private func linkFiles(_ files: [String]) throws(SystemError) {
        for file in files where Files.target(ofLink: file) != linkTarget(file) {
            try AtomicFile.link(file, to: linkTarget(file))
        }
    }

    /// Keeps the version that was served before this one, for an operator who needs it back, and removes all others, those
    /// that were never served among them, what a run that was killed left behind, and links to forms that this version does
    /// not have. The new certificate is in place: a failure here is the next run's to mend.
    private func prune(_ paths: CertificatePaths, keeping kept: [String], _ optional: [String]) {
        let versions = paths.directory + "/versions"
        for name in (try? Files.list(versions)) ?? [] where !kept.contains("versions/" + name) {
            if Int(name) != nil || AtomicFile.isTemporary(name) { try? Files.remove(versions + "/" + name) }
        }
        for name in (try? Files.list(paths.directory)) ?? [] where AtomicFile.isTemporary(name) {
            try? Files.remove(paths.directory + "/" + name)
        }
        for file in paths.optional where !optional.contains(file) && Files.target(ofLink: file) == linkTarget(file) {
            try? Files.remove(file)
        }
    }
}
