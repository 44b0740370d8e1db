internal import FoundationEssentials

/// One JSON document in a state directory, 0600, written whole or not at all.
package struct StateFile<Content: Codable> {
    /// Why a document could not be read or written: one sentence.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    package let path: String
    /// What to do about a document that is damaged, and what comes of it.
    private let remedy: String

    package init(path: String, remedy: String = "remove it, and what it held is made anew") {
        self.path = path
        self.remedy = remedy
    }

    /// The document; nil where there is none. One that cannot be read is an error that says how to go on.
    package func read() throws(Failure) -> Content? {
        let bytes: [UInt8]?
        do throws(SystemError) {
            bytes = try Files.read(path, limit: 16 << 20)
        } catch {
            throw Failure(description: error.description)
        }
        guard let bytes else { return nil }
        do {
            return try decoder.decode(Content.self, from: Data(bytes))
        } catch {
            throw Failure(description: "\(path) is damaged; \(remedy) (\(reason(error)))")
        }
    }

    package func write(_ content: Content) throws(Failure) {
        let bytes: [UInt8]
        do {
            bytes = Array(try encoder.encode(content)) + [UInt8(ascii: "\n")]
        } catch {
            throw Failure(description: "cannot write \(path): \(reason(error))")
        }
        do throws(SystemError) {
            try AtomicFile.write(bytes, to: path, access: .own(mode: 0o600))
        } catch {
            throw Failure(description: error.description)
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
