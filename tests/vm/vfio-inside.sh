#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The first process of the machine of vfio-machine.py: an administrator who gives
# a network card up, and what a user's vmrun does with it at each step.  Prints
# `TAP 1 DESCRIPTION` or `TAP 0 DESCRIPTION`.
#
# usage: vfio-inside.sh SOURCE BUILD USER [LONG]
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
src=$1 build=$2 user=$3 long=${4-}
uid=$(id -u "$user")
card=0000:00:05.0
pci=/sys/bus/pci
tests=$build/tests/tmp

ok() { # ok STATUS DESCRIPTION
	echo "TAP $((!$1)) $2"
	[ "$1" = 0 ] || [ ! -f /tmp/err ] || cat /tmp/err
}
is() { # is GOT WANT DESCRIPTION
	[ "$1" = "$2" ]
	ok $? "$3"
	[ "$1" = "$2" ] || printf 'got:  %s\nwant: %s\n' "$1" "$2"
}
wait_for() { # wait_for COMMAND...: twice a second, at most 600 times, while $awaited runs
	left=600
	until "$@"; do
		left=$((left - 1))
		[ $left -gt 0 ] && kill -0 "$awaited" || return 1
		sleep 0.5
	done
}

finish() {
	[ ! -s /tmp/client ] || cat /tmp/client
	show . || cat /tmp/err
	echo o >/proc/sysrq-trigger
	sleep 60
}

# The user's own state; images are those of the build.
mkdir -p /run/data "/run/user/$uid" /tmp/home /tmp/state /tmp/config/vmrun/net
mount --bind "$tests/data" /run/data
chown "$user:" "/run/user/$uid" /tmp/home /tmp/state
chmod 700 "/run/user/$uid"
ip link set lo up
cd /tmp/home || exit
# Takes the place of its process: its number is vmrun's.
cat >/tmp/as-user <<END
exec setpriv --reuid="$user" --regid="$user" --init-groups env -i HOME=/tmp/home \
	USER="$user" LOGNAME="$user" PATH="$build:$PATH" \
	XDG_RUNTIME_DIR="/run/user/$uid" XDG_DATA_HOME=/run/data \
	XDG_STATE_HOME=/tmp/state XDG_CONFIG_HOME=/tmp/config \
	VMRUN_LIBEXECDIR="$build" VMRUN_ACCEL=tcg \
	VMRUN_BOOT_TIMEOUT=20m VMRUN_NET_LINGER=1s "\$@"
END
# A firewall VM of the user's with the card, by hand: vfio.py START.
firewall() {
	sh /tmp/as-user python3 "$src/tests/vm/vfio.py" "$card" "$@" >/tmp/out 2>/tmp/err
}
refused() { # refused PATTERN DESCRIPTION
	firewall refused
	grep -q -e "$1" /tmp/err
	ok $? "$2"
}
may_lock() { # may_lock MIB
	prlimit --pid $$ --memlock=$(($1 << 20))
}
show() { # show PATTERN: what is said about the network
	sh /tmp/as-user vmrunctl net show web >/tmp/err 2>&1
	grep -q -e "$1" /tmp/err
}

# The card is the net VM's, before which are a client and its firewall.
way="uplink = pci:$card,ip=10.0.2.20/24,gw=10.0.2.2"
echo "$way" >/tmp/config/vmrun/net/web.conf
echo "$way" >/tmp/config/vmrun/net/vm:home.conf
echo accept >/tmp/config/vmrun/net/web.nft
group=$(basename "$(readlink $pci/devices/$card/iommu_group)")
node=/dev/vfio/$group

refused 'own: its driver is virtio-pci, not vfio-pci' "a card that is in use"
# A client; its guest is not waited for.
sh /tmp/as-user vmrun -q -m 256 --net web -- true >/tmp/client 2>&1 &
client=$! awaited=$!
wait_for show "nothing passes: .*its driver is virtio-pci"
ok $? "net show says so, too"
[ ! -s /tmp/client ] || cat /tmp/client
kill $client
wait $client
awaited=$$
sh /tmp/as-user vmrunctl net stop web >/dev/null 2>&1
echo "uplink = vm:home" >/tmp/config/vmrun/net/web.conf

echo vfio-pci >$pci/devices/$card/driver_override
echo $card >$pci/devices/$card/driver/unbind
echo $card >$pci/drivers/vfio-pci/bind
refused "$node is not yours" "a card of vfio's that is not the user's"
chown "$user" "$node"
may_lock 8
refused 'locked, 160 MiB, and you may lock 8 MiB' "too little memory may be locked"
may_lock 180
before=$(getfacl -cp "$node")

# Processes that have the card, while there is a VM.
holders() {
	find /proc/[0-9]*/fd -lname "$node" 2>/dev/null | cut -d/ -f3 | sort -u
}
held() { [ -n "$(holders)" ]; }
free() { ! held; }
locked() { # QEMU has opened the card by now, and goes on
	awk '/^VmLck/ { exit !($2 >= 131072) }' "/proc/$qemu/status"
}
as_before() { [ "$(getfacl -cp "$node")" = "$before" ]; }

sh /tmp/as-user vmrun -q -m 256 --net web -- true >/tmp/client 2>&1 &
client=$! awaited=$!
wait_for held
st=$?
ok $st "a net VM with uplink = pci: somebody has the card"
[ $st = 0 ] || finish
qemu=$(holders)
sh /tmp/as-user vmrunctl net show vm:home >/tmp/err 2>&1
grep -q "^uplink *pci:$card\|the net VM is starting" /tmp/err
ok $? "it is the net VM's"
grep -q ^qemu "/proc/$qemu/comm"
ok $? "it is QEMU"
u=$(stat -c %u "/proc/$qemu")
[ "$u" != "$uid" ] && [ "$u" != 0 ]
ok $? "which is a UID of its own"
is "$(getfacl -cpn "$node" | grep "^user:$u:")" "user:$u:rw-" "that has an ACL entry"
is "$(cd "/proc/$qemu/root/dev/vfio" && echo *)" "$group vfio" \
	"it sees no other group"
is "$(ls -d "/proc/$qemu/root/sys" "/proc/$qemu/root/proc" 2>/dev/null)" "" \
	"nor /sys, nor /proc"
is "$(cd "/proc/$qemu/root/pci" && find . | sort | tr '\n' ' ')" \
	". ./$card ./$card/iommu_group " \
	"but one link in its place"
is "$(awk '/locked memory/ { print $4, $5 }' "/proc/$qemu/limits")" \
	"$((160 << 20)) $((160 << 20))" "it may lock so much"
wait_for locked
ok $? "and the guest's memory is"
is "$(grep -E '^(CapPrm|CapBnd|NoNewPrivs|Seccomp):' "/proc/$qemu/status" | tr -d '\n')" \
	"CapPrm:	0000000000000000CapBnd:	0000000000000000NoNewPrivs:	1Seccomp:	2" \
	"it has no capability, and a filter"
kill $client
wait $client
awaited=$$
sh /tmp/as-user vmrunctl net stop web >/tmp/err 2>&1
sh /tmp/as-user vmrunctl net stop vm:home >>/tmp/err 2>&1
wait_for free
ok $? "the end of both networks frees the card"
wait_for as_before
ok $? "and its node's ACL is as before"

firewall start &
awaited=$!
wait_for held || finish
kill -KILL "$(cat /tmp/out)"
awaited=$$
wait_for free
ok $? "vmrun is killed: QEMU ends"
! as_before
ok $? "the entry is still there"
sh /tmp/as-user vmrunctl gc >/tmp/err 2>&1
as_before
ok $? "gc takes it away"
wait

if [ -n "$long" ]; then
	firewall ping
	ok $? "a guest has the card, and what it passes on arrives and is answered"
	cat /tmp/out
	as_before
	ok $? "its end leaves nothing"
fi
echo TAP-END
finish
