#!/bin/sh
# usage: demo.sh
# Runs the playbook against the lab that is up, shows what the hosts hold, and runs it again to show that nothing
# happens. From the top of the repository, with Ansible on the PATH.
set -eu
. .lab/lab.env

base() { # PHASE
    .ci/phase "$1" ansible-playbook -i "$LAB_INVENTORY" playbooks/base.yaml
}
orders() {
    grep -c 'POST /order-plz' "$LAB_LOGS/pebble-main.log" || true
}
serial() {
    dig +short "@${LAB_SECONDARY%:*}" "$LAB_SIGNING_ZONE" SOA | cut -d' ' -f3
}

base "First run of base.yaml"
.ci/phase "Reading the hosts' certificates" ansible-playbook -i "$LAB_INVENTORY" ansible/lab/report.yaml \
    -e lab_report="$PWD/build/certificates.txt"
echo
sed 's, *$,,' build/certificates.txt
echo

orders_before=$(orders)
serial_before=$(serial)
base "Second run of base.yaml"
changed=$(sed -n 's/.* changed=\([0-9]*\) .*/\1/p' build/logs/second-run-of-baseyaml.log | awk '{ sum += $1 } END { print sum + 0 }')
orders=$(($(orders) - orders_before))
serial_after=$(serial)
printf '\n  The second run: changed=%s, %s new orders at the CA, zone serial %s before and %s after.\n\n' \
    "$changed" "$orders" "$serial_before" "$serial_after"
[ "$changed $orders $serial_before" = "0 0 $serial_after" ]
