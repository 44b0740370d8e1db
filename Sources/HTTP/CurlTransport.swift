package import Platform

/// HTTPS through libcurl: all requests at once, over one HTTP/2 connection where the server speaks it. Connections
/// stay open for the life of the object. A proxy is taken from the environment (`https_proxy`, `no_proxy`).
package final class CurlTransport: Transport {
    private let multi: CurlMulti
    private let settings: CurlSettings

    /// `caBundle` is a file of PEM certificates that is trusted instead of the system's. Throws where it holds none.
    package init(caBundle: String?, userAgent: String) throws(HTTPError) {
        if let caBundle { try Self.check(caBundle: caBundle) }
        multi = try CurlMulti()
        multi.shareConnections(atMost: 8)
        settings = CurlSettings(caBundle: caBundle, userAgent: userAgent)
    }

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
        let transfers = requests.map { CurlTransfer($0, settings) }
        multi.run(transfers, deadline)
        return transfers.map { transfer in
            transfer.outcome
                ?? .failure(HTTPError(host: "", reason: CurlMulti.lateness, retry: .freely))
        }
    }
}
