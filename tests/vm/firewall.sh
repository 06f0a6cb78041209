#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# --firewall: a guest without files that passes on between two cards what nft's
# rules allow.  First what is refused.
. "${top_srcdir:?}/tests/vm/lib.sh"

one=5,mac=02:00:00:00:00:01 two=6,mac=02:00:00:00:00:02
refused() { # refused PATTERN OPTIONS... ; descriptor 7 holds rules
	pattern=$1
	shift
	echo 'table inet x { }' >"$tmp/rules"
	vm "$@" 7<"$tmp/rules"
	[ $st = 125 ] && grep -q -e "$pattern" "$tmp/err"
	ok $? "refused: $*"
}
refused 'descriptor 99 is not open' --firewall 99
refused 'wants two network cards, not 0' --firewall 7
refused 'runs no command' --firewall 7 -- true
refused '^vmrun: --rw, --ro and --tmp: not with' --firewall 7 --ro /usr
refused '^vmrun: --env: not with' --firewall 7 -e A=1
refused '^vmrun: --dbus: not with' --firewall 7 --dbus session
refused '^vmrun: --wrap: not with' --firewall 7 --wrap restricted
refused '^vmrun: --net: not with' --firewall 7 --net any
if ! [ -r /dev/net/tun ] || ! [ -w /dev/net/tun ] || ! command -v ip >/dev/null; then
	skip "a firewall" "/dev/net/tun is closed, or there is no ip(8)"
	plan_done
fi
: >"$tmp/empty"
head -c 65537 /dev/zero | tr '\0' '#' >"$tmp/long"
printf 'a\0b' >"$tmp/binary"
for f in 'empty there are no rules' 'long more than 64 KiB' 'binary not text'; do
	python3 - "$tmp/${f%% *}" "$one" "$two" >"$tmp/err" <<'PY'
import os, socket, subprocess, sys
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
for s, n in ((a, 5), (b, 6)):
    os.dup2(s.fileno(), n)
rules = os.open(sys.argv[1], os.O_RDONLY)
print(subprocess.run(["vmrun", "--firewall", str(rules), "--nic", sys.argv[2],
                      "--nic", sys.argv[3]], pass_fds=[5, 6, rules],
                     capture_output=True, text=True).stderr)
PY
	has "$tmp/err" "${f#* }" "refused: ${f#* }"
done

cp "$top_srcdir/rulesets/web.nft" "$tmp/"
printf 'tcp dport 8080 drop\naccept\n' >"$tmp/drop.nft"
{
	echo 'allow-host a.example tcp dport 443'
	echo 'allow-host .a.example tcp dport 8080'
	echo 'allow-host .b.example # all of it'
} >"$tmp/names.nft"
echo 'allow-host c.example' | cat "$tmp/names.nft" - >"$tmp/more.nft"
echo 'allow-host c.example' >"$tmp/less.nft"
for s in web drop names more less; do
	publish=
	[ $s != web ] || publish=publish
	"$top_builddir/tests/sys/ruleset-tool" "$tmp/$s.nft" $publish >"$tmp/$s.out" ||
		echo "# no ruleset $s"
done
for s in six mute; do
	"$top_builddir/tests/sys/ruleset-tool" "$tmp/names.nft" $s >"$tmp/$s.out"
done
python3 "$top_srcdir/tests/vm/firewall.py" "$tmp" >"$tmp/tap" 2>"$tmp/why"
is $? 0 "the two sides were played to their end"
sed 's/^/# /' "$tmp/why"
oks "$tmp/tap"
plan_done
