internal import Glibc
internal import Platform

/// One zone file on disk, and the steps in which it is replaced.
struct ZoneFile {
    /// Where the file itself is, links followed.
    let path: String

    init(_ path: String) {
        let found = realpath(path, nil)
        defer { free(found) }
        self.path = found.map { String(cString: $0) } ?? path
    }

    /// Refuses what is no file: a device would be replaced by one, and a pipe be waited on without end.
    func checkKind() throws(PublishError) {
        let kind: Files.Status.Kind?
        do throws(SystemError) {
            kind = try Files.status(path)?.kind
        } catch {
            throw PublishError("zone_file.path cannot be used: \(error)")
        }
        guard kind == nil || kind == .file else {
            throw PublishError("zone_file.path names \(path), which is no regular file: name the zone's own file")
        }
    }

    private var directory: String { Files.parent(of: path) }
    private var baseName: Substring { path.split(separator: "/").last ?? "zone" }

    var lockPath: String { "\(directory)/.\(baseName).lock" }

    /// There from the moment at which a new file replaces the old one until the server has loaded it. A run that finds
    /// it knows that the one before broke off in between.
    private var markPath: String { "\(directory)/.\(baseName).reloading" }

    var isUnloaded: Bool {
        get throws(SystemError) { try Files.status(markPath) != nil }
    }

    /// The bytes and the access of the file; nil where there is none.
    func read() throws(SystemError) -> (bytes: [UInt8], access: FileAccess)? {
        guard let bytes = try Files.read(path), let status = try Files.status(path) else { return nil }
        return (bytes, status.access)
    }

    /// Removes what runs that were killed left behind; for the holder of the lock.
    func removeTemporaries() throws(SystemError) {
        try AtomicFile.removeTemporaries(of: path)
        try AtomicFile.removeTemporaries(of: markPath)
    }

    /// Puts a checked file in place and notes that it is not loaded yet, with a copy of the old bytes. False where
    /// somebody has changed the old ones since they were read, and nothing is replaced.
    func replace(by temporary: String, old: (bytes: [UInt8], access: FileAccess)?) throws(SystemError) -> Bool {
        try AtomicFile.write(old?.bytes ?? [], to: markPath, access: old?.access ?? .own(mode: 0o600))
        guard try Files.read(path) == old?.bytes else { return false }
        try Files.rename(temporary, to: path)
        return true
    }

    /// Puts back what was there before.
    func restore(_ old: (bytes: [UInt8], access: FileAccess)?) throws(SystemError) {
        if let old {
            try AtomicFile.write(old.bytes, to: path, access: old.access)
        } else {
            try Files.remove(path)
        }
    }

    /// Has the next run load the file again.
    func noteUnloaded() throws(SystemError) {
        try AtomicFile.write([], to: markPath, access: .own(mode: 0o600))
    }

    func noteLoaded() throws(SystemError) {
        try Files.remove(markPath)
    }
}
