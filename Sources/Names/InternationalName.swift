internal import CIDN2

/// Names with other letters than ASCII's, as libidn2 reads them (IDNA 2008, RFC 5891; letters are folded and normalized
/// first, as in UTS 46 without its transitional part).
enum InternationalName {
    /// The name in A-labels; one that is ASCII already is returned as it is.
    static func ascii(_ text: String) throws(InvalidName) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
        guard !text.utf8.contains(0) else { throw InvalidName(text, "holds a NUL character") }
        var output: UnsafeMutablePointer<CChar>?
        let flags = Int32(bitPattern: UInt32(IDN2_NFC_INPUT.rawValue | IDN2_NONTRANSITIONAL.rawValue))
        let code = idn2_to_ascii_8z(text, &output, flags)
        defer { idn2_free(output) }
        guard code == IDN2_OK.rawValue, let output else {
            throw InvalidName(text, "cannot be written in A-labels: \(String(cString: idn2_strerror(code)))")
        }
        return String(cString: output)
    }

    /// The name in U-labels, for people; one that has none, or that nobody could write so, is returned as it is.
    static func unicode(_ text: String) -> String {
        var output: UnsafeMutablePointer<CChar>?
        let code = idn2_to_unicode_8z8z(text, &output, 0)
        defer { idn2_free(output) }
        guard code == IDN2_OK.rawValue, let output else { return text }
        let unicode = String(cString: output)
        return (try? ascii(unicode)) == text ? unicode : text
    }
}
