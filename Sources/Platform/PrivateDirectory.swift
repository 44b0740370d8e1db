internal import Glibc

/// A directory that nobody but its owner and root can look into, or exchange for another.
package enum PrivateDirectory {
    /// What is wrong with it: a clause that begins with the path and ends with the remedy.
    package struct Exposed: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Throws where `path` is no directory of this user's with access for nobody else, or where somebody
    /// else may write to a directory above it. False where there is nothing at `path`.
    package static func check(_ path: String) throws(Exposed) -> Bool {
        var above = ""
        for part in path.split(separator: "/").dropLast() {
            guard part != ".." && part != "." else { throw Exposed(description: "\(path) must not hold . or ..") }
            above += "/" + part
            try checkAbove(above, of: path)
        }
        try checkAbove("/", of: path)
        guard let status = try status(path) else { return false }
        try checkOwner(status, path, isAbove: false)
        guard status.access.mode & 0o077 == 0 else {
            throw Exposed(
                description: "\(path) has mode \(octal(status)), so that others can look into it or write to it: "
                    + "chmod 0700 \(path)")
        }
        return true
    }

    /// Makes the directory, 0700, where there is none; throws where what is there is none, or gives access to others.
    package static func make(_ path: String) throws(Exposed) {
        do throws(SystemError) {
            try Files.makeDirectory(path, access: .own(mode: 0o700))
        } catch {
            throw Exposed(description: error.description)
        }
        guard let status = try status(path), status.kind == .directory else {
            throw Exposed(description: "\(path) is not a directory; state_path must name one")
        }
        guard status.access.mode & 0o077 == 0 else {
            throw Exposed(
                description:
                    "\(path) has mode \(octal(status)), but what is kept in it is for its owner alone: make it "
                    + "0700 (chmod 700 \(path))")
        }
    }

    private static func checkAbove(_ directory: String, of path: String) throws(Exposed) {
        guard let status = try status(directory) else { return }
        try checkOwner(status, directory, isAbove: true)
        guard status.access.mode & 0o022 == 0 else {
            throw Exposed(
                description: "\(directory), which is above \(path), has mode \(octal(status)), so that others can "
                    + "write to it: chmod go-w \(directory), or use another place")
        }
    }

    /// A directory above may be root's; the directory itself is of whoever runs this.
    private static func checkOwner(_ status: Files.Status, _ path: String, isAbove: Bool) throws(Exposed) {
        guard status.kind == .directory else {
            throw Exposed(description: "\(path) is no directory; a link is not followed here")
        }
        let isRoots = isAbove && status.access.owner == 0
        guard isRoots || status.access.owner == geteuid() else {
            throw Exposed(
                description: "\(path) belongs to user \(status.access.owner), not to user \(geteuid()), who runs "
                    + "this: chown it, or run this as its owner")
        }
    }

    private static func status(_ path: String) throws(Exposed) -> Files.Status? {
        do throws(SystemError) {
            return try Files.status(path)
        } catch {
            throw Exposed(description: error.description)
        }
    }

    private static func octal(_ status: Files.Status) -> String { String(status.access.mode, radix: 8) }
}
