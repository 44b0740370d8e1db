package import Names
internal import Platform

/// What is remembered of each certificate at one CA, by its first name: `<name>.json`. It can be found out again, or
/// only spares the CA a request, so that a note that cannot be read is as good as none.
package struct CertificateNotes<Note: Codable & Sendable>: Sendable {
    let path: String
    let state: String

    package func find(_ name: DomainName) -> Note? { try? file(name).found() }

    package func keep(_ note: Note, for name: DomainName) throws(StoreError) {
        try makeDirectories(path, below: state)
        try file(name).keep(note)
    }

    package func remove(_ name: DomainName) throws(StoreError) {
        try storing { () throws(SystemError) in try Files.remove(file(name).path) }
    }

    private func file(_ name: DomainName) -> StateFile<Note> { StateFile(path: "\(path)/\(name.fileName).json") }
}
