internal import PKI
internal import Platform

/// A private key in a file of its own (PEM, 0600).
struct KeyFile {
    let path: String

    /// The key; nil where there is no such file.
    func read() throws(StoreError) -> PrivateKey? {
        guard let bytes = try storing({ () throws(SystemError) in try Files.read(path, limit: 1 << 16) }) else {
            return nil
        }
        do {
            return try PrivateKey(pem: Secret(bytes))
        } catch {
            throw StoreError("\(path) does not hold a private key that can be used: \(error)")
        }
    }

    func make(_ type: KeyType) throws(StoreError) -> PrivateKey {
        do {
            let key = try PrivateKey.generate(type)
            try write(key)
            return key
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError("cannot make the key \(path): \(error)")
        }
    }

    func write(_ key: PrivateKey) throws(StoreError) {
        let pem: Secret<[UInt8]>
        do {
            pem = try key.pem()
        } catch {
            throw StoreError("cannot write the key \(path): \(error)")
        }
        try storing { () throws(SystemError) in
            try AtomicFile.write(pem.revealed, to: path, access: .own(mode: 0o600))
        }
    }
}
