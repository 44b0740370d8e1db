import FoundationEssentials
import HTTP
import Testing

@Suite struct HTTPMessageTests {
    @Test func `a field is found whatever its case, with all its values`() {
        let fields = [HTTPField("link", "<a>"), HTTPField("Link", "<b>"), HTTPField("Other", "c")]
        let response = HTTPResponse(status: 200, fields: fields)
        #expect(response.header("LINK") == "<a>")
        #expect(response.headers("Link") == ["<a>", "<b>"])
        #expect(response.header("Location") == nil)
    }

    @Test(arguments: [
        ("application/json", "application/json"),
        ("Application/Problem+JSON; charset=utf-8", "application/problem+json"),
    ]) func `a media type is lower case without parameters`(text: String, type: String) {
        #expect(HTTPResponse(status: 200, fields: [HTTPField("Content-Type", text)]).mediaType == type)
    }

    @Test(arguments: [
        ("https://ca.example/dir", "ca.example"), ("https://user:word@ca.example:14000/x?y", "ca.example:14000"),
        ("https://ca.example", "ca.example"), ("https://[::1]:1/x", "[::1]:1"), ("nonsense", "nonsense"),
        ("https://ca.example?x", "ca.example"),
    ]) func `the host of a URL, without credentials`(url: String, host: String) {
        #expect(HTTPRequest(.get, url).host == host)
    }

    @Test func `the example date of RFC 9110`() {
        #expect(HTTPDate.parse("Sun, 06 Nov 1994 08:49:37 GMT") == Date(timeIntervalSince1970: 784_111_777))
    }

    @Test(arguments: [
        "", "120", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 31 Feb 2026 08:49:37 GMT",
        "Sun, 06 Nov 1994 99:49:37 GMT",
    ]) func `what is no date of HTTP is none`(text: String) {
        #expect(HTTPDate.parse(text) == nil)
    }
}
