#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A network whose way out is a TAP, lent by `vmrunctl net tap --listen`: the
# firewall's and a net VM's.  Nothing leaves this machine, nobody is root.
. "${top_srcdir:?}/tests/vm/lib.sh"
[ -w /dev/net/tun ] || bail "/dev/net/tun is closed to ordinary users"

mkdir -p "$tmp/run" && chmod 700 "$tmp/run"
XDG_RUNTIME_DIR=$tmp/run
export XDG_RUNTIME_DIR
conf=$XDG_CONFIG_HOME/vmrun
mkdir -p "$conf/net"
cp "$top_srcdir/rulesets/web.nft" "$conf/net/"
echo 'tcp dport 8080 accept' >"$conf/net/other.nft"
way="uplink = tap:$(cd "$tmp" && pwd)/lent,ip=198.51.100.2/24,gw=198.51.100.7,dns=198.51.100.7"
echo "$way" >"$conf/net/web.conf"
echo 'uplink = vm:home' >"$conf/net/other.conf"
echo "$way" >"$conf/net/vm:home.conf"

for name in web other; do
	vm --net $name --publish 7001:80 -- true
	is $st 125 "$name: --publish before a TAP: 125"
	has "$tmp/err" 'publish is for networks that go out through passt' "and why"
done
python3 "$top_srcdir/tests/vm/taplink.py" "$tmp" "$top_srcdir/tests/vm/testnet.py" \
	>"$tmp/tap.out" 2>"$tmp/why"
is $? 0 "it was played to its end"
sed 's/^/# /' "$tmp/why"
oks "$tmp/tap.out"
plan_done
