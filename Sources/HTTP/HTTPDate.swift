package import FoundationEssentials

/// The date format of HTTP (RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
package enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// nil where the text is no date of the preferred format.
    package static func parse(_ text: String) -> Date? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])) else {
            return nil
        }
        let clock = parts[4].split(separator: ":")
        guard let day = number(parts[1], 2), number(parts[3], 4) != nil, clock.count == 3,
            let hour = number(clock[0], 2), let minute = number(clock[1], 2), let second = number(clock[2], 2)
        else { return nil }
        let iso = "\(parts[3])-\(padded(month + 1))-\(padded(day))T\(padded(hour)):\(padded(minute)):\(padded(second))Z"
        // A day or hour that does not exist would be carried over into the next one.
        guard let date = try? Date(iso, strategy: .iso8601), date.formatted(.iso8601) == iso else { return nil }
        return date
    }

    private static func number(_ text: Substring, _ digits: Int) -> Int? {
        text.count == digits && text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
}
