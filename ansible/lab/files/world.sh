#!/bin/sh
# usage: world.sh start|stop|status|init LAB
# The lab is one process tree in a namespace of processes and of mounts of its own: where its first process ends, the
# kernel ends and unmounts all of it.
set -eu
files=$(dirname "$(readlink -f "$0")")
lab=$2

# The process outside that holds the world; found by its command line, so that no file can be stale.
holder() {
    pgrep -f "^unshare .* $(printf %s "$files/world.sh init $lab" | sed 's/[][\\.*^$+?(){}|]/\\&/g')\$"
}

start() {
    for part in hosts.yaml group_vars host_vars; do
        ln -sfn "$(dirname "$files")/inventory/$part" "$lab/inventory/$part"
    done
    ln -sfn "$(dirname "$files")/inventory/group_vars" "$lab/inventory-down/group_vars"
    ln -sfn "$(dirname "$files")/inventory/host_vars" "$lab/inventory-down/host_vars"
    setsid --fork unshare --mount --pid --fork --kill-child --mount-proc \
        "$files/world.sh" init "$lab" >"$lab/logs/world.log" 2>&1 </dev/null
    # Whoever owns the checkout uses the lab; ssh refuses a key of somebody else.
    chown -R --reference="$(dirname "$lab")" "$lab/keys" "$lab/logs" "$lab"/inventory* "$lab"/*.pem "$lab/known_hosts" \
        "$lab/lab.env.new"
}

stop() {
    found=$(holder) || { rm -f "$lab/lab.env"; return 0; }
    for process in $found; do kill -KILL "$process"; done
    while holder >/dev/null; do sleep 0.05; done
    rm -f "$lab/lab.env"
    echo stopped
}

init() {
    mount -t tmpfs -o mode=0755 acme-lab "$lab/world"
    mkdir "$lab/world/nsd" "$lab/world/unbound"
    service() { # NAME COMMAND...
        name=$1
        shift
        (
            status=0
            "$@" >"$lab/logs/$name.log" 2>&1 </dev/null || status=$?
            echo "$status" >"$lab/run/$name.exit"
        ) &
    }
    ready() { :; }
    . "$lab/parts.sh"
    wait
}

case $1 in
start) start ;;
stop) stop ;;
status) holder >/dev/null && [ -f "$lab/lab.env" ] ;;
init) init ;;
esac
