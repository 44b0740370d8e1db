internal import Glibc

/// A file with a secret, which nobody but its owner can read, and that is root or whoever runs this.
package enum PrivateFile {
    /// What is wrong with it: a clause that begins with the path and ends with the remedy.
    package struct Exposed: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// The bytes, at most `limit` of them; nil where there is nothing. What is checked is what is read: the open file.
    package static func read(_ path: String, limit: Int) throws(Exposed) -> Secret<[UInt8]>? {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            let failure = SystemError("read", path)
            if failure.isMissingFile { return nil }
            guard failure.code != ELOOP else {
                throw Exposed(description: "\(path) is a link, which is not followed here: name the file itself")
            }
            throw Exposed(description: failure.description)
        }
        defer { close(descriptor) }
        try check(descriptor, path)
        do throws(SystemError) {
            return Secret(try Files.drain(descriptor, path, limit: limit))
        } catch {
            throw Exposed(description: error.description)
        }
    }

    private static func check(_ descriptor: Int32, _ path: String) throws(Exposed) {
        var info = stat()
        guard fstat(descriptor, &info) == 0 else {
            throw Exposed(description: SystemError("look at", path).description)
        }
        guard info.st_mode & S_IFMT == S_IFREG else {
            throw Exposed(description: "\(path) is no regular file: name one that holds the secret")
        }
        guard info.st_uid == 0 || info.st_uid == geteuid() else {
            throw Exposed(
                description: "\(path) belongs to user \(info.st_uid), who could change it: chown root \(path)")
        }
        guard info.st_mode & 0o077 == 0 else {
            throw Exposed(
                description: "\(path) has mode \(String(info.st_mode & 0o7777, radix: 8)), so that others than its "
                    + "owner may have access: chmod 0600 \(path)")
        }
    }
}
