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
        var body: [UInt8]?
        for bytes in text.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            let line = String(decoding: bytes, as: UTF8.self).trimmed
            switch (line, body) {
            case ("", _): continue
            case (begin, nil):
                guard blocks.count < limit else {
                    throw PKIError("the certificate chain has more than \(limit) certificates")
                }
                body = []
            case (end, let whole?):
                blocks.append(try decode(whole, position: blocks.count + 1))
                body = nil
            case (_, nil): throw stray(line)
            case (_, let part?):
                if line.hasPrefix("-----") { throw stray(line) }
                body = part + Array(line.utf8)
            }
        }
        guard body == nil else { throw PKIError("the certificate chain breaks off before '\(end)'") }
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
        guard line.hasPrefix("-----"), line.hasSuffix("-----"), line.utf8.count <= 80 else {
            return PKIError("the certificate chain holds text that is no certificate")
        }
        return PKIError("the certificate chain holds '\(line)' where only certificates may stand")
    }
}

extension String {
    /// Without blanks and tabs at both ends.
    fileprivate var trimmed: String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
