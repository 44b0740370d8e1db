import TestSupport
import Testing

struct ProgramTests {
    @Test func `more than a pipe holds goes in and comes out whole`() throws {
        let bytes = [UInt8](repeating: 7, count: 1 << 20)
        let result = try Program.run(["cat"], input: bytes)
        #expect(result.status == 0)
        #expect(result.output == bytes)
    }

    @Test func `status, errors, environment and directory are the program's own`() throws {
        let script = "echo $WORD; pwd; echo oops >&2; exit 3"
        let result = try Program.run(["sh", "-c", script], environment: ["WORD": "hello"], directory: "/usr")
        #expect(result.status == 3)
        #expect(result.stdout == "hello\n/usr\n")
        #expect(result.stderr == "oops\n")
    }

    @Test func `a program that is not there has status 127, one that is killed 128 and the signal`() throws {
        #expect(try Program.run(["no-such-program-here"]).status == 127)
        #expect(try Program.run(["sh", "-c", "kill -9 $$"]).status == 137)
    }
}
