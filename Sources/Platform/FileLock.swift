internal import Glibc

/// An exclusive lock held through an open file (`flock`): the system drops it with the process, so that a lock never
/// outlives its holder. The file says who holds it.
package final class FileLock: Sendable {
    package enum Failure: Error, CustomStringConvertible {
        /// Another process held it until the deadline; `holder` is what that process wrote of itself.
        case held(path: String, holder: String)
        case system(SystemError)

        package var description: String {
            switch self {
            case .held(let path, let holder): "\(path) is still locked by \(holder); try again when that run has ended"
            case .system(let error): error.description
            }
        }
    }

    private let descriptor: Int32

    /// Waits for the lock until `deadline`. `purpose` names the holder to others: "acme_finalize".
    package init(_ path: String, purpose: String, deadline: Deadline) throws(Failure) {
        descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(SystemError("open lock", path)) }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            if code == EWOULDBLOCK && !deadline.hasPassed {
                deadline.pause(seconds: 0.02)
                continue
            }
            let holder = Self.holder(descriptor)
            throw code == EWOULDBLOCK
                ? .held(path: path, holder: holder) : .system(SystemError("lock", path, code: code))
        }
        note(purpose)
    }

    /// Runs after an initializer that threw, too.
    deinit {
        // A child that another thread is about to start has the open file, too, until it runs its program.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Keeps the lock for the length of `body`.
    package func whileHeld<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        try withExtendedLifetime(self, body)
    }

    private func note(_ purpose: String) {
        let text = Array("\(purpose), process \(getpid())".utf8)
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
    }

    private static func holder(_ descriptor: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : "another process"
    }
}
