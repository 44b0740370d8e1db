internal import CCurl

/// The libcurl that this process runs with, which may be newer than the one it was built with.
package enum CurlVersion {
    /// "libcurl/7.88.1", then the libraries that it uses itself: "OpenSSL/3.0.17 ... nghttp2/1.52.0".
    package static var text: String { String(cString: curl_version()) }
}
