#!/bin/sh
# usage: demo.sh
# Runs the playbook against the lab that is up, shows what the hosts hold, runs it again to show that nothing happens,
# and then what comes up in a fleet's life. From the top of the repository, with Ansible on the PATH.
set -eu
. .lab/lab.env

base() { # PHASE ARGUMENT...
    name=$1
    shift
    .ci/phase "$name" ansible-playbook -i "$LAB_INVENTORY" playbooks/base.yaml "$@"
}
# The same where the run has to end with a failure.
failing_base() { # PHASE ARGUMENT...
    name=$1
    shift
    .ci/phase "$name" sh -c '! "$@"' sh ansible-playbook -i "$LAB_INVENTORY" playbooks/base.yaml "$@"
}
# Made by the CA: a request that it refused for its nonce is sent again, and is no order.
orders() {
    grep -c 'Added order ' "$LAB_LOGS/pebble-main.log" || true
}
serial() { # ADDRESS:PORT
    dig +short "@${1%:*}" -p "${1#*:}" "$LAB_SIGNING_ZONE" SOA | cut -d' ' -f3
}
serials() {
    echo "$(serial "$LAB_PRIMARY") on the primary, $(serial "$LAB_SECONDARY") on the secondary"
}
# Fails the demo where fewer or more orders were made since orders_before was set.
expect_orders() { # NUMBER
    made=$(($(orders) - orders_before))
    [ "$made" = "$1" ] || { echo "  --  $made new orders at the CA, expected $1"; exit 1; }
    orders_before=$(orders)
}

base "First run of base.yaml"
.ci/phase "Reading the hosts' certificates" ansible-playbook -i "$LAB_INVENTORY" ansible/lab/report.yaml \
    -e lab_report="$PWD/build/certificates.txt"
echo
sed 's, *$,,' build/certificates.txt
echo

orders_before=$(orders)
serials_before=$(serials)
base "Second run of base.yaml"
changed=$(sed -n 's/.* changed=\([0-9]*\) .*/\1/p' build/logs/second-run-of-baseyaml.log | awk '{ sum += $1 } END { print sum + 0 }')
orders=$(($(orders) - orders_before))
serials_after=$(serials)
printf '\n  The second run: changed=%s, %s new orders at the CA.\n' "$changed" "$orders"
printf '  Zone serial before: %s\n              after:  %s\n\n' "$serials_before" "$serials_after"
[ "$changed $orders $serials_before" = "0 0 $serials_after" ]

base "A name more on one of two" --limit web02 -e "{letsencrypt_certs: {
    balanced: [www.$LAB_MAIN_ZONE], web02-main: [web02.$LAB_MAIN_ZONE, n1.$LAB_MAIN_ZONE]}}"
expect_orders 1
base "Self-signed, the CA not asked" --limit web02 -e letsencrypt_notify=false -e letsencrypt_self_sign_only=true \
    -e letsencrypt_cert_path=/etc/self-signed -e letsencrypt_state_path=/var/lib/self-signed
expect_orders 0
failing_base "One without CNAME fails alone" --limit web01 -e letsencrypt_notify=false -e letsencrypt_force=true \
    -e "{letsencrypt_certs: {spare: [n2.$LAB_MAIN_ZONE], nocname: [nocname.$LAB_MAIN_ZONE]}}"
expect_orders 1
said=$(sed -n 's/.*certificate nocname: \([^;]*;\) \(add, in the zone[^:]*:\) *\(_acme.*\)/  \1\n  \2\n\n      \3/p' \
    build/logs/one-without-cname-fails-alone.log | head -4)
[ -n "$said" ] || { echo "  --  the run did not say which record to add"; exit 1; }
printf '\n%s\n\n' "$said"
