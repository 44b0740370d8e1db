#!/bin/sh
# usage: state.sh FILE DAYS
# Prints `readable` and then the key of each certificate in a host's file that has fewer than DAYS days left; or
# `absent`; or, where FILE cannot be read, the system's words for it.
set -u
file=$1
seconds=$(($2 * 86400))
if ! words=$(LC_ALL=C cat "$file" 2>&1 >/dev/null); then
    case $words in
    *"No such file"*) echo absent ;;
    *) echo "${words##*: }" ;;
    esac
    exit 0
fi
echo readable
command -v openssl >/dev/null || exit 0
sed -n 's/^cert_\([A-Za-z0-9_]*\):$/\1/p' "$file" | while read -r key; do
    awk -v top="cert_$key:" '
        /^[^ ]/ { ours = $0 == top }
        /^  [^ ]/ { wanted = ours && $1 == "cert_contents:" }
        wanted && sub(/^    /, "") { print }' "$file" |
        openssl x509 -noout -checkend "$seconds" >/dev/null 2>&1 || echo "$key"
done
