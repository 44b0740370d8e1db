import AnsibleModule
import Platform
import Testing

private enum Flavour: String, CaseIterable { case plain, bitter }

/// The sentence of the error that `body` throws; fails where it throws none.
private func sentence<Result>(_ body: () throws(OptionError) -> Result) -> String? {
    do throws(OptionError) {
        let value = try body()
        Issue.record("got \(value) instead of an error")
        return nil
    } catch {
        return error.description
    }
}

@Suite struct ScalarOptions {
    @Test(arguments: [JSONValue.integer(5), .number(5), "5", " 5 "])
    func `a whole number may be a number or its digits`(value: JSONValue) throws {
        var options = Options(["n": value])
        #expect(try options.integer("n", default: 1) == 5)
    }

    @Test func `what is no whole number is refused by name`() {
        for value: JSONValue in ["five", 5.5, true, [], "", "99999999999999999999"] {
            var options = Options(["n": value])
            let text = sentence { () throws(OptionError) in try options.integer("n") }
            #expect(text?.hasPrefix("option n must be a whole number, not ") == true)
        }
    }

    @Test func `a number out of range is refused with the range`() {
        var options = Options(["n": 101, "m": -1])
        #expect(
            sentence { () throws(OptionError) in try options.integer("n", in: 1...100) }
                == "option n must be between 1 and 100, not 101")
        #expect(
            sentence { () throws(OptionError) in try options.integer("m", in: 0 ... .max) }
                == "option m must be at least 0, not -1")
    }

    @Test func `booleans are what Ansible takes for them`() throws {
        for value: JSONValue in [true, 1, "yes", "Yes", "on", "TRUE", "1", "y", "t"] {
            var options = Options(["b": value])
            #expect(try options.boolean("b", default: false))
        }
        for value: JSONValue in [false, 0, "no", "off", "False", "0", "n", "f"] {
            var options = Options(["b": value])
            #expect(try !options.boolean("b", default: true))
        }
        var options = Options(["b": "maybe", "c": 2])
        #expect(
            sentence { () throws(OptionError) in try options.boolean("b") }
                == "option b must be true or false, not \"maybe\"")
        #expect(
            sentence { () throws(OptionError) in try options.boolean("c") }
                == "option c must be true or false, not \"2\"")
    }

    @Test func `null and nothing both mean the default`() throws {
        var options = Options(["n": nil])
        #expect(try options.integer("n", default: 7) == 7)
        #expect(try options.integer("m", default: 7) == 7)
        #expect(try options.string("n") == nil)
        #expect(try options.strings("n") == nil)
        #expect(try options.mapping("n") == nil)
        try options.rejectUnknown()
    }

    @Test func `a choice is one of the listed words`() throws {
        var options = Options(["a": "bitter", "b": "sweet"])
        #expect(try options.choice("a", default: Flavour.plain) == .bitter)
        #expect(try options.choice("c", default: Flavour.plain) == .plain)
        #expect(
            sentence { () throws(OptionError) in try options.choice("b", of: Flavour.self) }
                == "option b must be one of plain, bitter, not \"sweet\"")
    }

    @Test func `a path is absolute and loses its last slashes`() throws {
        var options = Options(["a": "/x/y//", "b": "y", "c": "/"])
        #expect(try options.path("a") == "/x/y")
        #expect(try options.path("c") == "/")
        #expect(try options.path("d", default: "/z") == "/z")
        #expect(sentence { () throws(OptionError) in try options.path("b") } == "option b must be an absolute path")
    }

    @Test func `permissions are octal digits, or the number that YAML makes of them`() throws {
        for value: JSONValue in ["0640", "640", 416] {
            var options = Options(["mode": value])
            #expect(try options.permissions("mode", default: 0) == 0o640)
        }
        for value: JSONValue in [640, "u=rw", "+640", "0888", "17777", true] {
            var options = Options(["mode": value])
            let text = sentence { () throws(OptionError) in try options.permissions("mode", default: 0) }
            #expect(text?.hasPrefix("option mode must be quoted octal permission bits such as \"0640\"") == true)
        }
    }

    @Test func `a NUL character is refused, since system calls would stop at it`() {
        var options = Options(["p": "/etc/x\u{0}y"])
        #expect(
            sentence { () throws(OptionError) in try options.path("p") } == "option p must not hold a NUL character")
    }

    @Test func `a secret is not shown, nor is a value of the wrong type where text is wanted`() throws {
        var options = Options(["key": "hunter2", "other": ["hunter2"]])
        let secret = try options.secret("key")
        #expect(secret?.revealed == "hunter2")
        #expect("\(secret as Any)".contains("hunter2") == false)
        #expect(
            sentence { () throws(OptionError) in try options.secret("other").map { _ in 0 } }
                == "option other must be text, not a list")
    }
}

@Suite struct CollectionOptions {
    @Test(arguments: [JSONValue.strings(["a", "b"]), "a,b", " a , b ,", "[\"a\", \"b\"]"])
    func `a list may be a list, words with commas or JSON in a string`(value: JSONValue) throws {
        var options = Options(["l": value])
        #expect(try options.strings("l") == ["a", "b"])
    }

    @Test func `an empty list is not an absent one`() throws {
        var options = Options(["l": [], "m": ""])
        #expect(try options.strings("l") == [])
        #expect(try options.strings("m") == [])
        #expect(try options.strings("n") == nil)
    }

    @Test func `lists of anything but texts are refused`() {
        var options = Options(["l": ["a", ["b"]], "m": ["x": 1], "e": ["a", ""]])
        #expect(
            sentence { () throws(OptionError) in try options.strings("l") }
                == "option l must be a list of texts, not of a list")
        #expect(
            sentence { () throws(OptionError) in try options.strings("m") } == "option m must be a list, not a mapping")
        #expect(
            sentence { () throws(OptionError) in try options.strings("e") } == "option e must not hold an empty text")
    }

    @Test func `the options of a mapping are named by their path`() throws {
        var options = Options(["certs": ["web01": ["days": "x"]]])
        var certs = try #require(try options.mapping("certs"))
        #expect(certs.names == ["web01"])
        var web01 = try #require(try certs.mapping("web01"))
        #expect(
            sentence { () throws(OptionError) in try web01.integer("days") }
                == "option certs.web01.days must be a whole number, not \"x\"")
    }

    @Test func `a mapping and a list of mappings may be JSON in a string`() throws {
        var options = Options(["certs": #"{"a": ["b"]}"#, "records": #"[{"value": "v"}]"#])
        #expect(options.isMapping("certs"))
        #expect(!options.isMapping("records"))
        var certs = try #require(try options.mapping("certs"))
        #expect(try certs.strings("a") == ["b"])
        var records = try #require(try options.mappings("records"))
        #expect(try records[0].string("value") == "v")
    }

    @Test func `an element that is no mapping is named by its place`() {
        var options = Options(["records": [["value": "v"], 3], "other": "x"])
        #expect(
            sentence { () throws(OptionError) in try options.mappings("records")?.count }
                == "option records.1 must be a mapping, not a number")
        #expect(
            sentence { () throws(OptionError) in try options.mappings("other")?.count }
                == "option other must be a list of mappings, not text")
    }

    @Test func `an unreadable JSON string is refused without showing it`() {
        var options = Options(["certs": #"{"a": hunter2}"#])
        #expect(
            sentence { () throws(OptionError) in try options.mapping("certs")?.names }
                == "option certs must be a mapping, not text")
    }
}

@Suite struct UnknownOptions {
    @Test func `an unknown option is named with the nearest known one and all the others`() throws {
        var options = Options(["cert_pth": "/x", "timeout": 3])
        _ = try options.path("cert_path")
        _ = try options.integer("timeout")
        #expect(
            sentence { () throws(OptionError) in try options.rejectUnknown() }
                == "option cert_pth is unknown (did you mean cert_path?); known options: cert_path, timeout")
    }

    @Test func `no hint is given where nothing is near`() throws {
        var options = Options(["zzz": 1])
        _ = try options.path("cert_path")
        #expect(
            sentence { () throws(OptionError) in try options.rejectUnknown() }
                == "option zzz is unknown; known options: cert_path")
    }

    @Test func `an unknown null is unknown too`() {
        let options = Options(["zzz": nil])
        #expect(sentence { () throws(OptionError) in try options.rejectUnknown() } != nil)
    }

    @Test func `Ansible's own names are nobody's business`() throws {
        let options = Options(["_ansible_check_mode": true, "_ansible_tomorrow": ["x"]])
        #expect(options.names == [])
        try options.rejectUnknown()
    }

    @Test func `a missing option points at a misspelt one`() {
        var options = Options(["domain": "a.example.org"])
        #expect(
            sentence { () throws(OptionError) in try options.requiredString("domains") }
                == "option domains is missing; domain is unknown")
        #expect(
            sentence { () throws(OptionError) in try options.requiredString("zone") } == "option zone is missing")
    }
}
