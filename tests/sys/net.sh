#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# vmrunctl net list, check, show: what they refuse, with the line; what they find.
. "${top_srcdir:?}/tests/lint/tap.sh"
ctl=${top_builddir:?}/vmrunctl
export XDG_CONFIG_HOME="$scratch/config" XDG_STATE_HOME="$scratch/state"
net=$scratch/config/vmrun/net
mkdir -p "$net"
cp "$top_srcdir"/rulesets/*.nft "$net/"
cd "$scratch" || exit 1

check() { # check ARGS... : status in $st, what it said in err
	"$ctl" net "$@" >out 2>err
	st=$?
}
says() { # says STATUS PATTERN WHAT
	[ "$st" = "$1" ] && grep -q -e "$2" err
	ok $? "$3"
	[ "$failed" = 0 ] || sed 's/^/# /' err
}
check
says 125 'usage: vmrunctl net' "no verb"
check check
says 125 'usage: vmrunctl net check' "nothing to check"
check list x
says 125 'usage: vmrunctl net list' "an argument too many"
for v in show stop reload; do
	check $v nobody
	says 1 'there is no ruleset "nobody"' "no such ruleset to $v"
	says 1 "hint: nobody.nft would be in $scratch/config/vmrun/net, /" "and where it would be"
	check $v web
	says 1 'nobody uses network web now' "one that is there, and nobody uses"
done
check show vm:nobody
says 1 'nobody uses network vm:nobody now' "a net VM needs no file"
check check nobody
says 125 'no ruleset "nobody"' "no such ruleset"
check check none
says 125 'not the name of a ruleset' "none is no ruleset"
check check ./nothing.nft
says 125 'nothing.nft: No such file' "no such file"
printf 'accept\n}\n' >out.nft
check check ./out.nft
says 125 'out.nft:2: "}" without' "what leaves the chain"
printf 'accept\nallow-host Example..org\n' >host.nft
check check ./host.nft
says 125 'host.nft:2: allow-host wants a name' "what is no name of a host"
head -c 60000 /dev/zero | tr '\0' '#' >big.nft
check check ./big.nft
[ "$st" = 125 ]
ok $? "a file that is too large"

if [ -x /usr/sbin/nft ] && unshare -Urn true 2>/dev/null; then
	printf '# x\ntcp dport 99999 accept\n' >"$net/mine.nft"
	check check mine
	says 125 'net/mine.nft:2: Service out of range' "nft's own opinion, with the line"
	for s in web mail lan any; do
		check check $s
		[ "$st" = 0 ] && [ ! -s out ] && [ ! -s err ]
		ok $? "$s is right"
	done
else
	skip "nft's opinion" "no nft, or no user namespaces"
	: >"$net/mine.nft"
fi
: >"$net/not a name.nft"
check list
[ "$st" = 0 ] && [ "$(cut -d ' ' -f 1 out | tr '\n' ' ')" = 'any lan mail mine web ' ]
ok $? "they are listed by name"
check list --json
[ "$st" = 0 ] && python3 -c '
import json
l = json.load(open("out"))
assert [x["name"] for x in l] == ["any", "lan", "mail", "mine", "web"], l
assert l[3]["file"].endswith("/vmrun/net/mine.nft"), l'
ok $? "and as JSON"
plan_done
