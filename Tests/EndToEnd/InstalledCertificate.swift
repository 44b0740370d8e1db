import Foundation
import Testing

/// The files of a certificate on a host, as openssl and stat describe them there.
struct InstalledCertificate {
    private let facts: [String: [String]]
    /// The names that it should cover, the first one naming its directory.
    let names: [String]

    /// Reads the certificate of the given names, short as in `Inventory`.
    init(_ host: Host, _ names: String..., root: String? = nil) throws {
        try self.init(host, names: names, root: root)
    }

    init(_ host: Host, names: [String], root: String? = nil) throws {
        self.names = try names.map(Inventory.complete)
        let directory = self.names[0].components(separatedBy: ":")[0].replacingOccurrences(of: "*", with: "_")
        let lines = try host.run(Self.script, directory, input: try root ?? CA.main.root).split(separator: "\n")
        facts = Dictionary(
            lines.compactMap { line in
                let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
                return parts.count == 2 ? (parts[0], [parts[1]]) : nil
            }, uniquingKeysWith: +)
    }

    /// On the host: `$1` is the directory, the root is on standard input.
    private static let script = #"""
        cd "/etc/letsencrypt-certs/$1"
        root=$(mktemp) && trap 'rm -f "$root"' EXIT && cat >"$root"
        echo "verify=$(openssl verify -CAfile "$root" -untrusted ca.cer "$1.cer" 2>&1 | tail -n 1)"
        echo "partial=$(openssl verify -partial_chain -trusted ca.cer "$1.cer" 2>&1 | tail -n 1)"
        openssl x509 -in "$1.cer" -noout -serial -issuer -subject
        openssl x509 -in "$1.cer" -noout -ext subjectAltName | sed -n 's/^ *DNS:/DNS:/p' | tr -d ' ' | tr , '\n' |
            sed 's/^DNS:/name=/'
        certified=$(openssl x509 -in "$1.cer" -noout -pubkey)
        [ "$certified" = "$(openssl pkey -in "$1.key" -pubout)" ] && echo key=ours
        cat "$1.cer" ca.cer | cmp -s - fullchain.cer && echo fullchain=whole
        echo "chain=$(grep -c BEGIN fullchain.cer)"
        for file in . "$1.key" "$1.cer" ca.cer fullchain.cer; do
            echo "access=$file $(stat -L -c '%a %U:%G' "$file")"
        done
        cat "$1.key" "$1.cer" ca.cer fullchain.cer | sha256sum | sed 's/^/bytes=/'
        """#

    /// Where it is on the host.
    var directory: String { "/etc/letsencrypt-certs/" + firstName }

    private var firstName: String {
        names[0].components(separatedBy: ":")[0].replacingOccurrences(of: "*", with: "_")
    }

    private subscript(_ fact: String) -> String { facts[fact]?.last ?? "" }

    var serial: String { self["serial"] }
    var issuer: String { self["issuer"] }
    var subject: String { self["subject"] }
    /// Of all four files: equal where none has changed.
    var bytes: String { self["bytes"] }

    /// Expects everything that is promised of a certificate's files. The root of a self-signed one is thrown away: its
    /// chain is verified as far as it goes. `chain` is how many certificates the CA sends.
    func expectPromised(
        selfSigned: Bool = false, chain: Int = 2, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let first = firstName
        let fine = "\(first).cer: OK"
        #expect(self[selfSigned ? "partial" : "verify"] == fine, sourceLocation: sourceLocation)
        #expect(
            Set(facts["name"] ?? []) == Set(names.map { $0.components(separatedBy: ":")[0] }),
            sourceLocation: sourceLocation)
        #expect(self["key"] == "ours", sourceLocation: sourceLocation)
        #expect(self["fullchain"] == "whole", sourceLocation: sourceLocation)
        #expect(self["chain"] == String(chain), sourceLocation: sourceLocation)
        #expect(
            facts["access"] == [
                ". 2750 root:letsencrypt",
                "\(first).key 640 root:letsencrypt",
                "\(first).cer 644 root:letsencrypt",
                "ca.cer 644 root:letsencrypt",
                "fullchain.cer 644 root:letsencrypt",
            ], sourceLocation: sourceLocation)
    }
}
