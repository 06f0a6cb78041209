#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Networks that go out through a net VM, in a test network that nothing leaves:
# machine, firewall VM, net VM, passt.
. "${top_srcdir:?}/tests/vm/innet.sh"

conf=$XDG_CONFIG_HOME/vmrun
echo 'uplink = vm:home' >"$conf/net.conf"
echo 'allow-net 10.215.0.0/16' >>"$net/web.nft"

echo 'uplink = tap:vt0,ip=203.0.113.2/24,gw=203.0.113.1' >"$net/tap.conf"
echo 'allow-net 203.0.113.1/32' >"$net/tap.nft"
echo 'uplink = tap:v0,ip=203.0.113.2/24' >"$net/notap.conf"
echo accept >"$net/notap.nft"

echo 'uplink = vm:../x' >"$net/web.conf"
vm --net web -- true
is $st 125 "a way out that is none: 125"
has "$tmp/err" 'net/web.conf:1: uplink: vm: is followed by a name' "and its line"
rm "$net/web.conf"
echo 'uplink = vm:other' >"$net/vm:home.conf"
vm --net web -- true
is $st 125 "a net VM behind a net VM: 125"
has "$tmp/err" 'vm:home.conf:1: uplink: a net VM does not go out through another' "and where"
vmrunctl net check web >"$tmp/out" 2>"$tmp/err"
is $? 125 "net check finds it too"
echo 'uplink = tap:nosuch,ip=192.0.2.7/24' >"$net/vm:home.conf"
vm --net web --publish 7001:80 -- true
is $st 125 "--publish without passt: 125"
has "$tmp/err" 'publish is for networks that go out through passt' "and why"
rm "$net/vm:home.conf"
vm --net vm:home -- true
is $st 125 "a machine has no place before a net VM: 125"
vmrun --dry-run --net web -- true >"$tmp/out" 2>"$tmp/err"
has "$tmp/out" 'through vm:home' "--dry-run names the way"

python3 "$top_srcdir/tests/vm/netvm.py" "$tmp" >"$tmp/tap" 2>"$tmp/why"
is $? 0 "it was played to its end"
sed 's/^/# /' "$tmp/why"
oks "$tmp/tap"
plan_done
