#!/bin/sh
# usage: https_certificate.sh ADDRESS USER
# In the directory of the CA: a root and a certificate for ADDRESS, where there is none that lasts another 30 days. The
# root's key is kept nowhere.
set -eu
umask 077
case $1 in
*[!0-9.:]*) name=DNS:$1 ;;
*) name=IP:$1 ;;
esac
if openssl x509 -in https.pem -noout -checkend 2592000 >/dev/null 2>&1 && [ "$(cat https.name)" = "$name" ]; then
    exit
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 -keyout "$work/root.key" \
    -out "$work/root.pem" -subj '/CN=letsencrypt-test-ca HTTPS root' -addext keyUsage=critical,keyCertSign 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout "$work/https.key" -out "$work/https.csr" \
    -subj '/CN=letsencrypt-test-ca' 2>/dev/null
printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$name" >"$work/extensions"
openssl x509 -req -in "$work/https.csr" -CA "$work/root.pem" -CAkey "$work/root.key" -days 3650 \
    -extfile "$work/extensions" -out "$work/https.pem" 2>/dev/null
echo "$name" >"$work/https.name"
install -m 0644 "$work/root.pem" "$work/https.pem" "$work/https.name" .
install -m 0640 -g "$2" "$work/https.key" .
echo made
