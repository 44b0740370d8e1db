internal import FoundationEssentials

/// The strict textual encoding of RFC 7468, section 3: certificates and nothing between them.
enum PEM {
    private static let begin = "-----BEGIN CERTIFICATE-----"
    private static let end = "-----END CERTIFICATE-----"

    /// One block, in lines of 64 characters.
    static func certificate(_ der: [UInt8]) -> [UInt8] {
        let body = Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        return Array("\(begin)\n\(body)\n\(end)\n".utf8)
    }

    /// The DER of each block, in order. Throws where there is anything but certificates and empty lines, or more than
    /// `limit` of them.
    static func certificates(in text: [UInt8], limit: Int) throws(PKIError) -> [[UInt8]] {
        var blocks: [[UInt8]] = []
        var body: [UInt8] = []
        var isInside = false
        for bytes in text.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            let line = trim(bytes)
            switch (String(decoding: line.prefix(80), as: UTF8.self), isInside) {
            case ("", _): continue
            case (begin, false):
                guard blocks.count < limit else {
                    throw PKIError("the certificate chain has more than \(limit) certificates")
                }
                isInside = true
            case (end, true):
                blocks.append(try decode(body, position: blocks.count + 1))
                body = []
                isInside = false
            case (let text, true) where !text.hasPrefix("-----"): body += line
            case (let text, _): throw stray(text)
            }
        }
        guard !isInside else { throw PKIError("the certificate chain breaks off before '\(end)'") }
        return blocks
    }

    private static func decode(_ base64: [UInt8], position: Int) throws(PKIError) -> [UInt8] {
        guard let data = Data(base64Encoded: Data(base64)), !data.isEmpty else {
            throw PKIError("certificate \(position) of the chain is not base64")
        }
        return [UInt8](data)
    }

    /// Names a wrong label; anything else is not repeated, since it may be part of a key.
    private static func stray(_ line: String) -> PKIError {
        guard line.hasPrefix("-----"), line.hasSuffix("-----") else {
            return PKIError("the certificate chain holds text that is no certificate")
        }
        return PKIError("the certificate chain holds '\(line)' where only certificates may stand")
    }

    /// Without blanks and tabs at both ends.
    private static func trim(_ line: [UInt8].SubSequence) -> [UInt8].SubSequence {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let start = line.drop(while: isBlank)
        return start.dropLast(start.reversed().prefix(while: isBlank).count)
    }
}
