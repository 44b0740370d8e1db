internal import Glibc
internal import Synchronization

/// A process of a group of its own, that is always waited for: ended by itself, or killed by the deadline.
final class ChildProcess {
    private let identifier: pid_t
    private var input: OutgoingBytes
    private var output: IncomingBytes
    private var errors: IncomingBytes

    /// Held from the making of the pipes until the child has its ends, so that no other child inherits them.
    private static let starting = Mutex(())

    init(words: [String], input: [UInt8], environment: [String: String]) throws(SystemError) {
        (self.input, output, errors, identifier) =
            try Self.starting.withLock { (_) throws(SystemError) in
                let (input, inputEnd) = try OutgoingBytes.make(input)
                defer { inputEnd.end() }
                let (output, outputEnd) = try IncomingBytes.make()
                defer { outputEnd.end() }
                let (errors, errorsEnd) = try IncomingBytes.make()
                defer { errorsEnd.end() }
                let ends = [inputEnd, outputEnd, errorsEnd].map(\.number)
                return (input, output, errors, try Self.spawn(words, environment, ends))
            }
    }

    /// Collects the output until the child has ended, or kills its process group when `seconds` have gone by. A
    /// process that the child leaves behind with its output open is not waited for.
    func wait(seconds: Double, limit: Int) -> Command.Outcome {
        let clock = SystemClock()
        let end = clock.uptime + seconds
        while true {
            var status: Int32 = 0
            let ended = waitpid(identifier, &status, WNOHANG)
            input.write()
            output.read(limit: limit)
            errors.read(limit: limit)
            if ended == identifier { return outcome(Self.ending(status)) }
            let left = end - clock.uptime
            guard left > 0 else { return kill() }
            pause(min(left, 0.02))
        }
    }

    private func kill() -> Command.Outcome {
        Glibc.kill(-identifier, SIGKILL)
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) < 0 && errno == EINTR {}
        return outcome(.timedOut)
    }

    private func outcome(_ ending: Command.Outcome.Ending) -> Command.Outcome {
        Command.Outcome(ending: ending, output: output.bytes, errors: errors.bytes)
    }

    /// Waits for something to read or write, for as long as this at most; a child that has closed its output is
    /// looked at again soon.
    private func pause(_ seconds: Double) {
        let reading = [output.descriptor, errors.descriptor].filter(\.isOpen)
        var sockets = reading.map { pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0) }
        if let writing = input.descriptor, writing.isOpen {
            sockets.append(pollfd(fd: writing.number, events: Int16(POLLOUT), revents: 0))
        }
        let milliseconds = reading.isEmpty ? 1 : Int32((seconds * 1000).rounded(.up))
        poll(&sockets, nfds_t(sockets.count), milliseconds)
    }

    /// The encoding of a status by `waitpid` (WIFEXITED, WEXITSTATUS, WTERMSIG).
    private static func ending(_ status: Int32) -> Command.Outcome.Ending {
        let signal = status & 0x7f
        return signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: signal)
    }
}

// Starting
extension ChildProcess {
    private static func spawn(
        _ words: [String], _ environment: [String: String], _ streams: [Int32]
    ) throws(SystemError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, stream) in streams.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, stream, Int32(target))
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        configure(&attributes)

        var identifier: pid_t = 0
        let code = withStrings(words) { arguments in
            withStrings(variables(environment)) { variables in
                posix_spawnp(&identifier, words[0], &actions, &attributes, arguments, variables)
            }
        }
        guard code == 0 else { throw SystemError("run", words[0], code: code) }
        return identifier
    }

    /// A process group of its own, and signals as a program expects them at its start.
    private static func configure(_ attributes: inout posix_spawnattr_t) {
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))
    }

    /// This process's variables with the given ones in place of those of the same name.
    private static func variables(_ added: [String: String]) -> [String] {
        var all: [String] = []
        var entry = environ
        while let variable = entry.pointee {
            let text = String(cString: variable)
            if added[String(text.prefix { $0 != "=" })] == nil { all.append(text) }
            entry += 1
        }
        return all + added.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    /// A C array of C strings, ended by null, for the length of `body`.
    private static func withStrings<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = texts.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers + [nil])
    }
}
