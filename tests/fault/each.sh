#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# SIGKILL at each system call of vmrun, of vmrunctl gc, and of what changes an
# alias; then gc: the tree is as before, gc says that all is clean, and a VM that
# lives beside it has noticed nothing.
#
# `make check` tries a sample of the calls, from a random one on (VMRUN_SEED
# repeats it); with VMRUN_LONG=1, as in `make check-long`, all of them.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"

killer=$top_builddir/tests/fault/kill-at
oracle=$top_builddir/tests/sys/oracle
points=${VMRUN_POINTS-8}
seed=${VMRUN_SEED-$(date +%s)}
echo "# VMRUN_SEED=$seed"
VMRUN_LIBEXECDIR=$tmp/libexec
mkdir -p "$tmp/d/sub" "$tmp/r"
i=0
while [ $i -lt 9 ]; do
	echo $i >"$tmp/d/sub/$i"; echo $i >"$tmp/r/$i"; chmod 600 "$tmp/d/sub/$i"
	i=$((i + 1))
done
chmod 640 "$tmp/r/1"; chmod 600 "$tmp/r/2"; chmod 700 "$tmp/d/sub"
state_of() { "$oracle" "$tmp/d"; "$oracle" "$tmp/r"; }
mkfifo "$tmp/go"
vmrun -q --ro "$tmp/d" --ro "$tmp/r" -- sh -c "echo up; read x; cat $tmp/d/sub/1" \
	<"$tmp/go" >"$tmp/live" 2>&1 &
live=$!
exec 7>"$tmp/go"
wait_for 60 grep -q up "$tmp/live" || bail "no dummy VM"
state_of >"$tmp/before"
bad=0

# After each kill.
check() { # check WHAT CALL
	vmrunctl gc >"$tmp/gc.out" 2>&1
	st=$?
	rm -f "$tmp/d/new"
	state_of >"$tmp/after"
	if [ $st != 0 ] || ! cmp -s "$tmp/before" "$tmp/after" ||
		! kill -0 $live 2>/dev/null; then
		bad=$((bad + 1))
		echo "# $1 killed at call $2: gc said $st"
		sed 's/^/# /' "$tmp/gc.out"
		diff "$tmp/before" "$tmp/after" | head -n 6 | sed 's/^/# /'
	fi
}
# What an alias kept is right, and goes when it is forgotten.
forget() {
	vmrunctl gc >/dev/null 2>&1
	vmrunctl alias forget each >/dev/null 2>&1
}
run_vm() { kill_at "$1" vmrun -q --rw "$tmp/d" --ro "$tmp/r" -- touch "$tmp/d/new"; }
run_alias() { kill_at "$1" vmrun -q -n each --rw "$tmp/d" --ro "$tmp/r" -- touch "$tmp/d/new"; forget; }
run_again() { have_alias; kill_at "$1" vmrun -q -n each --ro "$tmp/d" --rw "$tmp/r" -- true; forget; }
run_forget() { have_alias; kill_at "$1" vmrunctl alias forget each; forget; }
run_gc() { have_dead; kill_at "$1" vmrunctl gc; }
kill_at() { # kill_at CALL COMMAND... : $killed says whether it was
	call=$1
	shift
	"$killer" "$call" "$tmp/calls" "$@" </dev/null >"$tmp/out" 2>"$tmp/err"
	killed=$?
}
have_alias() {
	vmrun -q -n each --rw "$tmp/d" --ro "$tmp/r" -- true </dev/null
}
have_dead() { # a run whose vmrun is gone, with all of its grants and a file
	vmrun -q --rw "$tmp/d" --ro "$tmp/r" -- sh -c "umask 077; echo x >$tmp/d/new; echo up; sleep 100" \
		</dev/null >"$tmp/dead" 2>&1 &
	dead=$!
	wait_for 60 grep -q up "$tmp/dead"
	kill -9 $dead
	wait $dead 2>/dev/null
}

for what in vm alias again forget gc; do
	bad=0 tried=0
	run_$what 0
	n=$(cat "$tmp/calls")
	check $what 0
	is $bad 0 "$what, not killed: $n system calls"
	step=1
	[ -n "${VMRUN_LONG-}" ] || step=$((n / points + 1))
	k=$((seed % step + 1))
	while [ $k -le "$n" ]; do
		run_$what $k
		if [ $killed = 137 ]; then
			tried=$((tried + 1))
			check $what $k
		fi
		k=$((k + step))
	done
	is $bad 0 "$what, killed at $tried of them: all as before"
	[ $tried -gt 3 ]
	ok $? "that are some"
done
echo >&7
exec 7>&-
wait $live
is $? 0 "the VM beside ends well"
has "$tmp/live" '^1$' "and could read until its end"
rm -f "$tmp/before"
vmrunctl gc >"$tmp/err" 2>&1
is $? 0 "all is clean"
getfacl -Rn "$tmp/d" "$tmp/r" 2>/dev/null | grep -E '^user:[0-9]|^mask' >"$tmp/err"
is "$(cat "$tmp/err")" "" "no entry is left"
plan_done
