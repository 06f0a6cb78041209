#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# --nic: a guest with a network card whose other end is a descriptor: the real
# vmrun-switch, a stream, a TAP.  First what is refused.
. "${top_srcdir:?}/tests/vm/lib.sh"

mac=mac=02:00:00:00:00:01
refused() { # refused PATTERN OPTIONS...
	pattern=$1
	shift
	vm "$@" -- true
	[ $st = 125 ] && grep -q -e "$pattern" "$tmp/err"
	ok $? "refused: $*"
}
refused 'descriptor 99 is not open' --nic 99,$mac
exec 9</dev/null
refused 'nothing that frames come from' --nic 9,$mac
refused 'it has no mac=' --nic 9
refused 'more than 4 network cards' \
	--nic 5,$mac --nic 6,mac=02:00:00:00:00:02 --nic 7,mac=02:00:00:00:00:03 \
	--nic 8,mac=02:00:00:00:00:04 --nic 9,mac=02:00:00:00:00:05 \
	5</dev/null 6</dev/null 7</dev/null 8</dev/null
exec 9>&-

python3 "$top_srcdir/tests/vm/nic.py" vmrun "$top_builddir/vmrun-switch" \
	>"$tmp/tap" 2>"$tmp/why"
is $? 0 "the other ends were played to their end"
sed 's/^/# /' "$tmp/why"
while read -r good text; do
	if [ "$good" = skip ]; then
		skip "a TAP" "$text"
		continue
	fi
	[ "$good" = 1 ]
	ok $? "$text"
done <"$tmp/tap"
plan_done
