#!/bin/sh
# usage: host.sh LAB NAME ADDRESS PORT RESOLVER
# Runs in namespaces of its own (mounts, host name): a host whose root is a copy-on-write view of this machine's.
# LAB/NAME, where it is there, is laid over the root, and its etc/rc.local started.
set -eu
umask 022
lab=$1 name=$2 address=$3 port=$4 resolver=$5
layers=$lab/world/$name
root=$layers/root
hostname "$name"

# An overlay shows nothing of a file system that is mounted within its lower one: such a tree gets an overlay as well.
overlay() { # TREE
    upper=$layers/upper$(printf %s "$1" | tr / -)
    mkdir -p "$upper/files" "$upper/work" "$root"
    mount -t overlay -o "lowerdir=$1,upperdir=$upper/files,workdir=$upper/work" overlay "$root$1"
}
overlay /
for tree in /usr /var /home /opt /root; do
    if mountpoint -q "$tree"; then overlay "$tree"; fi
done
# The checkout is there too: the bastion runs Ansible from it.
checkout=$(findmnt -n -o TARGET --target "$lab")
case " / /usr /var /home /opt /root " in
*" $checkout "*) ;;
*) overlay "$checkout" ;;
esac
for tree in proc sys dev; do mount --rbind "/$tree" "$root/$tree"; done
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount -t tmpfs -o mode=0755 run "$root/run"
mkdir "$root/run/sshd" "$root/run/lock"
# Where another Ansible may be at work on this machine meanwhile.
mkdir -p "$root/root/.ansible"
mount -t tmpfs -o mode=0700 ansible "$root/root/.ansible"

cd "$root"
rm -f etc/resolv.conf etc/ssh/ssh_host_*
rm -rf root/.ssh etc/letsencrypt-certs var/lib/acme-modules
echo "nameserver $resolver" >etc/resolv.conf
echo "$name" >etc/hostname
printf '127.0.0.1 localhost\n%s %s\n' "$address" "$name" >etc/hosts
install -m 0644 "$lab/https-ca.pem" etc/ssl/lab-acme-ca.pem
install -m 0600 "$lab/keys/host_$name" etc/ssh/ssh_host_ed25519_key
cat >etc/ssh/sshd_config <<END
ListenAddress $address
Port $port
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile /etc/ssh/lab_authorized_keys
UsePAM no
UseDNS no
MaxStartups 100
Subsystem sftp internal-sftp
END
install -m 0644 "$lab/keys/id_ed25519.pub" etc/ssh/lab_authorized_keys
# An account with a locked password may not log in by key either.
chroot . usermod -p '*' root
if ! chroot . id operator >/dev/null 2>&1; then
    chroot . useradd --create-home --gid operator --password '*' --shell /bin/bash operator
fi
if [ -d etc/sudoers.d ]; then
    echo 'operator ALL=(ALL) NOPASSWD: ALL' >etc/sudoers.d/operator
    chmod 0440 etc/sudoers.d/operator
fi

if [ -d "$lab/$name" ]; then
    cp -R "$lab/$name/." .
    {
        chroot . /etc/rc.local || true
        echo 1 >"$lab/run/$name.exit"
    } &
fi
exec chroot . /usr/sbin/sshd -D -e
