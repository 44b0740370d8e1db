import AnsibleModule
import FoundationEssentials
import Testing

/// What FoundationEssentials' decoder makes of a text: the measure for the parser, which is here for its speed alone.
private struct Decoded: Decodable {
    let value: JSONValue

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            value = .string(text)
        } else if let members = try? container.decode([String: Decoded].self) {
            value = .object(members.mapValues(\.value))
        } else if let elements = try? container.decode([Decoded].self) {
            value = .array(elements.map(\.value))
        } else if container.decodeNil() {
            value = .null
        } else if let truth = try? container.decode(Bool.self) {
            value = .bool(truth)
        } else if let integer = try? container.decode(Int.self) {
            value = .integer(integer)
        } else {
            value = .number(try container.decode(Double.self))
        }
    }

    static func parse(_ bytes: [UInt8]) -> JSONValue? {
        try? JSONDecoder().decode(Decoded.self, from: Data(bytes)).value
    }
}

@Suite struct `The JSON parser` {
    /// Reads the text, and fails where the decoder reads something else.
    private func parse(_ text: String) -> JSONValue? {
        let bytes = Array(text.utf8)
        let value = JSONValue.parse(bytes)
        #expect(value == Decoded.parse(bytes), "\(text.prefix(80))")
        return value
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("1.0", 1), ("-12.50e1", -125), ("1e3", 1000), ("1E+3", 1000), ("100e-2", 1),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", 9223372036854775808.0), ("0.1", 0.1), ("1.5", 1.5), ("-2e-3", -0.002),
            ("9007199254740993.0", 9_007_199_254_740_993), ("9007199254740993e0", 9_007_199_254_740_993),
            ("1e17", 100_000_000_000_000_000),
            ("1e18", 1_000_000_000_000_000_000), ("1e19", 1e19), ("0e99", 0), ("0.0", 0), ("-0.0e-7", 0),
            ("1.7976931348623157e308", 1.7976931348623157e308), ("5e-324", .number(.leastNonzeroMagnitude)),
            ("12345678901234567890123", 12345678901234567890123.0),
            ("0e99999999999", 0), ("1e-400", 0), ("1e-99999999999", 0), ("1e-9223372036854775808", 0),
        ] as [(String, JSONValue)])
    func `reads a number, as an integer where it is whole and fits`(text: String, value: JSONValue) {
        #expect(parse(text) == value)
    }

    @Test(arguments: [
        "", "-", "+1", "01", "-01", "1.", ".1", "1e", "1e+", "0x1", "1e400", "-1e400", "Infinity", "1_0", "1 2", "--1",
    ])
    func `takes no number that the grammar does not have, or that no Double holds`(text: String) {
        #expect(parse(text) == nil)
        #expect(parse("[\(text),1]") == nil)
    }

    @Test(arguments: [
        (#""""#, ""), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u0041\u00e9\u20AC""#, "Aé€"),
        (#""\ud83d\uDD11 🔑""#, "🔑 🔑"), (#""a\u0000b""#, "a\0b"), (#""\uFFFF\u2028""#, "\u{ffff}\u{2028}"),
        ("\"\u{7f}\u{85}\"", "\u{7f}\u{85}"),
    ])
    func `reads a text with every escape`(text: String, content: String) {
        #expect(parse(text) == .string(content))
    }

    @Test(arguments: [
        #"""#, #"""""#, #""\"#, #""\x""#, #""\u12""#, #""\u12g4""#, #""\u+123""#, #""\ud800""#, #""\udc00""#,
        #""\ud800\ud800""#,
        #""\ud800x""#, #""\ud800\n""#, "\"\n\"", "\"\t\"", "\"\0\"", "\"\u{1f}\"", "'a'", #""\u１２３４""#,
    ])
    func `takes no text that is not closed, escaped or encoded well`(text: String) {
        #expect(parse(text) == nil)
    }

    @Test(
        arguments: [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0x80]]
            as [[UInt8]])
    func `takes no bytes that are not UTF-8`(bytes: [UInt8]) {
        #expect(JSONValue.parse([0x22] + bytes + [0x22]) == nil)
        #expect(JSONValue.parse([0x22, 0x5c, 0x6e] + bytes + [0x22]) == nil)
        #expect(JSONValue.parse(bytes) == nil)
        #expect(JSONValue.parse([0x31] + bytes) == nil)
    }

    @Test func `takes no other encoding, which the decoder would`() {
        #expect(JSONValue.parse(Array("1\0".utf8)) == nil)
        #expect(Decoded.parse(Array("1\0".utf8)) == 1)
    }

    @Test(
        arguments: [
            ("[]", []), (" [ ] ", []), ("{}", [:]), ("\t{\r\n} ", [:]), ("[[],[{}]]", [[], [[:]]]), (" true", true),
            ("false ", false),
            ("null", nil), (#"{"":{"a":[1 , "b"]}, "c" :null}"#, ["": ["a": [1, "b"]], "c": nil]),
        ] as [(String, JSONValue)])
    func `reads lists and mappings with white space anywhere`(text: String, value: JSONValue) {
        #expect(parse(text) == value)
    }

    @Test(arguments: [
        "[", "]", "[1", "[1,", "[,1]", "[1 2]", "{", "}", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a" 1}"#, "{1:2}",
        #"{"a":1 "b":2}"#, "[}", "{]", "[] []", "{}x", "tru", "True", "nulll", "nul", "/**/1", "[1]//", "[\u{a0}1]",
        "[\u{c}1]", "\0", "[1]\0",
    ])
    func `takes nothing broken, and nothing after the value`(text: String) {
        #expect(parse(text) == nil)
    }

    @Test(arguments: [#"{"a":1,"a":2}"#, #"{"a":null,"b":0,"a":{}}"#, "{\"\u{e9}\":1,\"e\u{301}\":2}"])
    func `takes the first of members with one name`(text: String) {
        #expect(parse(text)?.object?.values.contains(2) == false)
    }

    @Test func `reads what is nested 512 times, and no deeper`() {
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            let text = { String(repeating: open, count: $0) + "1" + String(repeating: close, count: $0) }
            #expect(parse(text(511)) != nil)
            #expect(parse(text(512)) != nil)
            #expect(parse(text(513)) == nil)
            #expect(parse(text(100_000)) == nil)
        }
    }

    @Test(arguments: ["[1,]", "[[],]", #"{"a":1,}"#, #"[{"a":[],}]"#])
    func `takes no comma before the end, as the decoder does`(text: String) {
        #expect(JSONValue.parse(Array(text.utf8)) == nil)
        #expect(Decoded.parse(Array(text.utf8)) != nil)
    }

    @Test func `reads a mark of the byte order`() {
        #expect(parse("\u{feff}[1]") == [1])
    }

    /// One text, with each of its bytes in turn replaced by, or preceded by, each of some others, or left out.
    @Test func `says the same as the decoder of every text that differs by a byte`() {
        let text = Array(#" {"a":[1,-2.5e+1,true,null,"\u00e9\n"],"bc":{"d":false}} "#.utf8)
        let others = Array(#" "\,:[]{}0-.eEtnu/x"#.utf8) + [0x00, 0x0a, 0x7f, 0x80, 0xc3, 0xff]
        for index in text.indices {
            for other in others {
                for part in [[other], [other, text[index]], []] as [[UInt8]] {
                    let bytes = Array(text[..<index]) + part + Array(text[(index + 1)...])
                    let shown = String(decoding: bytes, as: UTF8.self)
                    let isText = shown.utf8.elementsEqual(bytes) && !shown.contains(",]") && !shown.contains(",}")
                    #expect(JSONValue.parse(bytes) == (isText ? Decoded.parse(bytes) : nil), "\(shown)")
                }
            }
        }
    }
}
