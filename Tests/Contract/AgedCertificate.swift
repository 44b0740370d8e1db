import Platform
import TestSupport

extension World {
    /// Puts a certificate in the place of an installed one: for the same name and key, but from an issuer of its own, 80
    /// days old and with 10 to go.
    func age(_ name: String) throws {
        let aged = try Program.run(["sh", "-euc", Self.aging, "sh", directory + "/certs", name])
        guard aged.status == 0 else { throw Unexpected("openssl: \(aged)") }
    }

    private static let aging = #"""
        cd "$1/$2/current"
        work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 99 -subj /CN=issuer \
            -keyout "$work/key" -out "$work/issuer"
        openssl req -new -key "$2.key" -subj "/CN=$2" -out "$work/request"
        printf 'subjectAltName = DNS:%s\nauthorityKeyIdentifier = keyid\n' "$2" >"$work/extensions"
        printf '%s\n' '[ca]' default_ca=own '[own]' "database=$work/index" "new_certs_dir=$work" default_md=sha256 \
            rand_serial=yes policy=any '[any]' commonName=supplied >"$work/configuration"
        touch "$work/index"
        stamp() { date -u -d "$1" +%Y%m%d%H%M%SZ; }
        openssl ca -batch -notext -config "$work/configuration" -cert "$work/issuer" -keyfile "$work/key" \
            -startdate "$(stamp '-80 days')" -enddate "$(stamp '+10 days')" -extfile "$work/extensions" \
            -in "$work/request" -out "$work/leaf"
        cat "$work/leaf" >"$2.cer"
        cat "$work/issuer" >ca.cer
        cat "$work/leaf" "$work/issuer" >fullchain.cer
        """#
}
