import AnsibleModule
import Testing

@Suite struct JSONTexts {
    @Test func `every kind of value is read and written again`() {
        let text = #"{"a": [1, -2.5, true, false, null, "x"], "b": {}, "c": []}"#
        let value = JSONValue.parse(Array(text.utf8))
        #expect(value == ["a": [1, -2.5, true, false, nil, "x"], "b": [:], "c": []])
        #expect(value?.rendered == text)
    }

    @Test func `what is written is one line of ASCII that reads back as the same text`() throws {
        let text = "tab\t line\n \u{85}\u{2028} \u{1}\u{7f} \"quoted\" back\\slash ünïcode 🔑"
        let rendered = JSONValue.string(text).rendered
        #expect(rendered.utf8.allSatisfy { (0x20..<0x7f).contains($0) })
        #expect(JSONValue.parse(Array(rendered.utf8)) == .string(text))
    }

    @Test(arguments: [
        ("é", #""\u00e9""#), ("aéü", #""a\u00e9\u00fc""#), ("🔑🔑a", #""\ud83d\udd11\ud83d\udd11a""#),
        ("\u{7f}\n", #""\u007f\n""#),
        (String(repeating: "x", count: 200) + "é\"", "\"" + String(repeating: "x", count: 200) + #"\u00e9\"""#),
        ("\\", #""\\""#),
    ])
    func `what is not printable ASCII is escaped wherever it stands`(text: String, rendered: String) {
        #expect(JSONValue.string(text).rendered == rendered)
    }

    @Test func `mappings in a list have their own members, each sorted`() {
        let list: JSONValue = [["b": 1, "a": 2], ["a": 3, "b": 4], ["a": 5, "c": 6], [:], 7, ["c": 8]]
        #expect(list.rendered == #"[{"a": 2, "b": 1}, {"a": 3, "b": 4}, {"a": 5, "c": 6}, {}, 7, {"c": 8}]"#)
    }

    @Test func `numbers that JSON does not have become null`() {
        let numbers: JSONValue = [.number(.nan), .number(.infinity), 1e300]
        #expect(numbers.rendered == "[null, null, 1e+300]")
    }

    @Test(arguments: ["", "{", "{} x", "{'a': 1}", "NaN", #""\ud800""#, String(repeating: "[", count: 100_000)])
    func `garbled text is no value`(text: String) {
        #expect(JSONValue.parse(Array(text.utf8)) == nil)
    }

    @Test func `bytes that are not UTF-8 are no value, nor is text in another encoding`() {
        #expect(JSONValue.parse([0x22, 0xff, 0x22]) == nil)
        #expect(JSONValue.parse([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]) == nil)
    }
}
