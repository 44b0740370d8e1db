internal import FoundationEssentials

/// JSON as this protocol uses it, with errors that say which member is wrong.
enum JSON {
    static var decoder: JSONDecoder { JSONDecoder() }

    /// Equal messages give equal bytes.
    static func encode(_ message: some Encodable, for purpose: String) throws(ACMEError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(message))
        } catch {
            throw ACMEError(purpose, "the message cannot be written as JSON: \(error)")
        }
    }

    static func decode<Message: Decodable>(
        _ type: Message.Type, from bytes: [UInt8], for purpose: String
    ) throws(ACMEError) -> Message {
        do {
            return try decoder.decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw ACMEError(purpose, "the CA's answer cannot be used: \(sentence(error))")
        } catch {
            throw ACMEError(purpose, "the CA's answer cannot be used: \(error)")
        }
    }

    private static func sentence(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "'\(path(context.codingPath + [key]))' is missing"
        case .valueNotFound(_, let context): "'\(path(context.codingPath))' is null"
        case .typeMismatch(_, let context) where context.codingPath.isEmpty: "it is no JSON object"
        case .typeMismatch(_, let context): "'\(path(context.codingPath))' has the wrong type"
        case .dataCorrupted(let context) where context.codingPath.isEmpty: "it is no JSON"
        case .dataCorrupted(let context): "'\(path(context.codingPath))' has an unknown value"
        @unknown default: "it is not as RFC 8555 says"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }
}
