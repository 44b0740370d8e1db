internal import HTTP
internal import PKI

/// What `--version` prints, and what the CA is told.
package enum Version {
    package static let number = "0.1.0"

    package static var userAgent: String { "acme-modules/\(number)" }

    package static var text: String { "acme-modules \(number)\n\(OpenSSLVersion.text)\n\(CurlVersion.text)" }
}
