internal import CCurl

/// Sets options of a handle and remembers whether curl accepted each of them.
final class CurlOptions {
    private let easy: UnsafeMutableRawPointer  // CURL *, borrowed
    private(set) var areAccepted = true

    init(_ easy: UnsafeMutableRawPointer) {
        self.easy = easy
    }

    func set(_ option: CURLoption, _ value: Int) {
        note(shim_easy_set_long(easy, option, value))
    }

    /// An option that older versions of curl do not know, and that nothing depends on.
    func prefer(_ option: CURLoption, _ value: Int) {
        _ = shim_easy_set_long(easy, option, value)
    }

    /// nil takes curl's own value away.
    func set(_ option: CURLoption, _ value: String?) {
        note(shim_easy_set_string(easy, option, value))
    }

    /// Copies the bytes of a POST's body.
    func set(postedBytes bytes: [UInt8]) {
        note(shim_easy_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count)))
        var bytes = bytes.isEmpty ? [0] : bytes
        note(shim_easy_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, &bytes))
    }

    func set(list option: CURLoption, _ value: UnsafeMutablePointer<curl_slist>?) {
        note(shim_easy_set_list(easy, option, value))
    }

    func set(pointer option: CURLoption, _ value: UnsafeMutableRawPointer) {
        note(shim_easy_set_pointer(easy, option, value))
    }

    func set(callback option: CURLoption, _ value: @escaping curl_write_callback) {
        note(shim_easy_set_callback(easy, option, value))
    }

    /// The time limit of the whole transfer, and that of its connection within it.
    func set(seconds: Double, toConnect: Double) {
        let milliseconds = { (seconds: Double) in Int(max(1, min(seconds * 1000, 86_400_000))) }
        set(CURLOPT_TIMEOUT_MS, milliseconds(seconds))
        set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(min(seconds, toConnect)))
    }

    private func note(_ code: CURLcode) {
        if code != CURLE_OK { areAccepted = false }
    }
}
