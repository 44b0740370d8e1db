import Glibc
import Platform
import TestSupport
import Testing

@Suite struct FileLockTests {
    @Test func `the second to come waits until its deadline and is told who holds the lock`() throws {
        try withTemporaryDirectory { directory in
            let clock = ManualClock()
            let first = try FileLock(
                directory + "/lock", purpose: "acme_finalize", deadline: Deadline(seconds: 1, clock: clock))
            first.whileHeld {
                do {
                    _ = try FileLock(
                        directory + "/lock", purpose: "second", deadline: Deadline(seconds: 5, clock: clock))
                    Issue.record("the lock was had twice")
                } catch {
                    #expect("\(error)".contains("is still locked by acme_finalize, process "))
                }
                let open = (3..<1024).filter { Files.target(ofLink: "/proc/self/fd/\($0)") == directory + "/lock" }
                #expect(open.count == 1)
            }
            #expect(clock.uptime >= 5)
        }
    }

    @Test func `a lock is free again when its holder is gone`() throws {
        try withTemporaryDirectory { directory in
            let deadline = Deadline(seconds: 1, clock: ManualClock())
            do {
                let first = try FileLock(directory + "/lock", purpose: "first", deadline: deadline)
                first.whileHeld {}
            }
            _ = try FileLock(directory + "/lock", purpose: "second", deadline: deadline)
        }
    }

    @Test func `a lock is free at once though a child that was started meanwhile has its file`() throws {
        try withTemporaryDirectory { directory in
            let (path, deadline) = (directory + "/lock", Deadline(seconds: 0, clock: ManualClock()))
            var inherited: Int32 = -1
            do {
                let first = try FileLock(path, purpose: "first", deadline: deadline)
                try first.whileHeld {
                    let own = try #require((3..<1024).first { Files.target(ofLink: "/proc/self/fd/\($0)") == path })
                    inherited = dup(Int32(own))
                }
            }
            defer { close(inherited) }
            #expect(inherited >= 0)
            _ = try FileLock(path, purpose: "second", deadline: deadline)
        }
    }
}

@Suite struct SecretTests {
    @Test func `a secret shows itself nowhere`() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!"\(secret) \(String(reflecting: secret)) \(dumped)".contains("hunter2"))
        #expect(secret.revealed == "hunter2")
    }
}

@Suite struct DeadlineTests {
    @Test func `a pause never goes past the deadline`() {
        let clock = ManualClock()
        let deadline = Deadline(seconds: 3, clock: clock)
        deadline.pause(seconds: 2)
        #expect(deadline.remaining == 1)
        deadline.pause(seconds: 3600)
        #expect(clock.uptime == 3)
        #expect(deadline.hasPassed)
    }
}
