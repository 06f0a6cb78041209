#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Networks with bridge VMs, in a test network that nothing leaves: before passt,
# before a net VM and in its network, before a TAP.
. "${top_srcdir:?}/tests/vm/innet.sh"

echo 'bridge = left' >"$net/web.conf"
vm --net web -- true
is $st 125 "a side that is none: 125"
has "$tmp/err" 'net/web.conf:1: bridge: "left" is no side of a firewall' "and its line"

echo 'bridge = both' >"$net/web.conf"
printf 'uplink = vm:home\nbridge = outside\n' >"$net/other.conf"
echo 'bridge = inside' >"$net/vm:home.conf"
printf 'bridge = outside\nuplink = tap:vt0,ip=203.0.113.2/24,gw=203.0.113.1\n' >"$net/tap.conf"
echo 'allow-net 203.0.113.1/32' >"$net/tap.nft"

vmrun --dry-run --net web -- true >"$tmp/out" 2>"$tmp/err"
has "$tmp/out" 'through passt, bridge VMs: both' "--dry-run says so"
vmrun --dry-run --format json --net web -- true >"$tmp/out" 2>"$tmp/err"
has "$tmp/out" '"bridge": "both"' "--dry-run=json too"
vmrunctl net list >"$tmp/out" 2>"$tmp/err"
has "$tmp/out" '^web  .*  uplink passt  bridge both$' "net list"
vmrunctl net list --json >"$tmp/out" 2>"$tmp/err"
has "$tmp/out" '"bridge": "outside"' "net list --json"

python3 "$top_srcdir/tests/vm/bridged.py" "$tmp" >"$tmp/tap" 2>"$tmp/why"
is $? 0 "it was played to its end"
sed 's/^/# /' "$tmp/why"
oks "$tmp/tap"
plan_done
