import Dispatch
import Platform
import Synchronization
import TestSupport
import Testing

@Suite struct AtomicFileTests {
    private let secretAccess = FileAccess.own(mode: 0o600)

    @Test func `a file is written with exactly its mode`() throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.write([1, 2, 3], to: directory + "/key", access: .own(mode: 0o640))
            #expect(try Files.read(directory + "/key") == [1, 2, 3])
            #expect(try Files.status(directory + "/key")?.access.mode == 0o640)
            #expect(try Files.list(directory) == ["key"])
        }
    }

    @Test func `a symbolic link at the path is replaced, and what it leads to is left alone`() throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.write([9], to: directory + "/victim", access: secretAccess)
            try AtomicFile.link(directory + "/key", to: directory + "/victim")
            try AtomicFile.write([1], to: directory + "/key", access: secretAccess)
            #expect(try Files.read(directory + "/victim") == [9])
            #expect(try Files.status(directory + "/key")?.kind == .file)
        }
    }

    @Test func `a write that fails leaves the old bytes and no temporary file`() throws {
        try withTemporaryDirectory { directory in
            try Files.makeDirectory(directory + "/busy", access: .own(mode: 0o700))
            try AtomicFile.write([9], to: directory + "/busy/old", access: secretAccess)
            #expect(throws: SystemError.self) {
                try AtomicFile.write([1], to: directory + "/busy", access: secretAccess)
            }
            #expect(try Files.read(directory + "/busy/old") == [9])
            #expect(try Files.list(directory) == ["busy"])
        }
    }

    @Test func `a link switches in one step`() throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.link(directory + "/current", to: "versions/1")
            try AtomicFile.link(directory + "/current", to: "versions/2")
            #expect(Files.target(ofLink: directory + "/current") == "versions/2")
        }
    }

    @Test func `the temporary name does not grow with the name of the file`() {
        let longest = String(repeating: "n", count: 255)
        let name = AtomicFile.temporaryName(for: "/d/" + longest)
        #expect(name.hasPrefix("/d/.new-"))
        #expect(name.utf8.count < 40)
    }
}

@Suite struct FilesTests {
    @Test func `what is not there is nil, not an error`() throws {
        try withTemporaryDirectory { directory in
            #expect(try Files.read(directory + "/none") == nil)
            #expect(try Files.status(directory + "/none") == nil)
            #expect(try Files.list(directory + "/none") == [])
            try Files.remove(directory + "/none")
        }
    }

    @Test func `a file past the limit is refused`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/large"
            try AtomicFile.write([UInt8](repeating: 0, count: 100), to: path, access: .own(mode: 0o600))
            #expect(throws: SystemError("read", path, code: 27)) { try Files.read(path, limit: 99) }
            #expect(try Files.read(path, limit: 100)?.count == 100)
        }
    }

    @Test func `what another process removes meanwhile is no error`() throws {
        try withTemporaryDirectory { directory in
            let made = try Program.run([
                "sh", "-euc", #"mkdir "$1"; cd "$1"; touch $(seq 3000)"#, "sh", directory + "/many",
            ])
            try #require(made.status == 0, "\(made)")
            let failures = Mutex<[String]>([])
            DispatchQueue.concurrentPerform(iterations: 4) { _ in
                do {
                    try Files.remove(directory + "/many")
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            #expect(failures.withLock { $0 } == [])
            #expect(try Files.list(directory) == [])
        }
    }

    @Test func `removing a directory removes links in it and not what they lead to`() throws {
        try withTemporaryDirectory { directory in
            let keep = directory + "/keep"
            try AtomicFile.write([1], to: keep, access: .own(mode: 0o600))
            try Files.makeDirectory(directory + "/gone", access: .own(mode: 0o700))
            try AtomicFile.link(directory + "/gone/link", to: keep)
            try Files.remove(directory + "/gone")
            #expect(try Files.list(directory) == ["keep"])
        }
    }

    @Test func `the access of a symbolic link is refused, not followed`() throws {
        try withTemporaryDirectory { directory in
            try AtomicFile.write([1], to: directory + "/file", access: .own(mode: 0o600))
            try AtomicFile.link(directory + "/link", to: "file")
            #expect(throws: SystemError.self) { try Files.set(.own(mode: 0o666), on: directory + "/link") }
            #expect(try Files.status(directory + "/file")?.access.mode == 0o600)
        }
    }

    @Test(arguments: [("/a/b", "/a"), ("/a", "/"), ("a", ".")])
    func `the parent of a path`(path: String, parent: String) {
        #expect(Files.parent(of: path) == parent)
    }

    @Test func `leaves of a killed writer are removed for one file, not for another beside it`() throws {
        try withTemporaryDirectory { directory in
            let one = try AtomicFile.create([1], beside: directory + "/one", access: .own(mode: 0o600))
            let two = try AtomicFile.create([2], beside: directory + "/two", access: .own(mode: 0o600))
            try AtomicFile.removeTemporaries(of: directory + "/one")
            #expect(try Files.status(one) == nil)
            #expect(try Files.status(two) != nil)
        }
    }
}
