internal import CCurl
package import Platform

/// HTTPS through libcurl: all requests at once, over one HTTP/2 connection where the server speaks it. Connections
/// stay open for the life of the object. A proxy is taken from the environment (`https_proxy`, `no_proxy`).
package final class CurlTransport: Transport {
    private let multi: OpaquePointer  // CURLM *
    private let settings: CurlSettings

    /// `caBundle` is a file of PEM certificates that is trusted instead of the system's. Throws where it holds none.
    package init(caBundle: String?, userAgent: String) throws(HTTPError) {
        if let caBundle { try Self.check(caBundle: caBundle) }
        guard Self.isReady, let multi = curl_multi_init() else {
            throw HTTPError(host: "", reason: "libcurl could not be initialized", retry: .never)
        }
        self.multi = OpaquePointer(multi)
        settings = CurlSettings(caBundle: caBundle, userAgent: userAgent)
        shim_multi_set_long(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX)
        shim_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 8)
        shim_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 8)
    }

    deinit {
        curl_multi_cleanup(UnsafeMutableRawPointer(multi))
    }

    /// curl's global state, made once for the process.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private static func check(caBundle: String) throws(HTTPError) {
        let bytes: [UInt8]?
        do throws(SystemError) {
            bytes = try Files.read(caBundle)
        } catch {
            throw HTTPError(host: "", reason: "the CA bundle cannot be used: \(error)", retry: .never)
        }
        guard let bytes else {
            throw HTTPError(host: "", reason: "the CA bundle \(caBundle) does not exist", retry: .never)
        }
        guard String(decoding: bytes, as: UTF8.self).contains("-----BEGIN") else {
            throw HTTPError(host: "", reason: "the CA bundle \(caBundle) holds no PEM certificate", retry: .never)
        }
    }

    package func perform(_ requests: [HTTPRequest], deadline: Deadline) -> [Result<HTTPResponse, HTTPError>] {
        let transfers = requests.map { CurlTransfer($0) }
        for transfer in transfers { start(transfer, deadline) }
        drive(transfers, deadline)
        for transfer in transfers { curl_multi_remove_handle(UnsafeMutableRawPointer(multi), transfer.easy) }
        return transfers.map { $0.outcome ?? .failure($0.failure("it did not answer within the time limit", .freely)) }
    }

    private func start(_ transfer: CurlTransfer, _ deadline: Deadline) {
        guard !deadline.hasPassed else { return }
        guard transfer.prepare(settings, seconds: deadline.remaining) else {
            transfer.outcome = .failure(transfer.failure("libcurl refuses the request or an option", .never))
            return
        }
        let code = curl_multi_add_handle(UnsafeMutableRawPointer(multi), transfer.easy)
        if code != CURLM_OK { transfer.outcome = .failure(transfer.failure(Self.words(code), .never)) }
    }

    /// Lets curl work until every transfer has ended. Each has its own time limit within the deadline; the check of
    /// the deadline here is for the transfers that curl has not begun.
    private func drive(_ transfers: [CurlTransfer], _ deadline: Deadline) {
        let handle = UnsafeMutableRawPointer(multi)
        var running: Int32 = 1
        while transfers.contains(where: { $0.outcome == nil }) && !deadline.hasPassed {
            var code = curl_multi_perform(handle, &running)
            collect(transfers)
            if code == CURLM_OK && running == 0 { break }
            let pause = Int32(min(1000, max(1, deadline.remaining * 1000)))
            if code == CURLM_OK { code = curl_multi_poll(handle, nil, 0, pause, nil) }
            guard code == CURLM_OK else {
                let words = Self.words(code)
                for transfer in transfers where transfer.outcome == nil {
                    transfer.outcome = .failure(transfer.failure(words, .freely))
                }
                return
            }
        }
    }

    private func collect(_ transfers: [CurlTransfer]) {
        var left: Int32 = 0
        while let message = curl_multi_info_read(UnsafeMutableRawPointer(multi), &left) {
            let result = shim_message_result(message)
            guard let transfer = transfers.first(where: { $0.easy == message.pointee.easy_handle }) else { continue }
            transfer.finish(result)
        }
    }

    private static func words(_ code: CURLMcode) -> String { String(cString: curl_multi_strerror(code)) }
}
