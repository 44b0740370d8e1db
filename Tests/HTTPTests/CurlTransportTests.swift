import Foundation
import HTTP
import Platform
import TestSupport
import Testing

/// The transport against a real HTTPS server that serves files as they are.
@Suite struct CurlTransportTests {
    private func get(_ server: FileServer, _ paths: [String], seconds: Double = 10) throws -> [Result<
        HTTPResponse, HTTPError
    >] {
        let transport = try CurlTransport(caBundle: server.certificate, userAgent: "acme-modules/test")
        let deadline = Deadline(seconds: seconds, clock: SystemClock())
        return transport.perform(paths.map { HTTPRequest(.get, server.url + $0) }, deadline: deadline)
    }

    private func error(_ result: Result<HTTPResponse, HTTPError>) throws -> HTTPError {
        var found: HTTPError?
        if case .failure(let error) = result { found = error }
        return try #require(found)
    }

    @Test func `many answers come in the order of their requests`() throws {
        let paths = (0..<20).map { "file\($0)" }
        let files = paths.map { ($0, Array("HTTP/1.1 200 OK\r\nX-Name: \($0)\r\n\r\nbody of \($0)".utf8)) }
        let server = try FileServer(Dictionary(uniqueKeysWithValues: files))
        let responses = try get(server, paths).map { try $0.get() }
        #expect(responses.map { $0.header("x-name") } == paths)
        #expect(responses.map { String(decoding: $0.body, as: UTF8.self) } == paths.map { "body of \($0)" })
    }

    @Test func `fields are kept one by one, without those of interim replies`() throws {
        let text =
            "HTTP/1.1 103 Early Hints\r\nLink: <early>\r\n\r\nHTTP/1.1 404 Not Found\r\n"
            + "Link: <a>;rel=\"x\"\r\nLINK:\t<b> \r\nEmpty:\r\n\r\n"
        let server = try FileServer(["links": Array(text.utf8)])
        let response = try get(server, ["links"])[0].get()
        #expect(response.status == 404)
        #expect(response.headers("Link") == ["<a>;rel=\"x\"", "<b>"])
        #expect(response.header("Empty") == "")
    }

    @Test func `a redirect is an answer`() throws {
        let server = try FileServer(["old": Array("HTTP/1.1 302 Found\r\nLocation: /new\r\n\r\n".utf8)])
        let response = try get(server, ["old"])[0].get()
        #expect(response.status == 302)
        #expect(response.header("Location") == "/new")
    }

    @Test func `an answer without end is refused, in body and header`() throws {
        let head = Array("HTTP/1.1 200 OK\r\n".utf8)
        let fields = (0..<2000).map { "X-Field-\($0): \(String(repeating: "x", count: 40))\r\n" }.joined()
        let server = try FileServer([
            "body": head + Array("\r\n".utf8) + [UInt8](repeating: 1, count: (1 << 20) + 1),
            "exact": head + Array("\r\n".utf8) + [UInt8](repeating: 1, count: 1 << 20),
            "header": head + Array(fields.utf8) + Array("\r\n".utf8),
        ])
        let results = try get(server, ["body", "exact", "header"])
        #expect(try error(results[0]).retry == .never)
        #expect(try error(results[0]).reason == "the answer is larger than this client reads")
        #expect(try results[1].get().body.count == 1 << 20)
        #expect(try error(results[2]).retry == .never)
    }

    @Test func `an answer that breaks off may be tried again`() throws {
        let server = try FileServer(["part": Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this".utf8)])
        #expect(try error(get(server, ["part"])[0]).retry == .freely)
    }

    @Test func `a server that the system does not trust is refused for good`() throws {
        let server = try FileServer([:])
        let transport = try CurlTransport(caBundle: nil, userAgent: "acme-modules/test")
        let result = transport.perform(
            [HTTPRequest(.get, server.url)], deadline: Deadline(seconds: 10, clock: SystemClock()))[0]
        let error = try error(result)
        #expect(error.retry == .never)
        #expect(error.description.hasPrefix("no answer from 127.0.0.1:\(server.port): SSL certificate problem"))
    }

    @Test func `a bundle replaces the system's trust`() throws {
        let server = try FileServer([:])
        let other = try FileServer([:])
        let transport = try CurlTransport(caBundle: other.certificate, userAgent: "acme-modules/test")
        let result = transport.perform(
            [HTTPRequest(.get, server.url)], deadline: Deadline(seconds: 10, clock: SystemClock()))[0]
        #expect(try error(result).retry == .never)
    }

    @Test func `only HTTPS is spoken`() throws {
        let transport = try CurlTransport(caBundle: nil, userAgent: "acme-modules/test")
        let urls = ["http://127.0.0.1:1/", "file:///etc/passwd", "nonsense", ""]
        let results = transport.perform(
            urls.map { HTTPRequest(.get, $0) }, deadline: Deadline(seconds: 5, clock: SystemClock()))
        for result in results { #expect(try error(result).retry == .never) }
    }

    @Test func `a closed port may be tried again, and its neighbour is not hurt`() throws {
        let server = try FileServer(["x": Array("HTTP/1.1 200 OK\r\n\r\n".utf8)])
        let closed = try FreePorts.take(1)[0]
        let transport = try CurlTransport(caBundle: server.certificate, userAgent: "acme-modules/test")
        let results = transport.perform(
            [HTTPRequest(.get, "https://127.0.0.1:\(closed)/"), HTTPRequest(.get, server.url + "x")],
            deadline: Deadline(seconds: 10, clock: SystemClock()))
        #expect(try error(results[0]).retry == .freely)
        #expect(try results[1].get().status == 200)
    }

    @Test func `a server that says nothing is left at the deadline`() throws {
        try FreePorts.withSilentListener { port in
            let transport = try CurlTransport(caBundle: nil, userAgent: "acme-modules/test")
            let clock = SystemClock()
            let start = clock.uptime
            let result = transport.perform(
                [HTTPRequest(.get, "https://127.0.0.1:\(port)/")], deadline: Deadline(seconds: 0.2, clock: clock))[0]
            #expect(try error(result).retry == .freely)
            #expect((0.15...5).contains(clock.uptime - start))
        }
    }

    @Test func `a deadline that has passed sends nothing`() throws {
        let transport = try CurlTransport(caBundle: nil, userAgent: "acme-modules/test")
        let result = transport.perform(
            [HTTPRequest(.get, "https://127.0.0.1:1/")], deadline: Deadline(seconds: 0, clock: SystemClock()))[0]
        #expect(try error(result).reason == "it did not answer within the time limit")
    }

    @Test func `a bundle that is missing or holds no certificate is refused by name`() throws {
        try withTemporaryDirectory { directory in
            let empty = directory + "/empty.pem"
            try AtomicFile.write(Array("nothing".utf8), to: empty, access: .own(mode: 0o600))
            for path in [empty, directory + "/missing.pem"] {
                let error = #expect(throws: HTTPError.self) { try CurlTransport(caBundle: path, userAgent: "x") }
                #expect(error?.description.contains(path) == true)
            }
        }
    }

    @Test func `a server with HTTP/2 gets all requests over one connection`() throws {
        let pebble = try PebbleServer()
        let transport = try CurlTransport(caBundle: pebble.caBundle, userAgent: "acme-modules/test")
        let deadline = Deadline(seconds: 20, clock: SystemClock())
        let nonce = pebble.directoryURL.replacingOccurrences(of: "/dir", with: "/nonce-plz")
        for _ in 0..<2 {
            let results = transport.perform(Array(repeating: HTTPRequest(.head, nonce), count: 50), deadline: deadline)
            #expect(Set(try results.map { try $0.get().header("Replay-Nonce") }).count == 50)
        }
        let port = try #require(UInt16(pebble.directoryURL.split(separator: ":")[2].prefix { $0 != "/" }))
        #expect(try connections(to: port) == 1)
    }

    /// How many TCP connections to a loopback port are established (proc(5)).
    private func connections(to port: UInt16) throws -> Int {
        let table = String(decoding: try Files.read("/proc/net/tcp") ?? [], as: UTF8.self)
        let remote = String(format: "0100007F:%04X", port)
        return table.split(separator: "\n").filter {
            let columns = $0.split(separator: " ")
            return columns.count > 3 && columns[2] == remote && columns[3] == "01"
        }.count
    }
}
