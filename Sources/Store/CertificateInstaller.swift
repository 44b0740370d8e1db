internal import FoundationEssentials
package import Names
package import PKI
package import Platform

/// The order in which files change: a complete new version beside the old one, then one rename of `current`.
extension CertificateStore {
    /// Puts a key and its chain in place as one set; on an error the old set is untouched. Files that another
    /// program put there become version 1 first, so that they, too, are replaced in one step.
    package func install(
        _ chain: CertificateChain, key: PrivateKey, for name: DomainName, access: FileAccess, issuance: Issuance
    ) throws(StoreError) {
        let paths = paths(of: name)
        let pem: Secret<[UInt8]>
        do {
            pem = try key.pem()
        } catch {
            throw StoreError("cannot write \(paths.key): \(error)")
        }
        let metadata: [UInt8]
        do {
            metadata = Array(try JSONEncoder().encode(issuance))
        } catch {
            throw StoreError("cannot write the issuance of \(paths.directory): \(error)")
        }
        try storing { () throws(SystemError) in
            try makeDirectories(paths, access)
            try adoptPlainFiles(paths, access)
            let contents: [(String, [UInt8], FileAccess)] = [
                (fileName(paths.key), pem.revealed, access),
                (fileName(paths.cert), chain.leafPEM, access.forPublicFile),
                (fileName(paths.chain), chain.issuersPEM, access.forPublicFile),
                (fileName(paths.fullchain), chain.pem, access.forPublicFile),
                ("issuance.json", metadata, access.forPublicFile),
            ]
            let version = try addVersion(contents, paths, access)
            try linkFiles(paths)
            try AtomicFile.link(paths.directory + "/current", to: "versions/\(version)")
            prune(paths, keeping: version)
        }
    }

    private func makeDirectories(_ paths: CertificatePaths, _ access: FileAccess) throws(SystemError) {
        try Files.makeDirectories(paths.directory + "/versions", access: access.forDirectory)
        for directory in [paths.directory, paths.directory + "/versions"] {
            try Files.set(access.forDirectory, on: directory)
        }
    }

    private func adoptPlainFiles(_ paths: CertificatePaths, _ access: FileAccess) throws(SystemError) {
        guard try Files.status(paths.directory + "/current") == nil else { return }
        var contents: [(String, [UInt8], FileAccess)] = []
        for file in paths.all {
            guard let status = try Files.status(file), status.kind == .file,
                let bytes = try Files.read(file, limit: 1 << 20)
            else { continue }
            contents.append((fileName(file), bytes, status.access))
        }
        guard !contents.isEmpty else { return }
        let version = try addVersion(contents, paths, access)
        try AtomicFile.link(paths.directory + "/current", to: "versions/\(version)")
        for (file, _, _) in contents {
            try AtomicFile.link(paths.directory + "/" + file, to: "current/" + file)
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

    private func linkFiles(_ paths: CertificatePaths) throws(SystemError) {
        for file in paths.all {
            let target = "current/" + fileName(file)
            if Files.target(ofLink: file) != target { try AtomicFile.link(file, to: target) }
        }
    }

    /// Keeps the version before this one, for an operator who needs it back, and removes what is older and what a run
    /// that was killed left behind. The new certificate is in place: a failure here is the next run's to mend.
    private func prune(_ paths: CertificatePaths, keeping version: Int) {
        let versions = paths.directory + "/versions"
        for name in (try? Files.list(versions)) ?? [] {
            let isOld = Int(name).map { $0 < version - 1 } ?? AtomicFile.isTemporary(name)
            if isOld { try? Files.remove(versions + "/" + name) }
        }
        for name in (try? Files.list(paths.directory)) ?? [] where AtomicFile.isTemporary(name) {
            try? Files.remove(paths.directory + "/" + name)
        }
    }
}
