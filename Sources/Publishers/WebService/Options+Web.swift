internal import AnsibleModule
internal import HTTP

extension Options {
    /// A URL that secrets are sent to: https, without user, query or fragment. Others are appended to it: it has no
    /// slash at its end.
    mutating func secureURL(_ name: String, _ text: String) throws(OptionError) -> String {
        guard let url = SecureURL.base(text) else {
            throw invalid(name, "must be an https:// URL without user or query: secrets are sent there")
        }
        return url
    }

    /// HTTPS that trusts the system's certificates, or those of a bundle.
    func transport(trusting caBundle: String?) throws(OptionError) -> CurlTransport {
        do throws(HTTPError) {
            return try CurlTransport(caBundle: caBundle, userAgent: "acme-modules")
        } catch {
            throw invalid("ca_path", "cannot be used: \(error)")
        }
    }
}

enum SecureURL {
    /// Without slashes at its end; nil for what no secret may be sent to.
    static func base(_ text: String) -> String? {
        let url = String(text.reversed().drop { $0 == "/" }.reversed())
        guard url.lowercased().hasPrefix("https://"), url.utf8.count > 8 else { return nil }
        return url.utf8.allSatisfy { (0x21...0x7e).contains($0) && !"?#@\\\"".utf8.contains($0) } ? url : nil
    }
}
