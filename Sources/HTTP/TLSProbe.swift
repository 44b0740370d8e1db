internal import CCurl
package import Platform

/// A service whose certificates are wanted, and how TLS begins there.
package struct TLSService: Sendable {
    /// TLS from the first byte, or after a command of the protocol (STARTTLS: RFC 3207, RFC 2595, RFC 4217).
    package enum StartOfTLS: String, CaseIterable, Sendable {
        case tls, smtp, imap, pop3, ftp

        /// Where such a service usually listens.
        package var usualPort: UInt16 {
            switch self {
            case .tls: 443
            case .smtp: 25
            case .imap: 143
            case .pop3: 110
            case .ftp: 21
            }
        }

        fileprivate var scheme: String { self == .tls ? "https" : rawValue }
    }

    package let start: StartOfTLS
    /// The name or numeric address to connect to, the latter without brackets.
    package let host: String
    package let port: UInt16
    /// The name that is sent (RFC 6066, section 3); an address is not.
    package let serverName: String

    package init(_ start: StartOfTLS, host: String, port: UInt16, serverName: String) {
        self.start = start
        self.host = host
        self.port = port
        self.serverName = serverName
    }

    fileprivate static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
    fileprivate var url: String { "\(start.scheme)://\(Self.bracketed(serverName)):\(port)/" }
    fileprivate var redirection: String { "::\(Self.bracketed(host)):\(port)" }
}

/// What a service showed when TLS began.
package struct ServedChain: Sendable {
    /// The numeric address that answered.
    package let address: String
    /// Its certificates in PEM, its own first.
    package let pem: [UInt8]
}

/// Asks services for their certificates, all at once and without a proxy. Any certificate will do: whether it is a good
/// one is for the caller to say. After TLS has begun nothing is sent but what curl greets with: EHLO, or an anonymous
/// login of FTP.
package enum TLSProbe {
    package static func ask(
        _ services: [TLSService], deadline: Deadline
    ) throws(HTTPError) -> [Result<ServedChain, HTTPError>] {
        let multi = try CurlMulti()
        let handshakes = services.map { TLSHandshake($0) }
        multi.run(handshakes, deadline)
        return handshakes.map { handshake in
            handshake.outcome ?? .failure(HTTPError(host: "", reason: CurlMulti.lateness, retry: .freely))
        }
    }
}

/// One handshake under way.
private final class TLSHandshake: CurlJob {
    let easy: UnsafeMutableRawPointer?  // CURL *
    var outcome: Result<ServedChain, HTTPError>?
    var isDone: Bool { outcome != nil }

    private let service: TLSService
    private let words = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var list: UnsafeMutablePointer<curl_slist>?

    init(_ service: TLSService) {
        self.service = service
        easy = curl_easy_init()
        words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(list)
        words.deallocate()
    }

    func prepare(_ options: CurlOptions, seconds: Double) {
        options.set(CURLOPT_URL, service.url)
        options.set(CURLOPT_PROTOCOLS_STR, "https,smtp,imap,pop3,ftp")
        list = curl_slist_append(nil, service.redirection)
        options.set(list: CURLOPT_CONNECT_TO, list)
        options.set(CURLOPT_PROXY, "")
        options.set(CURLOPT_NOSIGNAL, 1)
        options.prefer(CURLOPT_QUICK_EXIT, 1)
        options.set(CURLOPT_CONNECT_ONLY, 1)
        options.set(CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue))
        options.set(CURLOPT_SSL_VERIFYPEER, 0)
        options.set(CURLOPT_SSL_VERIFYHOST, 0)
        options.set(CURLOPT_CERTINFO, 1)
        // Services that are none of HTTP's may refuse its name, and one that takes a session up shows no certificate.
        options.set(CURLOPT_SSL_ENABLE_ALPN, 0)
        options.set(CURLOPT_SSL_SESSIONID_CACHE, 0)
        options.set(CURLOPT_FRESH_CONNECT, 1)
        options.set(CURLOPT_FORBID_REUSE, 1)
        options.set(seconds: seconds, toConnect: seconds)
        options.set(pointer: CURLOPT_ERRORBUFFER, UnsafeMutableRawPointer(words))
    }

    /// What comes after TLS, a greeting or a refusal of strangers, changes nothing about the certificates.
    func finish(_ code: CURLcode) {
        let pem = certificates
        if !pem.isEmpty {
            outcome = .success(ServedChain(address: address, pem: pem))
            return
        }
        let detail = String(cString: words)
        let reason = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        fail(code == CURLE_OK ? "it showed no certificate" : reason, mayRetry: code != CURLE_OK)
    }

    func fail(_ reason: String, mayRetry: Bool) {
        let host = "\(TLSService.bracketed(service.host)):\(service.port)"
        outcome = .failure(HTTPError(host: host, reason: reason, retry: mayRetry ? .freely : .never))
    }

    private var address: String {
        var text: UnsafePointer<CChar>?
        shim_easy_get_string(easy, CURLINFO_PRIMARY_IP, &text)
        return text.map { String(cString: $0) } ?? ""
    }

    /// The lines that begin with "Cert:".
    private var certificates: [UInt8] {
        guard let found = shim_easy_get_certificates(easy)?.pointee, let lists = found.certinfo else { return [] }
        var pem: [UInt8] = []
        for number in 0..<Int(found.num_of_certs) {
            var line = lists[number]
            while let entry = line?.pointee {
                let text = entry.data.map { String(cString: $0) } ?? ""
                if text.hasPrefix("Cert:") { pem += text.dropFirst(5).utf8 + [UInt8(ascii: "\n")] }
                line = entry.next
            }
        }
        return pem
    }
}
