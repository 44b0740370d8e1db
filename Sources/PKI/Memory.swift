internal import COpenSSL

/// Bytes in memory that OpenSSL reads from or writes to; they are wiped when it goes.
final class Memory {  // BIO *
    let pointer: OpaquePointer

    init(_ bytes: [UInt8] = []) throws(PKIError) {
        let attempt = Attempt("keep bytes in memory")
        guard let count = Int32(exactly: bytes.count) else { throw PKIError("2 GB and more are not read") }
        pointer = try attempt.need(BIO_new(BIO_s_mem()), "BIO_new")
        if count > 0 { try attempt.check(BIO_write(pointer, bytes, count), "BIO_write") }
    }

    deinit {
        BIO_free(pointer)
    }

    /// Takes out everything that is left.
    func take() throws(PKIError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(pointer))
        guard !bytes.isEmpty else { return [] }
        try Attempt("take bytes from memory").check(BIO_read(pointer, &bytes, Int32(bytes.count)), "BIO_read")
        return bytes
    }

    func takeText() throws(PKIError) -> String { String(decoding: try take(), as: UTF8.self) }
}

/// A whole number of any size, not negative.
final class Number {  // BIGNUM *
    let pointer: OpaquePointer

    /// Takes over a number that a C function made.
    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        BN_clear_free(pointer)
    }

    /// Big-endian, without leading zeroes.
    var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: (Int(BN_num_bits(pointer)) + 7) / 8)
        let count = BN_bn2bin(pointer, &bytes)
        return Array(bytes.prefix(Int(count)))
    }

    /// Big-endian, padded with leading zeroes to `width` bytes.
    static func bytes(_ number: OpaquePointer, width: Int) throws(PKIError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: width)
        try Attempt("write a number of \(width) bytes")
            .check(BN_bn2binpad(number, &bytes, Int32(width)), "BN_bn2binpad")
        return bytes
    }
}

extension Array where Element: FixedWidthInteger {
    /// Overwrites a secret that is not needed any more. A copy of the array that is kept elsewhere stays as it is.
    mutating func wipe() {
        withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
        removeAll()
    }
}
