import Testing

/// Everything here works on the one lab, so that one test runs at a time.
@Suite(.serialized, .enabled(if: Lab.running != nil, "without a lab"))
enum TheFiveSteps {}

@Test func `there is a lab to test on`() throws {
    _ = try Lab.current()
}
