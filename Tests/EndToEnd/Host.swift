import Foundation
import TestSupport

/// A host of the lab, reached over ssh as root.
struct Host: Sendable {
    let name: String

    static let web01 = Host(name: "web01")
    static let web02 = Host(name: "web02")
    static let web03 = Host(name: "web03")
    static let legacy01 = Host(name: "legacy01")
    static let legacy02 = Host(name: "legacy02")
    static let bridge = Host(name: "bridge")
    static let nameServer = Host(name: "adns1")
    /// web03 as a systemd sees it that runs there, within `Booted.run`.
    static let booted = Host(name: "booted")

    var address: String {
        get throws {
            let lab = try Lab.current()
            return try name == Self.booted.name ? lab["NETWORK"] + ".17" : lab["HOST_" + name.uppercased()]
        }
    }

    /// Runs a shell script on the host, its arguments in `$1` and on; throws where it fails.
    @discardableResult
    func run(_ script: String, _ arguments: String..., input: String = "") throws -> String {
        try run(script, arguments, input: input)
    }

    @discardableResult
    func run(_ script: String, _ arguments: [String], input: String = "") throws -> String {
        let lab = try Lab.current()
        let words = (["sh", "-euc", script, "sh"] + arguments).map(Self.quoted)
        let ended = try Program.run(
            [
                "ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", "IdentitiesOnly=yes",
                "-o", "UserKnownHostsFile=\(try lab["SSH_KNOWN_HOSTS"])", "-i", try lab["SSH_KEY"],
                "-p", try lab["SSH_PORT"], "root@\(try address)", words.joined(separator: " "),
            ], input: Array(input.utf8))
        guard ended.status == 0 else { throw Lab.Unexpected("\(name): \(script): \(ended)") }
        return ended.stdout
    }

    /// Everything below the given paths, with access, owner, time of change and bytes: equal where nothing was touched.
    func state(of paths: String...) throws -> String { try state(of: paths) }

    func state(of paths: [String]) throws -> String {
        try run(
            """
            for path in \(paths.joined(separator: " ")); do
                [ ! -e "$path" ] || find "$path" -printf '%p %y %m %u:%g %T@ %C@ %s %l\\n' | sort
                [ ! -e "$path" ] || find "$path" -type f -exec sha256sum {} + | sort
            done
            """)
    }

    /// Makes a host that has never seen the agent.
    func forgetAgent() throws {
        try run("rm -rf /usr/local/libexec/acme-modules /etc/letsencrypt-certs /var/lib/acme-modules")
    }

    private static func quoted(_ word: String) -> String {
        "'" + word.replacingOccurrences(of: "'", with: #"'\''"#) + "'"
    }
}
