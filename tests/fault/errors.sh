#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# ENOSPC, EDQUOT and EIO at the n-th edit of an ACL, and at the n-th write to the
# state folder, once and from then on: a start is refused and all is put back,
# or the end of the run says what is left, and gc does it.
#
# `make check` tries some of them, from a random one on (VMRUN_SEED repeats it);
# with VMRUN_LONG=1, as in `make check-long`, all.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"
. "${top_srcdir:?}/tests/fault/given.sh"

failer=$top_builddir/tests/fault/fail-at
oracle=$top_builddir/tests/sys/oracle
points=${VMRUN_POINTS-3}
seed=${VMRUN_SEED-$(date +%s)}
echo "# VMRUN_SEED=$seed"
VMRUN_LIBEXECDIR=$tmp/libexec
mkdir -p "$tmp/d/sub" "$tmp/r"
for i in 1 2 3 4; do
	echo $i >"$tmp/d/sub/$i"; echo $i >"$tmp/r/$i"; chmod 600 "$tmp/d/sub/$i"
done
chmod 640 "$tmp/r/1"; chmod 600 "$tmp/r/2"; chmod 700 "$tmp/d/sub"
state_of() { "$oracle" "$tmp/d"; "$oracle" "$tmp/r"; }
as_before() { state_of >"$tmp/after"; cmp -s "$tmp/before" "$tmp/after"; }
state_of >"$tmp/before"
: >"$tmp/uids"
run() { # run N ERRNO WHAT: status in $st
	"$failer" "$1" "$2" "$3" "$tmp/calls" vmrun --json-status-fd 3 --rw "$tmp/d" \
		--ro "$tmp/r" -- touch "$tmp/d/new" 3>>"$tmp/uids" \
		</dev/null >"$tmp/out" 2>"$tmp/err"
	st=$?
}
wrong() { # wrong WHAT
	bad=$((bad + 1))
	echo "# call $k, error $code: $1; status $st"
	sed 's/^/# /' "$tmp/err" "$tmp/gc"
	diff "$tmp/before" "$tmp/after" | head -n 6 | sed 's/^/# /'
}
check() {
	: >"$tmp/gc"
	if [ $st = 125 ]; then
		refused=$((refused + 1))
		grep -v TCG "$tmp/err" | grep -q '^vmrun: ' || wrong "refused without a word"
	elif [ $st != 0 ]; then
		wrong "it ended with that"
	fi
	is_clean || grep -q 'the next start of vmrun tries again' "$tmp/err" ||
		wrong "something is left, and that was not said"
	vmrunctl gc >"$tmp/gc" 2>&1 || wrong "gc: $?"
	take_made "$tmp/d/new" >>"$tmp/gc" || wrong "a file is not given back"
	as_before || wrong "after gc"
}
is_clean() {
	[ -e "$tmp/d/new" ] || { as_before; return; }
	mv "$tmp/d/new" "$tmp/new"
	as_before
	same=$?
	mv "$tmp/new" "$tmp/d/new"
	[ $same = 0 ] && [ "$(stat -c %u "$tmp/d/new")" = "$person" ]
}

run 0 0 acl
[ $st = 77 ] && bail "fail-at does not know this machine"
is $st 0 "a run, without an error"
take_made "$tmp/d/new" >"$tmp/err"
ok $? "what it made is given back"
for what in acl "$tmp/state"; do
	name=edits
	[ "$what" = acl ] || name=writes
	run 0 0 "$what"
	n=$(cat "$tmp/calls")
	rm -f "$tmp/d/new"
	[ "$n" -gt 10 ]
	ok $? "a run has $n $name"
	for how in "" -; do
		bad=0 tried=0 refused=0
		step=1
		[ -n "${VMRUN_LONG-}" ] || step=$((n / points + 1))
		for code in 28 122 5; do
			k=$(((seed + code) % step + 1))
			while [ $k -le "$n" ]; do
				run $how$k $code "$what"
				check
				tried=$((tried + 1))
				k=$((k + step))
			done
		done
		is $bad 0 "$name fail${how:+ from there on}, at $tried places ($refused refused): all as before"
		[ $tried -gt 5 ] && [ $refused -gt 0 ]
		ok $? "that are some"
	done
done
[ $given -gt 1 ]
ok $? "$given of them had made a file"
sed -n 's/.*"uid":\([0-9]*\).*/\1/p' "$tmp/uids" | sort | uniq -d >"$tmp/err"
is "$(cat "$tmp/err")" "" "no UID was handed out twice"
vmrunctl gc >"$tmp/err" 2>&1
is $? 0 "all is clean"
plan_done
