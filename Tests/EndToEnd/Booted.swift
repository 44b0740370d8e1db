import Foundation

/// A host of the lab on which systemd runs as the first process: `ansible/lab/files/booted.sh` on web03.
enum Booted {
    /// Whether this machine's kernel gives the lab a tree of control groups, without which no systemd runs.
    static let isPossible = Lab.running != nil && (try? script("possible")) != nil

    /// Runs `body` while `Host.booted` is up.
    static func run(_ body: (Host) throws -> Void) throws {
        try script("start", Host.booted.address)
        defer { _ = try? script("stop") }
        try trustHost()
        try Host.booted.run("systemctl start lab.target")
        try body(.booted)
    }

    @discardableResult
    private static func script(_ arguments: String...) throws -> String {
        try Host.web03.run(
            """
            mkdir -p /run/booted
            cat >/run/booted/booted.sh
            chmod 0700 /run/booted/booted.sh
            exec /run/booted/booted.sh "$1" ${2+"$2"}
            """, arguments, input: String(contentsOfFile: Lab.root + "/ansible/lab/files/booted.sh", encoding: .utf8))
    }

    /// It has web03's key, at an address of its own.
    private static func trustHost() throws {
        let file = try Lab.current()["SSH_KNOWN_HOSTS"]
        let known = try String(contentsOfFile: file, encoding: .utf8)
        let (old, new) = (try Host.web03.address, try Host.booted.address)
        guard !known.contains(new), let line = known.split(separator: "\n").first(where: { $0.contains(old) }) else {
            return
        }
        try (known + line.replacingOccurrences(of: old, with: new) + "\n")
            .write(toFile: file, atomically: false, encoding: .utf8)
    }
}
