internal import COpenSSL
internal import FoundationEssentials
package import Platform

/// A key store in the format JKS, that of Sun's `sun.security.provider.JavaKeyStore`: big-endian numbers, and a SHA-1 of
/// all with the passphrase at its end. OpenSSL has none. Its protection is weak: who can read the file matters, not
/// what its passphrase is.
package enum JavaKeyStore {
    private static let magic: UInt32 = 0xFEED_FEED
    private static let version: UInt32 = 2
    private static let privateKeyTag: UInt32 = 1
    private static let certificateType = "X.509"

    /// A store with one entry, dated with the beginning of its certificate.
    package static func make(_ entry: KeyEntry, passphrase: Passphrase) throws(PKIError) -> Secret<[UInt8]> {
        var key = try entry.key.der().revealed
        defer { key.wipe() }
        var store = JavaDataOutput()
        store.write(magic)
        store.write(version)
        store.write(UInt32(1))
        store.write(privateKeyTag)
        try store.write(text: entry.alias)
        store.write(UInt64(max(0, entry.chain.leaf.notBefore.timeIntervalSince1970 * 1000)))
        try store.write(block: try SunKeyProtector.protect(key, passphrase: passphrase))
        store.write(UInt32(entry.chain.certificates.count))
        for certificate in entry.chain.certificates {
            try store.write(text: certificateType)
            try store.write(block: certificate.der)
        }
        return Secret(try sealed(store.bytes, passphrase: passphrase))
    }

    /// With what makes a store of these bytes: a digest, by which nobody without the passphrase can have changed it.
    package static func sealed(_ store: [UInt8], passphrase: Passphrase) throws(PKIError) -> [UInt8] {
        try store + digest(of: store, passphrase)
    }

    /// Opens a store that holds one private key with its chain and nothing else. Throws where it is damaged, or is not
    /// for this passphrase.
    package static func read(_ bytes: [UInt8], passphrase: Passphrase) throws(PKIError) -> KeyEntry {
        let count = bytes.count - Int(SHA_DIGEST_LENGTH)
        guard count > 0 else { throw PKIError("the Java key store is too short to be one") }
        guard try digest(of: Array(bytes.prefix(count)), passphrase) == Array(bytes.suffix(from: count)) else {
            throw PKIError("the Java key store is damaged, or has another passphrase")
        }
        var store = JavaDataInput(bytes.prefix(count))
        guard try store.number() as UInt32 == magic, try store.number() as UInt32 == version,
            try store.number() as UInt32 == 1, try store.number() as UInt32 == privateKeyTag
        else { throw PKIError("the Java key store is no JKS of version 2 with one private key") }
        let alias = try store.text()
        _ = try store.number() as UInt64
        var key = try SunKeyProtector.recover(try store.block(), passphrase: passphrase)
        defer { key.wipe() }
        let chain = try chain(&store)
        guard store.isAtEnd else { throw PKIError("the Java key store has bytes behind its entry") }
        return KeyEntry(alias: alias, key: try PrivateKey(der: key), chain: chain)
    }

    private static func chain(_ store: inout JavaDataInput) throws(PKIError) -> CertificateChain {
        let count: UInt32 = try store.number()
        guard (1...CertificateChain.limit).contains(Int(count)) else {
            throw PKIError("the Java key store's chain has \(count) certificates")
        }
        var certificates: [Certificate] = []
        for _ in 0..<count {
            guard try store.text() == certificateType else {
                throw PKIError("the Java key store holds a certificate that is not of the type \(certificateType)")
            }
            certificates.append(try Certificate(der: try store.block()))
        }
        return CertificateChain(leaf: certificates[0], issuers: Array(certificates.dropFirst()))
    }

    private static func digest(of store: [UInt8], _ passphrase: Passphrase) throws(PKIError) -> [UInt8] {
        var message = passphrase.utf16() + Array("Mighty Aphrodite".utf8) + store
        defer { message.wipe() }
        return try Digest.sha1(message)
    }
}

/// What Java's `DataOutputStream` writes.
private struct JavaDataOutput {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.bigEndian) { bytes += $0 }
    }

    /// Java's own UTF-8, which for ASCII is UTF-8.
    mutating func write(text: String) throws(PKIError) {
        guard let count = UInt16(exactly: text.utf8.count), text.utf8.allSatisfy({ (1..<0x80).contains($0) }) else {
            throw PKIError("cannot make a Java key store: '\(text)' is too long, or not ASCII")
        }
        write(count)
        bytes += text.utf8
    }

    mutating func write(block: [UInt8]) throws(PKIError) {
        guard let count = UInt32(exactly: block.count) else { throw PKIError("a Java key store holds no 4 GB") }
        write(count)
        bytes += block
    }
}

/// The same, read back; never past the end.
private struct JavaDataInput {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func number<Number: FixedWidthInteger>() throws(PKIError) -> Number {
        try take(Number.bitWidth / 8).reduce(0) { $0 << 8 | Number($1) }
    }

    mutating func text() throws(PKIError) -> String {
        let count: UInt16 = try number()
        return String(decoding: try take(Int(count)), as: UTF8.self)
    }

    mutating func block() throws(PKIError) -> [UInt8] {
        let count: UInt32 = try number()
        return try take(Int(count))
    }

    private mutating func take(_ count: Int) throws(PKIError) -> [UInt8] {
        guard count <= rest.count else { throw PKIError("the Java key store breaks off") }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }
}
