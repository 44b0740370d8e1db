import HTTP
import Testing

@Suite struct URLReferenceTests {
    /// Of the examples of RFC 3986, section 5.4, what servers send.
    @Test(arguments: [
        ("https://b/x/y", "https://b/x/y"), ("//b/x", "https://b/x"), ("/acme/cert/1/alt", "https://a/acme/cert/1/alt"),
        ("alt", "https://a/acme/cert/alt"), ("./alt", "https://a/acme/cert/alt"), ("../2", "https://a/acme/2"),
        ("?chain=1", "https://a/acme/cert/1?chain=1"),
    ])
    func `a reference is resolved against the URL that was asked for`(reference: String, url: String) {
        #expect(URLReference.resolve(reference, against: "https://a/acme/cert/1?x=y") == url)
    }

    @Test(arguments: ["https://", "https://a b/", "https://a:port/"])
    func `what is no URL is none`(reference: String) {
        #expect(URLReference.resolve(reference, against: "https://a/acme/cert/1") == nil)
    }

    @Test func `nothing is resolved against what is no URL`() {
        #expect(URLReference.resolve("/x", against: "no url") == nil)
    }
}
