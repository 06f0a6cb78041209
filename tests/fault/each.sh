#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# SIGKILL at each system call, in whatever thread, of vmrun, of vmrunctl gc, revoke
# and reclaim, and of what changes an alias or its home; then gc: the tree is as
# before, gc says that all is clean, what the VM made is the person's, and a VM
# that lives beside it has noticed nothing.
#
# `make check` tries a sample of the calls, from a random one on (VMRUN_SEED
# repeats it); with VMRUN_LONG=1, as in `make check-long`, all of them.  VMRUN_WHAT
# is a choice of what is killed.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"
. "${top_srcdir:?}/tests/fault/given.sh"

killer=$top_builddir/tests/fault/kill-at
oracle=$top_builddir/tests/sys/oracle
homes=$XDG_STATE_HOME/vmrun/homes
points=${VMRUN_POINTS-8}
seed=${VMRUN_SEED-$(date +%s)}
echo "# VMRUN_SEED=$seed"
VMRUN_LIBEXECDIR=$tmp/libexec
HOME=$tmp/home # gc --deep looks through all of it
export HOME
own_uids "$HOME" "$(id -un)" 10000
rw=$HOME/d ro=$HOME/r off=$HOME/o
mkdir -p "$rw/sub" "$ro" "$off"
i=0
while [ $i -lt 9 ]; do
	echo $i >"$rw/sub/$i"; echo $i >"$ro/$i"; chmod 600 "$rw/sub/$i"
	i=$((i + 1))
done
chmod 640 "$ro/1"; chmod 600 "$ro/2"; chmod 700 "$rw/sub"
state_of() { "$oracle" "$rw"; "$oracle" "$ro"; "$oracle" "$off"; }
mkfifo "$tmp/go"
vmrun -q --ro "$rw" --ro "$ro" -- sh -c "echo up; read x; cat $rw/sub/1" \
	<"$tmp/go" >"$tmp/live" 2>&1 &
live=$!
exec 7>"$tmp/go"
wait_for 60 grep -q up "$tmp/live" || bail "no dummy VM"
state_of >"$tmp/before"
bad=0

# After each kill.
check() { # check WHAT CALL
	deep=
	[ $1 != deep ] || deep=--deep
	vmrunctl gc $deep >"$tmp/gc.out" 2>&1
	st=$?
	# A child of the killed one may have its lock for a moment.
	if grep -q 'another gc is at work' "$tmp/gc.out"; then
		wait_for 60 vmrunctl gc $deep
		st=$?
	fi
	take_made "$rw/new" "$off/new" >>"$tmp/gc.out"
	took=$?
	state_of >"$tmp/after"
	if [ $st != 0 ] || [ $took != 0 ] || ! cmp -s "$tmp/before" "$tmp/after" ||
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
	for name in each each.2; do
		vmrunctl alias forget --delete-home $name >/dev/null 2>&1
	done
	[ -z "$(ls -A "$homes" 2>/dev/null)" ] || wrong "left: $(find "$homes")"
}
run_vm() { kill_at "$1" vmrun -q --rw "$rw" --ro "$ro" -- touch "$rw/new"; }
run_alias() { kill_at "$1" vmrun -q -n each --home --rw "$rw" --ro "$ro" -- touch "$rw/new"; forget; }
run_again() { have_alias; kill_at "$1" vmrun -q -n each --ro "$rw" --rw "$ro" -- true; forget; }
run_forget() { have_alias; kill_at "$1" vmrunctl alias forget each; forget; }
# A home is where the alias's name says, whole, or altogether deleted.
run_rename() {
	have_home
	kill_at "$1" vmrunctl alias rename each each.2
	vmrunctl gc >/dev/null 2>&1
	name=$(vmrunctl alias list | sed -n '2s/ .*//p')
	[ "$(ls -A "$homes")" = "$name" ] && [ "$(cat "$homes/$name/in/file")" = x ] ||
		wrong "the home of $name: $(find "$homes")"
	forget
}
run_delete() {
	have_home
	kill_at "$1" vmrunctl alias forget --delete-home each
	vmrunctl gc >/dev/null 2>&1
	if [ -d "$homes/each" ] && [ "$(cat "$homes/each/in/file")" != x ]; then
		wrong "half a home: $(find "$homes")"
	fi
	forget
}
wrong() { bad=$((bad + 1)); echo "# at call $call: $1"; }
have_home() {
	vmrun -q -n each --home --ro "$ro" -- true </dev/null
	mkdir "$homes/each/in" && echo x >"$homes/each/in/file"
}
run_gc() { have_dead; kill_at "$1" vmrunctl gc; }
run_deep() { have_dead; mv "$rw/new" "$off"; kill_at "$1" vmrunctl gc --deep; }
# What an alias keeps of it is all there, or nothing.
run_revoke() {
	have_alias
	kill_at "$1" vmrunctl revoke each "$rw"
	vmrunctl gc >/dev/null 2>&1
	vmrunctl grants >"$tmp/grants" 2>&1 || wrong "$(cat "$tmp/grants")"
	forget
}
reclaimed() {
	vmrunctl reclaim "$off" >"$tmp/again" 2>&1 &&
		[ "$(stat -c %u "$off/new")" = "$person" ]
}
# A file that went away with what its VM had; the next one is to do the rest.
run_reclaim() { # run_reclaim CALL VMRUN-OPTION...
	call=$1
	shift
	have_dead "$@"
	mv "$rw/new" "$off"
	vmrunctl gc >"$tmp/gc.out" 2>&1 || wrong "$(cat "$tmp/gc.out")"
	kill_at "$call" vmrunctl reclaim "$off"
	# A child of the killed one may have the alias for a moment longer.
	wait_for 100 reclaimed || wrong "$(cat "$tmp/again")"
}
run_kept() { run_reclaim "$1" -n each; forget; }
kill_at() { # kill_at CALL COMMAND... : $killed says whether it was
	call=$1
	shift
	"$killer" "$call" "$tmp/calls" "$@" </dev/null >"$tmp/out" 2>"$tmp/err"
	killed=$?
}
have_alias() {
	vmrun -q -n each --rw "$rw" --ro "$ro" -- true </dev/null
}
have_dead() { # have_dead VMRUN-OPTION... : its vmrun is gone, and has grants and a file
	rm -f "$tmp/dead" # of the one before
	vmrun -q "$@" --rw "$rw" --ro "$ro" -- sh -c "umask 077; echo x >$rw/new; echo up; sleep 1000" \
		</dev/null >"$tmp/dead" 2>&1 &
	dead=$!
	wait_for 60 grep -q '^up$' "$tmp/dead" || wrong "no VM: $(cat "$tmp/dead")"
	kill -9 $dead
	wait $dead 2>/dev/null
}

for what in ${VMRUN_WHAT-vm alias again forget gc deep revoke reclaim kept rename delete}; do
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
		[ $killed != 137 ] || tried=$((tried + 1))
		check $what $k
		k=$((k + step))
	done
	is $bad 0 "$what, killed at $tried of them: all as before"
	[ $tried -gt 1 ]
	ok $? "that are some"
done
[ $given -gt 0 ]
ok $? "$given times there was a file that a VM had made"
echo >&7
exec 7>&-
wait $live
is $? 0 "the VM beside ends well"
has "$tmp/live" '^1$' "and could read until its end"
rm -f "$tmp/before"
vmrunctl gc >"$tmp/err" 2>&1
is $? 0 "all is clean"
getfacl -Rn "$HOME" 2>/dev/null | grep -E '^user:[0-9]|^mask' >"$tmp/err"
is "$(cat "$tmp/err")" "" "no entry is left"
plan_done
