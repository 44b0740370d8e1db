internal import FoundationEssentials
internal import Platform

/// One JSON document in the state directory, 0600, written whole or not at all.
struct StateFile<Content: Codable> {
    let path: String

    /// The document; nil where there is none. One that cannot be read is an error that says how to go on.
    func read() throws(StoreError) -> Content? {
        guard let bytes = try storing({ () throws(SystemError) in try Files.read(path, limit: 4 << 20) }) else {
            return nil
        }
        do {
            return try decoder.decode(Content.self, from: Data(bytes))
        } catch {
            throw StoreError("\(path) is damaged; remove it, and what it held is made anew (\(reason(error)))")
        }
    }

    func write(_ content: Content) throws(StoreError) {
        let bytes: [UInt8]
        do {
            bytes = Array(try encoder.encode(content)) + [UInt8(ascii: "\n")]
        } catch {
            throw StoreError("cannot write \(path): \(reason(error))")
        }
        try storing { () throws(SystemError) in
            try AtomicFile.write(bytes, to: path, access: .own(mode: 0o600))
        }
    }

    private func reason(_ error: any Error) -> String {
        switch error {
        case DecodingError.dataCorrupted(let context), DecodingError.keyNotFound(_, let context),
            DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            context.debugDescription
        default: "\(error)"
        }
    }

    private var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return encoder
    }

    private var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }
}
