import Glibc
import Platform
import TestSupport
import Testing

@Suite struct PrivateFileTests {
    private func withFile(mode: UInt32, _ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.write(Array("secret".utf8), to: directory + "/file", access: .own(mode: mode))
            try body(directory + "/file")
        }
    }

    private func problem(_ path: String) -> String {
        do throws(PrivateFile.Exposed) {
            return try PrivateFile.read(path, limit: 100) == nil ? "missing" : "none"
        } catch {
            return error.description
        }
    }

    @Test(arguments: [0o600 as UInt32, 0o400])
    func `a file of one's own is read`(mode: UInt32) throws {
        try withFile(mode: mode) { path in
            let read = try PrivateFile.read(path, limit: 100)
            #expect(read?.revealed == Array("secret".utf8))
        }
    }

    @Test(arguments: [0o640 as UInt32, 0o604, 0o620, 0o660, 0o644])
    func `a file that others have access to is refused`(mode: UInt32) throws {
        try withFile(mode: mode) { path in
            let problem = problem(path)
            #expect(problem.contains("has mode \(String(mode, radix: 8))"))
            #expect(problem.hasSuffix("chmod 0600 \(path)"))
        }
    }

    @Test func `a link, a directory, a pipe and a file of another user are refused, and none is waited for`() throws {
        try withFile(mode: 0o600) { path in
            #expect(symlink(path, path + ".link") == 0)
            #expect(problem(path + ".link").contains("is a link"))
            #expect(mkfifo(path + ".pipe", 0o600) == 0)
            #expect(problem(path + ".pipe").contains("no regular file"))
            #expect(problem(Files.parent(of: path)).contains("no regular file"))
            #expect(problem(path + ".none") == "missing")
            if geteuid() == 0 {
                try Files.set(FileAccess(owner: 12345, group: 0, mode: 0o600), on: path)
                #expect(problem(path).contains("belongs to user 12345"))
            }
        }
    }
}
