/// Something about a key, a request or a certificate that cannot be done or is not as it must be: one sentence, with
/// OpenSSL's own reasons where it gave any. It never holds key bytes.
package struct PKIError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
