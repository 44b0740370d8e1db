import Foundation
import Testing

/// `docs/acme-conformance.md`, whose tables name a test for each thing that a CA wants.
@Suite struct ConformanceContract {
    /// A cell such as "SuiteTests: one sentence; another one; OtherTests: a third".
    private struct Proof: Hashable {
        let suite: String
        let sentence: String

        static func read(_ cell: Substring) -> [Proof] {
            var suite = ""
            return cell.components(separatedBy: "; ").map { part in
                guard let named = part.wholeMatch(of: /(\w+(?:Tests|Contract)): (.*)/) else {
                    return Proof(suite: suite, sentence: part)
                }
                suite = String(named.1)
                return Proof(suite: suite, sentence: String(named.2))
            }
        }
    }

    /// The rows of all tables, without their heads.
    private func rows() throws -> [(line: Substring, proofs: [Proof])] {
        let text = try String(contentsOfFile: RealProgram.root + "/docs/acme-conformance.md", encoding: .utf8)
        return text.matches(of: /(?m)^\| (?<what>.+?) \| (?<test>.+?) \|$/)
            .filter { $0.test != "test" }
            .map { ($0.what, Proof.read($0.test)) }
    }

    /// The sentences of each suite, which is a file of its name.
    private func sentences() throws -> [String: Set<String>] {
        let tests = RealProgram.root + "/Tests"
        let files = try #require(FileManager.default.enumerator(atPath: tests)).compactMap { $0 as? String }
        return try files.filter { $0.hasSuffix(".swift") }.reduce(into: [:]) { found, file in
            let text = try String(contentsOfFile: "\(tests)/\(file)", encoding: .utf8)
            let suite = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
            found[suite, default: []].formUnion(text.matches(of: /func `([^`]+)`/).map { String($0.1) })
        }
    }

    @Test func `every line of the list names tests that there are`() throws {
        let (rows, sentences) = (try rows(), try sentences())
        #expect(rows.count > 80, "the tables are read by their form")
        for (line, proofs) in rows {
            for proof in proofs {
                #expect(
                    sentences[proof.suite]?.contains(proof.sentence) == true,
                    "\(line): there is no test `\(proof.sentence)` in a file \(proof.suite).swift")
            }
        }
    }
}
