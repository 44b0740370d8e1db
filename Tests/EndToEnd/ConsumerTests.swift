import Foundation
import Testing

extension TheFiveSteps {
    /// What uses certificates, each kind with the form of the files that it reads.
    @Suite struct Consuming {
        private static let host = Host.web03

        @Test func `every kind of service serves a new certificate, and the next one after a renewal`() throws {
            var inventory = try Inventory([Self.host.name: ["everything": ["n90"]]])
            inventory.variables["letsencrypt_formats"] = ["combined", "pkcs12", "jks"]
            inventory.variables["letsencrypt_passphrase_file"] = "/etc/letsencrypt.passphrase"
            inventory.variables["letsencrypt_handlers_role"] = Lab.root + "/ansible/lab/roles/letsencrypt_handlers"
            inventory.variables["lab_https_port"] = try Lab.current()["HTTPS_PORT"]
            try Self.prepare()
            defer { Self.stop() }

            let first = try inventory.play()
            try #require(first.isFine, "\(first)")
            let old = try InstalledCertificate(Self.host, "n90")
            old.expectPromised()
            try Self.expectServed(old)

            inventory.variables["letsencrypt_force"] = true
            let renewed = try inventory.play()
            try #require(renewed.isFine, "\(renewed)")
            let new = try InstalledCertificate(Self.host, "n90")
            #expect(new.serial != old.serial)
            try Self.expectServed(new)
            #expect(try Self.gearmanVersion().hasPrefix("OK "))

            inventory.variables["letsencrypt_force"] = false
            let again = try inventory.play()
            #expect(again.changedNothing, "\(again)")
        }

        /// What an operator has done before: a passphrase, ZooKeeper's identity, and a postfix that listens on the host's
        /// address, which is no interface's here.
        private static func prepare() throws {
            try host.run(
                """
                umask 077; openssl rand -hex 20 >/etc/letsencrypt.passphrase; umask 022
                rm -f /var/lib/zookeeper/myid; echo 1 >/var/lib/zookeeper/myid
                postconf inet_interfaces=loopback-only inet_protocols=ipv4
                postconf -MX smtp/inet
                postconf -M "$1:25/inet=$1:25 inet n - y - - smtpd"
                """, try host.address)
        }

        /// Each service, with what openssl needs to talk to it.
        private static let services = [
            "nginx": "443", "haproxy": "8404", "postfix": "25 -starttls smtp", "ZooKeeper": "2281", "gearmand": "4730",
            "Java": "8444",
        ]

        /// Expects each service to serve this certificate, in a chain that ends in the CA's root, as soon as it has
        /// loaded it.
        private static func expectServed(_ certificate: InstalledCertificate) throws {
            for (service, port) in services.sorted(by: { $0.key < $1.key }) {
                let port = service == "nginx" ? try Lab.current()["HTTPS_PORT"] : port
                let served = try host.run(
                    script, try host.address, port, certificate.names[0], certificate.serial, input: CA.main.root)
                #expect(served == "served\n", "\(service): \(served)")
            }
        }

        /// Asks until the serial is `$4`, for half a minute.
        private static let script = #"""
            root=$(mktemp) && trap 'rm -f "$root"' EXIT && cat >"$root"
            deadline=$(($(date +%s) + 30))
            while :; do
                said=$(timeout 5 openssl s_client -connect "$1:"$2 -servername "$3" -verify_hostname "$3" -showcerts \
                    -verify_return_error -CAfile "$root" </dev/null 2>&1) || :
                serial=$(printf '%s\n' "$said" | openssl x509 -noout -serial 2>/dev/null) || :
                case $said in *"Verify return code: 0 (ok)"*) [ "$serial" != "serial=$4" ] || { echo served; exit; } ;; esac
                [ "$(date +%s)" -lt "$deadline" ] || { printf '%s\n' "$said"; exit; }
                sleep 0.1
            done
            """#

        /// What gearmand itself answers, behind haproxy.
        private static func gearmanVersion() throws -> String {
            try host.run(
                #"""
                python3 -c 'import socket, ssl, sys
                connection = socket.create_connection((sys.argv[1], 4730), 10)
                encrypted = ssl._create_unverified_context().wrap_socket(connection)
                encrypted.sendall(b"version\n")
                print(encrypted.recv(99).decode())' "$1"
                """#, try host.address)
        }

        private static func stop() {
            _ = try? host.run(
                """
                for name in zookeeper gearmand tls-server haproxy nginx; do
                    start-stop-daemon --stop --oknodo --retry 5 --quiet --pidfile "/run/$name.pid"
                done
                postfix stop 2>/dev/null || :
                rm -f /etc/nginx/sites-enabled/everything.conf
                """)
        }
    }
}
