#!/bin/sh
# usage: hints.sh LAB
# Says how to talk to the running lab.
set -eu
. "$1/lab.env"
cat <<END

  The lab is up; its addresses are in $(realpath --relative-to=. "$1")/lab.env. Talk to it:

    ssh -i $LAB_SSH_KEY -o UserKnownHostsFile=$LAB_SSH_KNOWN_HOSTS -p $LAB_SSH_PORT root@$LAB_HOST_WEB01
    dig @${LAB_RESOLVER%:*} _acme-challenge.www.$LAB_MAIN_ZONE TXT
    curl --cacert $LAB_ACME_CA $LAB_ACME_DIRECTORY
    cd ansible && ../.venv/bin/ansible -i $LAB_INVENTORY letsencrypt -m ping
    make lab-down

END
