/// One field of a request or reply (RFC 9110, section 5).
package struct HTTPField: Sendable, Equatable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What is sent to a server.
package struct HTTPRequest: Sendable, Equatable {
    package enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    package var method: Method
    package var url: String
    package var headers: [HTTPField]
    /// Sent with POST and PUT only.
    package var body: [UInt8]?

    package init(_ method: Method, _ url: String, headers: [HTTPField] = [], body: [UInt8]? = nil) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// The host and port of the URL, for messages; the whole URL where there is none.
    package var host: String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count > 2, parts[1].isEmpty, !parts[2].isEmpty else { return url }
        let authority = parts[2].prefix { $0 != "?" && $0 != "#" }
        return String(authority.split(separator: "@").last ?? authority)
    }
}

/// What a server answered.
package struct HTTPResponse: Sendable, Equatable {
    package var status: Int
    package var fields: [HTTPField]
    package var body: [UInt8]

    package init(status: Int, fields: [HTTPField] = [], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// The first value of a field; names differ in no more than case (RFC 9110, section 5.1).
    package func header(_ name: String) -> String? { headers(name).first }

    /// Every value of a field that may be repeated, in order.
    package func headers(_ name: String) -> [String] {
        let wanted = name.lowercased()
        return fields.filter { $0.name.lowercased() == wanted }.map(\.value)
    }

    /// The media type in lower case, without parameters: `application/json` (RFC 9110, section 8.3.1).
    package var mediaType: String? {
        guard let type = header("Content-Type")?.split(separator: ";").first else { return nil }
        return type.filter { $0 != " " && $0 != "\t" }.lowercased()
    }
}
