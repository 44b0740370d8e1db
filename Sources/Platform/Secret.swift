/// A value that must never be printed: it describes itself as `(hidden)`, in `dump` and in string interpolation too.
package struct Secret<Value: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The value itself, for the one place that uses it.
    package let revealed: Value

    package init(_ value: Value) {
        revealed = value
    }

    package var description: String { "(hidden)" }
    package var debugDescription: String { "(hidden)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
