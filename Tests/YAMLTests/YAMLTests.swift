import AnsibleModule
import Testing

@testable import YAML

@Suite("YAML documents")
struct YAMLTests {
    private func parse(_ text: String) throws -> JSONValue { try YAML.parse(Array(text.utf8)) }

    @Test("mappings, lists and texts are read, and plain scalars stay texts")
    func values() throws {
        let value = try parse("a: 0123\nb: [x, 'null', ~]\nc: {d: yes}\n'e': |\n  two\n  lines\n")
        #expect(value == ["a": "0123", "b": ["x", "null", nil], "c": ["d": "yes"], "e": "two\nlines\n"])
    }

    @Test("JSON is read too")
    func json() throws {
        #expect(
            try parse(#"{"username":"ü","apiKey": "\u00e9","n":12}"#) == ["username": "ü", "apiKey": "é", "n": "12"])
    }

    @Test("an empty document is null")
    func empty() throws {
        #expect(try parse("") == .null)
        #expect(try parse("# nothing\n") == .null)
    }

    @Test("anchors and merged mappings are followed, and own members win")
    func anchors() throws {
        let value = try parse("base: &b {a: 1, b: 2}\nuse:\n  <<: *b\n  b: 3\n")
        #expect(value["use"] == ["a": "1", "b": "3"])
    }

    @Test(
        "what cannot be read is said with its line, and quotes nothing",
        arguments: ["a: s3cret\nb: [s3cret", "a: s3cret\na: s3cret", "a: s3cret\n? [x]\n: s3cret", "a: s3cret\n\t- b"])
    func broken(text: String) {
        let failure = #expect(throws: YAML.Failure.self) { try parse(text) }
        #expect(failure?.description.hasPrefix("line ") == true)
        #expect(failure?.description.contains("s3cret") == false)
    }

    @Test("aliases that grow without end are refused", .timeLimit(.minutes(1)))
    func bomb() {
        let lines = (1...9).map { level in
            "l\(level): &l\(level) [" + Array(repeating: "*l\(level - 1)", count: 9).joined(separator: ",") + "]"
        }
        let failure = #expect(throws: YAML.Failure.self) {
            try parse("l0: &l0 x\n" + lines.joined(separator: "\n"))
        }
        #expect(failure?.description.contains("more than") == true)
    }
}
