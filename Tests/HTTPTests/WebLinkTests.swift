import HTTP
import Testing

@Suite struct WebLinkTests {
    private func links(_ fields: String...) -> [String] {
        HTTPResponse(status: 200, fields: fields.map { HTTPField("link", $0) }).links("alternate")
    }

    @Test func `links are found in repeated fields and in one that is joined by commas`() {
        #expect(
            links("<https://a/1>;rel=\"alternate\"", "<https://a/2>; rel=alternate") == ["https://a/1", "https://a/2"])
        #expect(
            links("<https://a/index>;rel=\"index\", <https://a/1> ; title=\"a, b; c\"; rel=\"up alternate\"")
                == ["https://a/1"])
    }

    @Test(arguments: ["", ",;,", "https://a/1; rel=alternate", "<https://a/1", "<https://a/1>", "<https://a>; rel"])
    func `what is no link is passed over`(field: String) {
        #expect(links(field) == [])
    }

    @Test func `a comma in a target does not end it, and relations differ in no more than case`() {
        #expect(links("<https://a/1,2;3>; REL=\"Alternate\"") == ["https://a/1,2;3"])
    }
}
