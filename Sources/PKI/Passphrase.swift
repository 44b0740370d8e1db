package import Platform

/// What opens a key store: printable ASCII, which Java and OpenSSL turn into the same bytes.
package struct Passphrase: Sendable {
    /// The fewest characters that Java's keytool takes.
    package static let shortest = 6
    package static let longest = 1024

    private let text: Secret<[UInt8]>

    /// Reads the first line of a file. The error is a clause that begins with a verb and holds nothing of the file.
    package init(firstLineOf file: Secret<[UInt8]>) throws(PKIError) {
        var line = Array(file.revealed.prefix { $0 != UInt8(ascii: "\n") })
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        guard !line.isEmpty else { throw PKIError("has no passphrase in its first line") }
        guard line.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
            throw PKIError(
                "has other characters than printable ASCII's in its first line, which Java and OpenSSL read differently"
            )
        }
        guard line.count >= Self.shortest else {
            throw PKIError("has a passphrase of \(line.count) characters, and Java takes none below \(Self.shortest)")
        }
        guard line.count <= Self.longest else {
            throw PKIError("has a passphrase of \(line.count) characters; \(Self.longest) are enough")
        }
        text = Secret(line)
    }

    /// With the zero at its end that C wants; to be wiped by the caller.
    func terminated() -> [CChar] { text.revealed.map { CChar(bitPattern: $0) } + [0] }

    /// UTF-16, big-endian, as Java hashes it; to be wiped by the caller.
    func utf16() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2 * text.revealed.count)
        for byte in text.revealed { bytes += [0, byte] }
        return bytes
    }
}
