import FoundationEssentials
import Names
import PKI
import Platform

/// Writes a file that only the tests' user can read.
func write(_ bytes: [UInt8], _ path: String) throws {
    try AtomicFile.write(bytes, to: path, access: .own(mode: 0o600))
}

func domains(_ names: String...) throws -> [DomainName] { try names.map { try DomainName($0) } }
