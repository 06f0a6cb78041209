#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A test network: this machine's own network is left, and another one is there
# for COMMAND, which nothing leaves.  Needs root.
#
# usage: testnet.sh COMMAND [ARG]...
#
#     here      v0  198.51.100.2/24  2001:db8::2/64  port 9000 answers
#     elsewhere v1  198.51.100.1 and .7, 192.168.7.7  2001:db8::1 and ::7
#               HTTP on 80, 8080 and 22; DNS on .7: every name is .7, but
#               moved.example is what the file $TESTNET/moved says
#
# $TESTNET is a folder for both sides.  `elsewhere` is the process $ELSEWHERE.
set -eu
if [ -z "${TESTNET_INSIDE-}" ]; then
	TESTNET_INSIDE=1 exec unshare -mn --propagation private sh "$0" "$@"
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
ip addr add 2001:db8::2/64 dev v0 nodad
ip link set v0 up
there ip link set lo up
for a in 198.51.100.1/24 198.51.100.7/24 192.168.7.7/24; do
	there ip addr add $a dev v1
done
for a in 2001:db8::1/64 2001:db8::7/64; do
	there ip addr add $a dev v1 nodad
done
there ip link set v1 up
ip route add default via 198.51.100.1
ip -6 route add default via 2001:db8::1
echo "nameserver 198.51.100.7" >"$TESTNET/resolv.conf"
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
