#!/bin/sh
# usage: certificates.sh KEY=DIRECTORY...
# Prints `key|names|issuer|expiry|days left|directory` for each certificate as it lies on this host.
for wanted; do
    directory=/etc/letsencrypt-certs/${wanted#*=}
    file=$directory/${wanted#*=}.cer
    if [ ! -f "$file" ]; then
        echo "${wanted%%=*}|none||||"
        continue
    fi
    ends=$(openssl x509 -in "$file" -noout -enddate | cut -d= -f2)
    names=$(openssl x509 -in "$file" -noout -ext subjectAltName | sed -n 's/DNS://gp' | tr -d ' ')
    issuer=$(openssl x509 -in "$file" -noout -issuer -nameopt sep_multiline,utf8 | sed -n 's/.*CN=//p')
    days=$((($(date -d "$ends" +%s) - $(date +%s)) / 86400))
    echo "${wanted%%=*}|$names|$issuer|$(date -u -d "$ends" '+%Y-%m-%d %H:%M')|$days|$directory"
done
