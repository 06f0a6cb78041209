#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A test network: this machine's own network is left, and another one is there
# for COMMAND, which nothing leaves; so are its processes.  Needs root.
#
# usage: testnet.sh COMMAND [ARG]...
#
#     here      v0  198.51.100.2/24  2001:db8::2/126  port 9000 answers
#               vt0, a TAP that $VMRUN_USER may open  203.0.113.1/24
#     elsewhere v1  198.51.100.1 and .7, 192.168.7.7  2001:db8::1 and ::7
#               HTTP on 80, 8080 and 22; DNS on .7, .1 and ::7: every name is
#               the address of who is asked, and 198.51.100.66 if ::7 is; but
#               moved.example is what the file
#               $TESTNET/moved says; datagrams on .7 port 443, which have
#               answers that nobody asked for
#
# $TESTNET is a folder for both sides.  `elsewhere` is the process $ELSEWHERE.
set -eu
if [ -z "${TESTNET_INSIDE-}" ]; then
	# Processes too: a test that counts them counts its own, whoever else
	# tests beside it, and none is left after it.
	TESTNET_INSIDE=1 exec unshare -mnp --fork --kill-child --mount-proc \
		--propagation private sh "$0" "$@"
fi
here=$(cd "$(dirname "$0")" && pwd)
TESTNET=$(mktemp -d /tmp/testnet.XXXXXX)
chmod 755 "$TESTNET"
pids=
# shellcheck disable=SC2086 # several words
trap 'kill $pids 2>/dev/null; rm -rf "$TESTNET"' EXIT

unshare -n sleep 2147483647 </dev/null >/dev/null 2>&1 &
ELSEWHERE=$!
pids=$ELSEWHERE
until [ "$(readlink "/proc/$ELSEWHERE/ns/net")" != "$(readlink /proc/self/ns/net)" ] &&
	[ "$(cat /proc/$ELSEWHERE/comm)" = sleep ]; do
	sleep 0.05
done
there() { nsenter -t "$ELSEWHERE" -n "$@"; }

ip link set lo up
ip link add v0 type veth peer name v1
ip link set v1 netns "$ELSEWHERE"
ip addr add 198.51.100.2/24 dev v0
ip addr add 2001:db8::2/126 dev v0 nodad
ip link set v0 up
there ip link set lo up
for a in 198.51.100.1/24 198.51.100.7/24 192.168.7.7/24; do
	there ip addr add $a dev v1
done
for a in 2001:db8::1/126 2001:db8::7/128; do
	there ip addr add $a dev v1 nodad
done
there ip link set v1 up
ip route add default via 198.51.100.1
ip -6 route add default via 2001:db8::1
if [ -n "${VMRUN_USER-}" ] && [ -c /dev/net/tun ]; then
	ip tuntap add dev vt0 mode tap user "$VMRUN_USER"
	ip addr add 203.0.113.1/24 dev vt0
	ip link set vt0 up
fi
# Nobody has these; that is said at once.
ip route add unreachable 10.0.0.0/8
ip -6 route add unreachable fc00::/7
echo "nameserver 198.51.100.7" >"$TESTNET/resolv.conf"
# For tests, which are another user's: what root does elsewhere.
for f in resolv.conf moved; do
	touch "$TESTNET/$f"
	chmod 666 "$TESTNET/$f"
done
mount --bind "$TESTNET/resolv.conf" "$(realpath /etc/resolv.conf)"

for where in there here; do
	run=
	[ $where = here ] || run="nsenter -t $ELSEWHERE -n"
	$run python3 "$here/testnet.py" $where "$TESTNET" </dev/null \
		>"$TESTNET/$where.out" 2>&1 &
	pids="$pids $!"
	until grep -q up "$TESTNET/$where.out" 2>/dev/null; do
		kill -0 $! || exit 1
		sleep 0.05
	done
done
export TESTNET ELSEWHERE
status=0
"$@" || status=$?
exit $status
