internal import Glibc

/// Files and directories, each function one thin layer over the system call that it is named after.
package enum Files {
    /// What `lstat` says of a path: never of what a symbolic link leads to.
    package struct Status: Sendable, Equatable {
        package enum Kind: Sendable, Equatable { case file, directory, link, other }

        package let kind: Kind
        package let access: FileAccess
        package let size: Int

        /// Whether it is root's, or of the user who runs this.
        package var isOurs: Bool { access.owner == 0 || access.owner == geteuid() }
    }

    /// The status of a path itself; nil where there is nothing.
    package static func status(_ path: String) throws(SystemError) -> Status? {
        var info = stat()
        guard lstat(path, &info) == 0 else {
            let failure = SystemError("look at", path)
            if failure.isMissingFile { return nil }
            throw failure
        }
        let kind: Status.Kind =
            switch info.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .link
            default: .other
            }
        let access = FileAccess(owner: info.st_uid, group: info.st_gid, mode: info.st_mode & 0o7777)
        return Status(kind: kind, access: access, size: Int(info.st_size))
    }

    /// A file's bytes, at most `limit` of them; nil where there is no such file. Throws `EFBIG` past the limit.
    package static func read(_ path: String, limit: Int = 16 << 20) throws(SystemError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let failure = SystemError("read", path)
            if failure.isMissingFile { return nil }
            throw failure
        }
        defer { close(descriptor) }
        return try drain(descriptor, path, limit: limit)
    }

    static func drain(_ descriptor: Int32, _ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var info = stat()
        if fstat(descriptor, &info) == 0 { bytes.reserveCapacity(min(Int(info.st_size), limit)) }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if try check(count, "read", path) == 0 { return bytes }
            bytes += buffer[..<count]
            if bytes.count > limit { throw SystemError("read", path, code: EFBIG) }
        }
    }

    /// The names in a directory, sorted, without `.` and `..`; empty where there is no such directory.
    package static func list(_ path: String) throws(SystemError) -> [String] {
        guard let directory = opendir(path) else {
            let failure = SystemError("list", path)
            if failure.isMissingFile { return [] }
            throw failure
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Where a symbolic link leads; nil where the path is no link.
    package static func target(ofLink path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink(path, &buffer, buffer.count)
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Makes a directory with exactly this access; one that is there already is left as it is. A link is none, wherever it
    /// leads.
    package static func makeDirectory(_ path: String, access: FileAccess) throws(SystemError) {
        if mkdir(path, 0o700) != 0 {
            guard errno == EEXIST else { throw SystemError("make directory", path) }
            guard try status(path)?.kind == .directory else {
                throw SystemError("make directory", path, code: ENOTDIR)
            }
            return
        }
        try set(access, on: path)
        try synchronize(directory: parent(of: path))
    }

    /// Makes a directory, and those above it that are missing, with this access.
    package static func makeDirectories(_ path: String, access: FileAccess) throws(SystemError) {
        let above = parent(of: path)
        if try status(above) == nil { try makeDirectories(above, access: access) }
        try makeDirectory(path, access: access)
    }

    /// Gives a file or directory its owner, group and permission bits, the bits last: `chown` clears setgid.
    /// A symbolic link is refused, never followed.
    package static func set(_ access: FileAccess, on path: String) throws(SystemError) {
        let descriptor = try check(open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), "open", path)
        defer { close(descriptor) }
        try set(access, on: descriptor, path)
    }

    package static func set(
        _ access: FileAccess, on descriptor: Int32, _ path: String
    ) throws(SystemError) {
        try check(fchown(descriptor, access.owner, access.group), "set the owner and group of", path)
        try check(fchmod(descriptor, access.mode), "set the mode of", path)
    }

    /// Renames in one step, replacing what is there, and makes it last through a crash.
    package static func rename(_ old: String, to new: String) throws(SystemError) {
        try check(Glibc.rename(old, new), "rename to", new)
        try synchronize(directory: parent(of: new))
    }

    /// Removes a file, a link or a whole directory; nothing there, or not any more when it comes to it, is no error. Links
    /// are removed, not followed.
    package static func remove(_ path: String) throws(SystemError) {
        guard let status = try status(path) else { return }
        let isDirectory = status.kind == .directory
        if isDirectory {
            for name in try list(path) { try remove(path + "/" + name) }
        }
        guard (isDirectory ? rmdir(path) : unlink(path)) != 0 else { return }
        let failure = SystemError("remove", path)
        if !failure.isMissingFile { throw failure }
    }

    /// Makes the entries of a directory last through a crash (`fsync` of the directory).
    package static func synchronize(directory path: String) throws(SystemError) {
        let descriptor = try check(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open", path)
        defer { close(descriptor) }
        try check(fsync(descriptor), "synchronize", path)
    }

    /// The directory that holds a path.
    package static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
