#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The guest's clock is this machine's, and follows when that is set, as after
# suspend.
. "${top_srcdir:?}/tests/vm/lib.sh"

mkfifo "$tmp/clock" "$tmp/in"
CLOCKSET=$tmp/clock LD_PRELOAD=$top_builddir/tests/vm/clockset.so \
	vmrun -q -- sh -c 'while read -r line; do eval "$line"; echo "did"; done' \
	<"$tmp/in" >"$tmp/out" 2>"$tmp/err" &
vmrun=$!
exec 8>"$tmp/in"
asked=0
did() { [ "$(grep -c '^did$' "$tmp/out")" -ge $asked ] || ! kill -0 $vmrun; }
ask() { # ask COMMAND: runs it in the guest, and waits
	asked=$((asked + 1))
	echo "$1" >&8
	wait_for 120 did
}
answer() { ask "$1"; grep -v '^did$' "$tmp/out" | tail -n 1; }

ask :
ok $? "a guest"
# What a moment here is there, in ms.  A busy machine may take long to answer
# the guest's first question, not each of those that come after it.
now() { date +%s%3N; }
is_exact() { # is_exact MS: that much before and after are allowed for
	before=$(now)
	g=$(answer 'date +%s%3N')
	after=$(now)
	[ "${g:-0}" -ge $((before - $1)) ] && [ "$g" -le $((after + $1)) ]
}
wait_for 60 is_exact 1000
ok $? "its clock is the host's: ${g:-?} between $before and $after"
wait_for 120 is_exact 20
ok $? "and exact, so that files made here are not from its future"

differs_by() { # differs_by SECONDS: and a minute
	ask 'date +%s'
	g=$(grep -v '^did$' "$tmp/out" | tail -n 1) h=$(date +%s)
	[ "$g" -gt $((h + $1 - 60)) ] && [ "$g" -lt $((h + $1 + 60)) ]
}
echo 86400 >"$tmp/clock"
wait_for 60 differs_by 86400
ok $? "it is set when the host's is, as after suspend"
echo -3600 >"$tmp/clock"
wait_for 60 differs_by -3600
ok $? "each time, and back"

exec 8>&-
wait $vmrun
is $? 0 "and ends"
plan_done
