import Foundation
import Testing

@Suite struct TroubleshootingContract {
    /// The entries of the page: lines of its blocks `text`, each with the indented lines below it.
    private func entries() throws -> [String] {
        let page = try String(contentsOfFile: "\(RealProgram.root)/docs/troubleshooting.md", encoding: .utf8)
        var isInside = false
        var entries: [String] = []
        for line in page.components(separatedBy: "\n") {
            if line.hasPrefix("```") {
                isInside = line == "```text"
            } else if isInside, line.hasPrefix("  "), let last = entries.popLast() {
                entries.append(last + " " + line.trimmingCharacters(in: .whitespaces))
            } else if isInside {
                entries.append(line)
            }
        }
        return entries
    }

    @Test func `troubleshooting has every sentence that the modules can say, and no other`() throws {
        let said = try SourcePhrases.phrases(below: "\(RealProgram.root)/Sources")
        let listed = try entries()
        let missing = said.subtracting(listed).sorted()
        #expect(missing.isEmpty, "add to docs/troubleshooting.md, with their cure:\n\(missing.joined(separator: "\n"))")
        let gone = Set(listed).subtracting(said).sorted()
        #expect(gone.isEmpty, "no code says any more:\n\(gone.joined(separator: "\n"))")
        let twice = Dictionary(grouping: listed) { $0 }.filter { $1.count > 1 }.keys.sorted()
        #expect(twice.isEmpty, "stand there twice:\n\(twice.joined(separator: "\n"))")
    }

    @Test func `a sentence is found however it is written`() {
        let source = #"""
            throw Failure("the zone \(zone) " + "is gone")  // "not this one"
            let words = "it \(isLong ? "is too long" : "") \(names.joined(separator: ", ")), so put a \"short\" one"
            let key = "zone_file"
            """#
        let expected: Set = ["the zone … is gone", "is too long", "it … …, so put a \"short\" one"]
        #expect(SourcePhrases.phrases(of: source) == expected)
    }
}
