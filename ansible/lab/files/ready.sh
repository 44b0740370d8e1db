#!/bin/sh
# usage: ready.sh LAB
# Asks every part of the lab until it answers; where one ends or does not answer in time, prints its log and fails.
set -eu
lab=$1
deadline=$(($(date +%s) + 60))
asked=

# The first complaint is made; whatever else fails then has the same cause, or comes next time.
complain() { # NAME SERVICE WHAT
    if mkdir "$lab/run/failed" 2>/dev/null; then
        echo "The lab's $1 $3. The end of $lab/logs/$2.log:" >&2
        tail -n 20 "$lab/logs/$2.log" >&2
    fi
    exit 1
}

service() { :; }
ready() { # NAME SERVICE COMMAND...
    (
        name=$1 service=$2
        shift 2
        until "$@" >/dev/null 2>&1; do
            if [ -d "$lab/run/failed" ]; then exit 1; fi
            if [ -f "$lab/run/$service.exit" ]; then complain "$name" "$service" "ended"; fi
            if [ "$(date +%s)" -ge "$deadline" ]; then complain "$name" "$service" "does not answer"; fi
            sleep 0.1
        done
    ) &
    asked="$asked $!"
}
shows() { # SERVER QUESTION...
    server=$1
    shift
    dig +short +tries=1 +time=1 "@$server" "$@" | grep -q '^[^;]'
}
. "$lab/parts.sh"

failed=0
for process in $asked; do wait "$process" || failed=1; done
[ "$failed" = 0 ] || exit 1
mv "$lab/lab.env.new" "$lab/lab.env"
