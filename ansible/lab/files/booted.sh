#!/bin/sh
# usage: booted.sh possible | start ADDRESS | stop
# On a host of the lab, as root: systemd as the first process of namespaces of its own, over the host's own files but
# with its own /run. An sshd in it listens on ADDRESS. "possible" tells by its status whether this kernel lets it.
set -eu
home=/run/booted

# The kernel's one tree of control groups, seen from here; systemd needs a branch of it.
mount_groups() {
    mkdir -p "$home/groups"
    mountpoint -q "$home/groups" || mount -t cgroup2 cgroup2 "$home/groups"
}

start() { # ADDRESS
    stop
    mount_groups
    group=$home/groups/acme-lab-$1
    mkdir -p "$group"
    echo "$group" >"$home/group"
    setsid sh -c 'echo 0 >"$1/cgroup.procs"
        exec unshare --mount --pid --cgroup --ipc --uts --fork --kill-child "$2" inside "$3"' \
        sh "$group" "$0" "$1" >"$home/log" 2>&1 </dev/null &
    echo $! >"$home/holder"
    port=$(sed -n 's/^Port //p' /etc/ssh/sshd_config)
    until ssh-keyscan -T 1 -p "$port" "$1" 2>/dev/null | grep -q .; do
        kill -0 "$(cat "$home/holder")" 2>/dev/null || { cat "$home/log" >&2; exit 1; }
        sleep 0.1
    done
}

stop() {
    [ -f "$home/holder" ] || return 0
    kill -KILL "$(cat "$home/holder")" 2>/dev/null || :
    group=$(cat "$home/group")
    until find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; do sleep 0.05; done
    rm "$home/holder" "$home/group"
}

inside() { # ADDRESS
    root=$home/root
    mkdir -p "$root"
    mount --rbind / "$root"
    cd "$root"
    mount -t proc proc proc
    mount --bind proc/sys proc/sys
    mount -o remount,ro,bind proc/sys
    umount -l sys
    mount -t sysfs -o ro sysfs sys
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    devices
    mount -t tmpfs -o mode=0755 run run
    mkdir -p run/systemd/system run/systemd/system-generators run/sshd
    units "$1"
    pivot_root . .
    umount -l .
    exec env -i container=lxc PATH=/usr/sbin:/usr/bin /lib/systemd/systemd --unit=lab.target
}

devices() {
    mkdir -p "$home/dev"
    mount -t tmpfs -o mode=0755 dev "$home/dev"
    for device in null zero full random urandom tty; do
        touch "$home/dev/$device"
        mount --bind "/dev/$device" "$home/dev/$device"
    done
    mkdir "$home/dev/shm" "$home/dev/pts"
    mount -t tmpfs -o mode=1777 shm "$home/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$home/dev/pts"
    ln -s pts/ptmx "$home/dev/ptmx"
    ln -s /proc/self/fd "$home/dev/fd"
    umount -l dev
    mount --rbind "$home/dev" dev
}

# Of what belongs to the machine itself nothing is started: a journal, sshd, and what the tests install.
units() { # ADDRESS
    for unwanted in /lib/systemd/system/*.wants/* /etc/systemd/system/*.wants/*; do
        case ${unwanted##*/} in
        systemd-journald* | systemd-tmpfiles-setup.service | acme-*) ;;
        *) ln -sf /dev/null "run/systemd/system/${unwanted##*/}" ;;
        esac
    done
    for generator in /lib/systemd/system-generators/*; do
        ln -sf /dev/null "run/systemd/system-generators/${generator##*/}"
    done
    sed "s/^ListenAddress .*/ListenAddress $1/" /etc/ssh/sshd_config >run/sshd_config
    cat >run/systemd/system/lab.target <<'UNIT'
[Unit]
Requires=basic.target lab-sshd.service
UNIT
    cat >run/systemd/system/lab-sshd.service <<'UNIT'
[Service]
ExecStart=/usr/sbin/sshd -D -e -f /run/sshd_config
KillMode=process
UNIT
}

case $1 in
possible) mount_groups && [ -x /lib/systemd/systemd ] ;;
*) "$@" ;;
esac
