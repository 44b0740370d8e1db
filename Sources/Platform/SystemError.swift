internal import Glibc

/// A system call that failed: what was being done, to which path, and the system's own words.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    /// What was being done, as a verb: "open", "rename".
    package let action: String
    package let path: String
    /// The system's `errno`.
    package let code: Int32

    package init(_ action: String, _ path: String, code: Int32 = errno) {
        self.action = action
        self.path = path
        self.code = code
    }

    package var isMissingFile: Bool { code == ENOENT || code == ENOTDIR }

    /// What is there cannot be a file of ours (a directory, a link to itself, far too large), whoever reads it.
    package var isAboutTheFile: Bool { [EISDIR, ELOOP, EFBIG, ENXIO].contains(code) }

    package var description: String { "cannot \(action) \(path): \(String(cString: strerror(code)))" }
}

/// Returns a C call's result, or throws the `errno` that it left behind a negative one.
@discardableResult
package func check<Result: SignedInteger>(
    _ result: Result, _ action: String, _ path: String
) throws(SystemError) -> Result {
    guard result >= 0 else { throw SystemError(action, path) }
    return result
}
