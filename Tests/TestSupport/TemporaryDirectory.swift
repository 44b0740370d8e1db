internal import Glibc
internal import Platform

/// Runs `body` with the path of a fresh directory (0700) that is removed afterwards.
package func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    var template = Array("/tmp/acme-modules-test-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw SystemError("make a directory in", "/tmp") }
    let path = String(cString: made)
    defer { try? Files.remove(path) }
    return try body(path)
}
