#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The rules of bridge VMs with frames, at two veths in a network namespace.
. "${top_srcdir:?}/tests/lint/tap.sh"
tool=${top_builddir:?}/tests/sys/bridge-tool
nft=$(command -v nft || echo /usr/sbin/nft)
for t in "$nft" ip unshare python3; do
	command -v "$t" >/dev/null || { skip "rules of bridges" "no $t"; plan_done; }
done
unshare -Urn true 2>/dev/null || { skip "rules of bridges" "no user namespaces"; plan_done; }

cat >"$scratch/world.sh" <<'END'
set -e
# No frame but the test's.
for f in all default; do
	[ ! -d /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6
done
ip link add inner type veth peer name i1
ip link add outer type veth peer name o1
for i in inner outer i1 o1; do ip link set $i arp off promisc on up; done
"$NFT" -f "$RULES"
exec python3 "$top_srcdir/tests/sys/bridge.py" veth "$1"
END
for mode in two any; do
	"$tool" $mode >"$scratch/rules"
	NFT=$nft RULES=$scratch/rules timeout 1200 unshare -Urn sh "$scratch/world.sh" $mode \
		>"$scratch/out" 2>"$scratch/err"
	ok $? "$mode: it was played to its end"
	sed 's/^/# /' "$scratch/err"
	sed "s/^\([01]\) /\1 $mode: /" "$scratch/out" >"$scratch/tap"
	oks "$scratch/tap"
done
# Two guests have the most that there can be: it fits, and nft takes it.
"$tool" full >"$scratch/rules"
printf 'ip link add inner type dummy\nip link add outer type dummy\n%s -c -f %s\n' \
	"$nft" "$scratch/rules" | sed 's/type dummy/type veth/' >"$scratch/full.sh"
unshare -Urn sh "$scratch/full.sh" 2>"$scratch/err"
ok $? "a full segment's rules are taken"
sed 's/^/# /' "$scratch/err"
plan_done
