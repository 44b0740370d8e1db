#!/bin/sh
# usage: prepare.sh LAB "HTTPS ADDRESSES" "HOSTS"
# Makes LAB anew with fresh keys, and prints "127.A.B SSH-PORT HTTPS-PORT PRIMARY-PORT", all of them free here.
set -eu
umask 022
lab=$1
https_addresses=$2
hosts=$3
"$(dirname "$0")/world.sh" stop "$lab" >/dev/null
listeners=$(ss -Hltun | awk '{print $5}')

taken_everywhere() { # PORT
    printf '%s\n' "$listeners" | grep -qE "^(0\.0\.0\.0|\*|\[::\]|::)(%[^:]*)?:$1\$"
}

free_port() { # PURPOSE PORT...
    purpose=$1
    shift
    for port; do
        taken_everywhere "$port" || { echo "$port"; return; }
    done
    echo "The lab needs one of the ports $* for $purpose, and something listens on each on all addresses." >&2
    return 1
}

# The network of last time, or the one that the checkout's path leads to, or the next that is free.
network() {
    remembered=$(cat "$lab/network" 2>/dev/null || true)
    seed=$(printf %s "$lab" | cksum | cut -d' ' -f1)
    for step in $(seq 0 99); do
        place=$(((seed + step * 7919) % 24384))
        candidate=${remembered:-127.$((16 + place / 254)).$((1 + place % 254))}
        remembered=
        printf '%s\n' "$listeners" | grep -qF "$candidate." || { echo "$candidate"; return; }
    done
    echo "The lab found no network 127.A.B that nothing listens in." >&2
    return 1
}

# BIND listens on addresses that an interface has, and of this network that is 127.0.0.1 alone: the hidden primary gets
# a port there.
primary_port() {
    seed=$(printf %s "$lab" | cksum | cut -d' ' -f1)
    for step in $(seq 0 99); do
        port=$((10000 + (seed + step) % 20000))
        printf '%s\n' "$listeners" | grep -q ":$port\$" || { echo "$port"; return; }
    done
    echo "The lab found no free port on 127.0.0.1 for its primary name server." >&2
    return 1
}

free_port DNS 53 >/dev/null
ssh_port=$(free_port ssh 22 2222 22022)
https_port=$(free_port HTTPS 443 8443 44443)
primary_port=$(primary_port)
network=$(network)

rm -rf "$lab"
mkdir -p "$lab/keys" "$lab/logs" "$lab/run" "$lab/world" "$lab/inventory"
echo "$network" >"$lab/network"
chmod 0700 "$lab/keys"
cd "$lab/keys"

ssh-keygen -q -t ed25519 -N '' -C lab -f id_ed25519
for host in $hosts; do ssh-keygen -q -t ed25519 -N '' -C "$host" -f "host_$host"; done
openssl rand -base64 32 >transfer.secret
openssl rand -base64 32 >rndc.secret
openssl rand -base64 32 >update.secret

alternatives=
for address in $https_addresses; do alternatives=${alternatives:+$alternatives,}IP:$network.$address; done
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
# shellcheck disable=SC2086
openssl req -x509 $key -keyout https-ca.key -out ../https-ca.pem -days 30 -subj '/CN=Lab HTTPS CA' \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
# shellcheck disable=SC2086
openssl req -x509 $key -keyout https.key -out https.pem -days 30 -subj '/CN=Lab CA server' \
    -CA ../https-ca.pem -CAkey https-ca.key -addext basicConstraints=critical,CA:FALSE \
    -addext "subjectAltName=$alternatives" 2>/dev/null

echo "$network $ssh_port $https_port $primary_port"
