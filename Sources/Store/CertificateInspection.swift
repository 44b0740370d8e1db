package import Names
package import PKI
internal import Platform

/// Looking at certificates for a report: what is there, whatever state it is in.
extension CertificateStore {
    /// The first names of the certificates that have a directory here, with a file of theirs in it. Links are none: what
    /// they lead to has a directory of its own, or is somebody else's.
    package func names() throws(StoreError) -> [DomainName] {
        try storing { () throws(SystemError) in
            var names: [DomainName] = []
            for file in try Files.list(path) {
                if let name = try name(ofDirectory: file) { names.append(name) }
            }
            return names
        }
    }

    private func name(ofDirectory file: String) throws(SystemError) -> DomainName? {
        let text = file.hasPrefix("_.") ? "*" + file.dropFirst() : file
        guard let name = try? DomainName(text), name.fileName == file,
            try Files.status(path + "/" + file)?.kind == .directory
        else { return nil }
        for file in paths(of: name).all {
            if try Files.status(file) != nil { return name }
        }
        return nil
    }

    /// Why the files of a certificate are not to be opened, a clause; nil where they may be. A link that another user has put
    /// there may lead anywhere, and what is no file may never end.
    package func obstacle(to name: DomainName) throws(StoreError) -> String? {
        let paths = paths(of: name)
        return try storing { () throws(SystemError) in
            guard let directory = try Files.status(paths.directory) else { return nil }
            guard directory.kind == .directory else { return "\(paths.directory) is no directory" }
            for place in [paths.directory + "/current", paths.directory + "/versions"] + paths.all {
                guard let status = try Files.status(place) else { continue }
                switch status.kind {
                case .link where status.isOurs, .file, .directory: continue
                case .link:
                    return "\(place) is a link of user \(status.access.owner), which is not followed: remove it"
                case .other: return "\(place) is neither a file nor a link: remove it"
                }
            }
            return nil
        }
    }

    /// The certificate by itself, for files that do not belong together; nil where it cannot be read.
    package func leaf(of name: DomainName) -> Certificate? { leaf(in: paths(of: name).cert) }

    private func leaf(in file: String) -> Certificate? {
        guard let bytes = try? Files.read(file, limit: 1 << 20) else { return nil }
        return try? CertificateChain(pem: bytes).leaf
    }

    /// Whether the key that is there belongs to a certificate; nil where there is none that can be read.
    package func keyMatches(_ leaf: Certificate, of name: DomainName) -> Bool? {
        guard let bytes = try? Files.read(paths(of: name).key, limit: 1 << 16),
            let key = try? PrivateKey(pem: Secret(bytes))
        else { return nil }
        return leaf.isFor(key)
    }

    /// What is still here of what CAs have issued for a certificate: the current version and the one before it, with
    /// how each came to be.
    package func issued(for name: DomainName) -> [(issuance: Issuance, leaf: Certificate)] {
        let paths = paths(of: name)
        let versions = paths.directory + "/versions"
        let numbers = ((try? Files.list(versions)) ?? []).filter { Int($0) != nil }
        return numbers.compactMap { number in
            let version = versions + "/" + number
            let files = ["issuance.json", fileName(paths.cert)].map { version + "/" + $0 }
            let places = [version] + files
            guard places.map({ (try? Files.status($0))?.kind }) == [.directory, .file, .file] else { return nil }
            let issuance: StateFile<Issuance> = StateFile(path: files[0])
            guard let issuance = try? issuance.found(), let leaf = leaf(in: files[1]) else { return nil }
            return (issuance, leaf)
        }
    }
}
