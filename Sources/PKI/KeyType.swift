internal import COpenSSL

/// The kinds of key that this project makes, by the names that operators give them.
package enum KeyType: String, CaseIterable, Sendable, Codable {
    case ec256 = "ec-256"
    case ec384 = "ec-384"
    case rsa2048 = "rsa-2048"
    case rsa3072 = "rsa-3072"
    case rsa4096 = "rsa-4096"
}

/// What a key of any kind says of itself.
enum KeyKind: Equatable {
    case ec(Curve)
    case rsa(bits: Int)
    /// Neither; with OpenSSL's name for it.
    case other(String)

    /// The curves of RFC 7518, section 3.4, that ACME servers take.
    enum Curve: String {
        case p256 = "prime256v1"
        case p384 = "secp384r1"

        /// The bytes of a coordinate, and of half a signature.
        var width: Int {
            switch self {
            case .p256: 32
            case .p384: 48
            }
        }
    }

    /// Reads the kind of an `EVP_PKEY *`.
    init(_ key: OpaquePointer) {
        let name = EVP_PKEY_get0_type_name(key).map { String(cString: $0) } ?? "unknown"
        switch name {
        case "RSA": self = .rsa(bits: Int(EVP_PKEY_get_bits(key)))
        case "EC":
            let group = Self.group(of: key)
            self = Curve(rawValue: group).map(KeyKind.ec) ?? .other("EC with the curve \(group)")
        default: self = .other(name)
        }
    }

    private static func group(of key: OpaquePointer) -> String {
        var name = [CChar](repeating: 0, count: 64)
        var length = 0
        let found = Attempt.asking { EVP_PKEY_get_group_name(key, &name, name.count, &length) } == 1
        return found ? String(decoding: name.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self) : "unnamed"
    }

    var isRSA: Bool {
        if case .rsa = self { true } else { false }
    }

    var type: KeyType? {
        switch self {
        case .ec(.p256): .ec256
        case .ec(.p384): .ec384
        case .rsa(2048): .rsa2048
        case .rsa(3072): .rsa3072
        case .rsa(4096): .rsa4096
        case .rsa, .other: nil
        }
    }
}
