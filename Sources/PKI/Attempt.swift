internal import COpenSSL

/// A piece of work for OpenSSL, named so that a failure can say what was being done: "sign a message".
struct Attempt {
    private let action: String

    /// Empties the queue of reasons, so that a failure's are its own: make it before the call that it checks.
    init(_ action: String) {
        self.action = action
        ERR_clear_error()
    }

    /// Returns a C function's result where it is 1 or more, OpenSSL's way to say that it worked.
    @discardableResult
    func check(_ result: Int32, _ call: StaticString) throws(PKIError) -> Int32 {
        guard result > 0 else { throw failure(call) }
        return result
    }

    /// Returns what a C function made or found, which is there unless it failed.
    func need<Object>(_ object: Object?, _ call: StaticString) throws(PKIError) -> Object {
        guard let object else { throw failure(call) }
        return object
    }

    /// The DER bytes that a function of OpenSSL's `i2d` family writes: asked for their number first, then written.
    func encode(
        _ call: StaticString, _ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
    ) throws(PKIError) -> [UInt8] {
        let count = Int(try check(write(nil), call))
        var bytes = [UInt8](repeating: 0, count: count)
        let written = bytes.withUnsafeMutableBufferPointer { buffer in
            var end = buffer.baseAddress
            return write(&end)
        }
        try check(written, call)
        return bytes
    }

    /// The error that names the call and takes this thread's queue of OpenSSL's reasons with it.
    private func failure(_ call: StaticString) -> PKIError {
        let reasons = Self.takeReasons()
        let detail = reasons.isEmpty ? "" : ": " + reasons.joined(separator: ", ")
        return PKIError("cannot \(action): \(call) failed\(detail)")
    }

    /// Empties the queue: reasons only, without their data, which may quote input.
    private static func takeReasons() -> [String] {
        var reasons: [String] = []
        while true {
            let code = ERR_get_error()
            guard code != 0 else { return reasons }
            let reason = ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)"
            if !reasons.contains(reason) { reasons.append(reason) }
        }
    }

    /// Runs `body`, whose failure is an answer and not an error, and leaves no reasons behind.
    static func asking<Answer>(_ body: () -> Answer) -> Answer {
        defer { ERR_clear_error() }
        return body()
    }
}
