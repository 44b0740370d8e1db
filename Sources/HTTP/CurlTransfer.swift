internal import CCurl

/// What all requests of one transport have in common.
struct CurlSettings {
    let caBundle: String?
    let userAgent: String
}

/// One request under way: owns curl's handle and the buffers that curl writes into.
final class CurlTransfer: CurlJob {
    /// The largest body, and the largest sum of header fields, that is read.
    static let bodyLimit = 1 << 20
    static let headerLimit = 64 << 10

    let easy: UnsafeMutableRawPointer?  // CURL *
    var outcome: Result<HTTPResponse, HTTPError>?

    var isDone: Bool { outcome != nil }

    private let request: HTTPRequest
    private let settings: CurlSettings
    private let words = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var list: UnsafeMutablePointer<curl_slist>?
    private var fields: [HTTPField] = []
    private var fieldBytes = 0
    private var body: [UInt8] = []
    private var isTooLarge = false

    init(_ request: HTTPRequest, _ settings: CurlSettings) {
        self.request = request
        self.settings = settings
        easy = curl_easy_init()
        words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(list)
        words.deallocate()
    }

    /// Tells curl everything about the request.
    func prepare(_ options: CurlOptions, seconds: Double) {
        options.set(CURLOPT_URL, request.url)
        options.set(CURLOPT_PROTOCOLS_STR, "https")
        options.set(CURLOPT_USERAGENT, settings.userAgent)
        options.set(CURLOPT_NOSIGNAL, 1)
        options.prefer(CURLOPT_QUICK_EXIT, 1)
        options.set(CURLOPT_FOLLOWLOCATION, 0)
        options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        options.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        options.set(CURLOPT_PIPEWAIT, 1)
        setTrust(options)
        options.set(seconds: seconds, toConnect: 15)
        options.set(CURLOPT_LOW_SPEED_LIMIT, 1)
        options.set(CURLOPT_LOW_SPEED_TIME, 30)
        setMessage(options)
        setBuffers(options)
    }

    private func setTrust(_ options: CurlOptions) {
        options.set(CURLOPT_SSL_VERIFYPEER, 1)
        options.set(CURLOPT_SSL_VERIFYHOST, 2)
        options.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        guard let caBundle = settings.caBundle else { return }
        options.set(CURLOPT_CAINFO, caBundle)
        // The system's directory of trusted certificates would otherwise count as well.
        options.set(CURLOPT_CAPATH, nil)
    }

    private func setMessage(_ options: CurlOptions) {
        switch request.method {
        case .get: options.set(CURLOPT_HTTPGET, 1)
        case .head: options.set(CURLOPT_NOBODY, 1)
        case .delete: options.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        case .post: setBody(options)
        case .put:
            setBody(options)
            options.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        }
        for field in request.headers { list = curl_slist_append(list, "\(field.name): \(field.value)") }
        options.set(list: CURLOPT_HTTPHEADER, list)
    }

    private func setBody(_ options: CurlOptions) {
        options.set(CURLOPT_POST, 1)
        options.set(postedBytes: request.body ?? [])
        // No round trip for "100 Continue".
        list = curl_slist_append(list, "Expect:")
    }

    private func setBuffers(_ options: CurlOptions) {
        let me = Unmanaged.passUnretained(self).toOpaque()
        options.set(pointer: CURLOPT_ERRORBUFFER, UnsafeMutableRawPointer(words))
        options.set(pointer: CURLOPT_HEADERDATA, me)
        options.set(pointer: CURLOPT_WRITEDATA, me)
        options.set(callback: CURLOPT_HEADERFUNCTION) { bytes, size, count, me in
            CurlTransfer.of(me).takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        options.set(callback: CURLOPT_WRITEFUNCTION) { bytes, size, count, me in
            CurlTransfer.of(me).takeBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
    }

    private static func of(_ pointer: UnsafeMutableRawPointer?) -> CurlTransfer {
        // `setBuffers` gave curl this pointer, and the transport keeps the transfer for as long as curl knows it.
        Unmanaged<CurlTransfer>.fromOpaque(pointer.unsafelyUnwrapped).takeUnretainedValue()
    }

    /// Keeps a header line; the fields before a further status line belong to an interim reply (RFC 9110, 15.2).
    private func takeHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
        fieldBytes += bytes.count
        guard fieldBytes <= Self.headerLimit else { return refuse() }
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            fields = []
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...].drop(while: \.isWhitespace)
            fields.append(HTTPField(String(line[..<colon]), String(value.trimmingEnd())))
        }
        return bytes.count
    }

    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard body.count + bytes.count <= Self.bodyLimit else { return refuse() }
        body.append(contentsOf: bytes)
        return bytes.count
    }

    /// Makes curl give the transfer up: fewer bytes taken than offered.
    private func refuse() -> Int {
        isTooLarge = true
        return 0
    }

    /// Turns curl's verdict into the outcome.
    func finish(_ code: CURLcode) {
        if isTooLarge {
            outcome = .failure(failure("the answer is larger than this client reads", .never))
        } else if code == CURLE_OK {
            var status = 0
            shim_easy_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
            outcome = .success(HTTPResponse(status: status, fields: fields, body: body))
        } else {
            let detail = String(cString: words)
            let reason = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
            outcome = .failure(failure(reason, Self.retry(after: code)))
        }
    }

    func fail(_ reason: String, mayRetry: Bool) {
        outcome = .failure(failure(reason, mayRetry ? .freely : .never))
    }

    private func failure(_ reason: String, _ retry: HTTPError.Retry) -> HTTPError {
        HTTPError(host: request.host, reason: reason, retry: retry)
    }

    private static func retry(after code: CURLcode) -> HTTPError.Retry {
        switch code {
        case CURLE_COULDNT_CONNECT, CURLE_OPERATION_TIMEDOUT, CURLE_GOT_NOTHING, CURLE_SEND_ERROR,
            CURLE_RECV_ERROR, CURLE_PARTIAL_FILE, CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_AGAIN:
            .freely
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_SSL_CONNECT_ERROR, CURLE_PROXY:
            .briefly
        default:
            .never
        }
    }
}

extension Substring {
    fileprivate func trimmingEnd() -> Substring {
        var rest = self
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return rest
    }
}
