internal import Glibc

/// An external program with its arguments, run without a shell.
package struct Command: Sendable, Equatable, CustomStringConvertible {
    /// The program, looked up in PATH where it has no slash, and its arguments.
    package let words: [String]

    /// Throws `EINVAL` where there is no program, or a word holds a NUL character.
    package init(_ words: [String]) throws(SystemError) {
        guard let program = words.first, !program.isEmpty, words.allSatisfy({ !$0.utf8.contains(0) }) else {
            throw SystemError("run", words.first ?? "a command without words", code: EINVAL)
        }
        self.words = words
    }

    private init(trusted words: [String]) {
        self.words = words
    }

    /// The command as one line that a shell would split into the same words.
    package var description: String { CommandWords.join(words) }

    /// The same command with `{name}` in its words replaced by each value.
    package func filling(_ values: [String: String]) throws(SystemError) -> Command {
        try Command(words.map { Self.fill($0, values) })
    }

    /// One pass, so that a value which looks like a placeholder stays as it is.
    private static func fill(_ word: String, _ values: [String: String]) -> String {
        var result = ""
        var rest = Substring(word)
        while let brace = rest.firstIndex(of: "{") {
            result += rest[..<brace]
            rest = rest[brace...]
            let end = rest.firstIndex(of: "}")
            let name = end.map { String(rest[rest.index(after: brace)..<$0]) }
            if let end, let name, let value = values[name] {
                result += value
                rest = rest[rest.index(after: end)...]
            } else {
                result += "{"
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }

    /// How a program ended, and what it wrote.
    package struct Outcome: Sendable, Equatable {
        package enum Ending: Sendable, Equatable {
            case exited(Int32)
            case killed(signal: Int32)
            /// It ran past the deadline and was killed, with its process group.
            case timedOut
        }

        package let ending: Ending
        /// The first bytes that it wrote; what is past the limit is dropped.
        package let output: [UInt8]
        package let errors: [UInt8]

        package var succeeded: Bool { ending == .exited(0) }

        /// How it ended with the last lines that it wrote, for a sentence: "ended with status 1: no such zone".
        package var description: String {
            let words = errors.allSatisfy(Self.isSpace) ? output : errors
            let lines = String(decoding: words, as: UTF8.self).split(whereSeparator: \.isNewline)
            let said = lines.suffix(5).joined(separator: " / ").suffix(800)
            return ending.description + (said.isEmpty ? "" : ": \(said)")
        }

        private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
    }

    /// Runs the program to its end, at most until the deadline (measured in real time). `input` is what it reads; by
    /// default nothing. Its environment and working directory are the caller's, plus `environment`.
    ///
    /// Throws where the program cannot be started; how it ends is in the outcome.
    package func run(
        input: [UInt8] = [], environment: [String: String] = [:], limit: Int = 1 << 20, deadline: Deadline
    ) throws(SystemError) -> Outcome {
        let child = try ChildProcess(words: words, input: input, environment: environment)
        return child.wait(seconds: deadline.remaining, limit: limit)
    }
}

extension Command.Outcome.Ending: CustomStringConvertible {
    package var description: String {
        switch self {
        case .exited(let status): "ended with status \(status)"
        case .killed(let signal): "was ended by signal \(signal)"
        case .timedOut: "did not end in time and was killed"
        }
    }
}
