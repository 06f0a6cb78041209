#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The service of a network, with a script in place of its firewall's vmrun: which
# rules are whose.  Its switch is the real one, its way out a TAP that leads
# nowhere.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"
[ -w /dev/net/tun ] || bail "/dev/net/tun is closed to ordinary users"
[ -x /usr/sbin/nft ] || bail "there is no nft"

mkdir -p "$tmp/run" && chmod 700 "$tmp/run"
XDG_RUNTIME_DIR=$tmp/run
export XDG_RUNTIME_DIR
conf=$XDG_CONFIG_HOME/vmrun
mkdir -p "$conf/net"
tmp=$(cd "$tmp" && pwd)
echo "uplink = tap:$tmp/lent,ip=198.51.100.2/24,gw=198.51.100.1" >"$conf/net/web.conf"
cp "$top_builddir/vmrun-net" "$tmp/libexec/"
# Keeps the rules that it is started with, and forwards at once, as it says.
cat >"$tmp/firewall" <<END
#!/bin/sh
n=\$((\$(cat "$tmp/n" 2>/dev/null || echo 0) + 1))
cat <&3 >"$tmp/rules.\$n"
echo \$\$ >"$tmp/pid"
echo \$n >"$tmp/n.new" && mv "$tmp/n.new" "$tmp/n"
printf '{"vm":%d,"pid":%d}\n{"ready":true}\n' \$n \$\$ >&6
exec sleep 1000
END
chmod +x "$tmp/firewall"
timeout 300 python3 "$top_srcdir/tests/sys/netservice.py" "$tmp" "$top_builddir/vmrun-net" \
	"$conf/net/web.nft" >"$tmp/tap.out" 2>"$tmp/err"
is $? 0 "it was played to its end"
oks "$tmp/tap.out"
plan_done
