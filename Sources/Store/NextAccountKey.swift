package import PKI
internal import Platform

/// The key that an account is about to get, in a file beside the one that it has: `<key>.new`. It is there before the CA
/// hears of it and takes the old one's place once the CA knows it, so that a run that breaks off between the two loses
/// neither.
extension AccountStore {
    package func nextKeyPath(_ source: String?) -> String { keyPath(source) + ".new" }

    /// Nil where no change is under way.
    package func nextKey(source: String?) throws(StoreError) -> PrivateKey? {
        try KeyFile(path: nextKeyPath(source)).read()
    }

    package func saveNextKey(_ key: PrivateKey, source: String?) throws(StoreError) {
        let place = keyPath(source)
        let status = try storing { () throws(SystemError) in try Files.status(place) }
        guard status.map({ $0.kind == .file }) ?? true else {
            throw StoreError("\(place) is no file of its own, so that no other key can take its place: name the file")
        }
        if source == nil { try makeDirectories(path, below: state) }
        try KeyFile(path: nextKeyPath(source)).write(key)
    }

    /// Puts the next key in the place of the account key, with the access that this had, and forgets what was known of
    /// the old one.
    package func adoptNextKey(source: String?) throws(StoreError) {
        let (place, next) = (keyPath(source), nextKeyPath(source))
        let old = try? key(source: source)
        try storing { () throws(SystemError) in
            if let status = try Files.status(place) { try Files.set(status.access, on: next) }
            try Files.rename(next, to: place)
        }
        if let old { try forgetAccount(of: old) }
    }

    /// Removes a key that did not become the account's.
    package func removeNextKey(source: String?) throws(StoreError) {
        try storing { () throws(SystemError) in try Files.remove(nextKeyPath(source)) }
    }
}
