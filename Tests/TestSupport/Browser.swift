internal import Foundation
internal import Platform

/// A real Chromium without a window, driven by Debian's chromedriver as the W3C's WebDriver says.
package final class Browser {
    package struct Refused: Error {
        package let answer: String
    }

    package enum Theme: String, Sendable, CaseIterable {
        case light, dark
    }

    package enum Medium: String, Sendable {
        case screen, print
    }

    private let process = Process()
    private let address: String
    private var session = ""

    /// Runs `body` with a browser, then ends it.
    package static func run<Result>(_ body: (Browser) throws -> Result) throws -> Result {
        try withTemporaryDirectory { directory in
            let browser = Browser(port: try FreePorts.take(1)[0])
            defer { browser.stop() }
            try browser.start(directory)
            return try body(browser)
        }
    }

    /// Loads a page as a medium of this width in pixels shows it.
    package func open(_ path: String, width: Int = 1280, theme: Theme = .light, medium: Medium = .screen) throws {
        try command(
            "Emulation.setDeviceMetricsOverride",
            ["width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600])
        let preference = ["name": "prefers-color-scheme", "value": theme.rawValue]
        try command("Emulation.setEmulatedMedia", ["media": medium.rawValue, "features": [preference]])
        let _: Anything = try call("url", ["url": "file://" + path])
    }

    /// What the body of a function returns in the page.
    package func evaluate<Value: Decodable>(_ script: String) throws -> Value {
        try call("execute/sync", ["script": script, "args": [String]()])
    }

    /// Presses keys one after the other; those without a letter are WebDriver's code points.
    package func press(_ keys: String) throws {
        let actions = keys.flatMap { key in
            ["keyDown", "keyUp"].map { ["type": $0, "value": String(key)] }
        }
        let _: Anything = try call("actions", ["actions": [["type": "key", "id": "keyboard", "actions": actions]]])
    }

    /// What the console of the pages said since it was asked before: errors, warnings, refusals.
    package func console() throws -> [String] {
        struct Entry: Decodable { let message: String }
        let entries: [Entry] = try call("se/log", ["type": "browser"])
        return entries.map(\.message)
    }

    // MARK: WebDriver

    private init(port: UInt16) {
        address = "http://127.0.0.1:\(port)"
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // The threads of tests block signals, and what they start would too: it could not be ended.
        process.arguments = ["--default-signal=TERM", "chromedriver", "--port=\(port)"]
    }

    private func start(_ directory: String) throws {
        process.environment = ProcessInfo.processInfo.environment.merging(["HOME": directory, "TMPDIR": directory]) {
            $1
        }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let deadline = Deadline(seconds: 30, clock: SystemClock())
        while try Program.run(["curl", "-sf", "--noproxy", "*", address + "/status"]).status != 0 {
            guard process.isRunning && !deadline.hasPassed else { throw Refused(answer: "chromedriver did not start") }
            deadline.pause(seconds: 0.02)
        }
        // Tests run as root, for which Chromium has no sandbox; containers have little shared memory.
        let words = ["--headless", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"]
        struct Session: Decodable { let sessionId: String }
        let wanted: [String: Any] = [
            "goog:chromeOptions": ["args": words], "goog:loggingPrefs": ["browser": "ALL"],
        ]
        let made: Session = try post("/session", ["capabilities": ["alwaysMatch": wanted]])
        session = made.sessionId
    }

    private func stop() {
        if !session.isEmpty {
            _ = try? Program.run(["curl", "-s", "--noproxy", "*", "-X", "DELETE", "\(address)/session/\(session)"])
        }
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }

    private func command(_ name: String, _ parameters: [String: Any]) throws {
        let _: Anything = try call("goog/cdp/execute", ["cmd": name, "params": parameters])
    }

    private func call<Value: Decodable>(_ name: String, _ body: [String: Any]) throws -> Value {
        try post("/session/\(session)/\(name)", body)
    }

    private func post<Value: Decodable>(_ path: String, _ body: [String: Any]) throws -> Value {
        let ended = try Program.run(
            ["curl", "-sS", "--fail-with-body", "--noproxy", "*", "--data-binary", "@-", address + path],
            input: Array(JSONSerialization.data(withJSONObject: body)))
        guard ended.status == 0 else { throw Refused(answer: "\(path): \(ended)") }
        return try JSONDecoder().decode(Answer<Value>.self, from: Data(ended.output)).value
    }

    private struct Answer<Value: Decodable>: Decodable {
        let value: Value
    }

    /// An answer that says nothing that is asked.
    private struct Anything: Decodable {
        init(from decoder: any Decoder) {}
    }
}
