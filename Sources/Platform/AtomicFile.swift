internal import Glibc

/// Files that are there whole or not at all, after a crash too.
package enum AtomicFile {
    /// Writes a new file beside `path`, synchronizes it and renames it over `path`. Readers see the old bytes or
    /// the new ones; nobody without access to `access` sees any. A symbolic link at `path` is replaced, not followed.
    package static func write(_ bytes: [UInt8], to path: String, access: FileAccess) throws(SystemError) {
        let temporary = try create(bytes, beside: path, access: access)
        do {
            try Files.rename(temporary, to: path)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Writes a synchronized file under a temporary name in the directory of `path` and returns that name, for a
    /// caller that checks it before it renames it.
    package static func create(
        _ bytes: [UInt8], beside path: String, access: FileAccess
    ) throws(SystemError) -> String {
        let temporary = temporaryName(for: path)
        let descriptor = try check(
            open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600), "create", temporary)
        do {
            defer { close(descriptor) }
            try fill(descriptor, with: bytes, temporary)
            try Files.set(access, on: descriptor, temporary)
            try check(fsync(descriptor), "synchronize", temporary)
        } catch {
            unlink(temporary)
            throw error
        }
        return temporary
    }

    /// Makes a symbolic link, or replaces what is at `path` by one, in one step.
    package static func link(_ path: String, to target: String) throws(SystemError) {
        let temporary = temporaryName(for: path)
        try check(symlink(target, temporary), "make link", temporary)
        do {
            try Files.rename(temporary, to: path)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static func fill(_ descriptor: Int32, with bytes: [UInt8], _ path: String) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            rest = rest.dropFirst(try check(count, "write", path))
        }
    }

    /// A name that a reader of the directory takes for a hidden file and that no other writer has; it does not
    /// grow with the name of `path`, which may be as long as a file system allows.
    package static func temporaryName(for path: String) -> String {
        let number = UInt64.random(in: .min ... .max)
        return Files.parent(of: path) + "/" + temporaryPrefix(for: path) + String(number, radix: 36)
    }

    /// Whether a directory entry is a temporary file that a run which was killed left behind.
    package static func isTemporary(_ name: String) -> Bool { name.hasPrefix(".new-") }

    /// Removes what runs that were killed left behind of `path`. To be called by whoever holds a lock that keeps all
    /// other writers of `path` away.
    package static func removeTemporaries(of path: String) throws(SystemError) {
        let directory = Files.parent(of: path)
        let prefix = temporaryPrefix(for: path)
        for name in try Files.list(directory) where name.hasPrefix(prefix) {
            try Files.remove(directory + "/" + name)
        }
    }

    /// The same for each writer of a file, and for hardly any other file: FNV-1a of its name.
    private static func temporaryPrefix(for path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        let digest = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return ".new-" + String(digest, radix: 36) + "-"
    }
}
