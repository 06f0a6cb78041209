#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# SIGKILL at random times, several vmruns at a time on one tree of 2,000 files,
# a VM beside them that lives on; then gc: the tree is as before, and what they
# made in it is the person's.
#
# VMRUN_KILLS (9; 10,000 with VMRUN_LONG=1) and VMRUN_SEED as elsewhere.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"
. "${top_srcdir:?}/tests/fault/given.sh"

oracle=$top_builddir/tests/sys/oracle
kills=${VMRUN_KILLS-9}
[ -z "${VMRUN_LONG-}" ] || kills=${VMRUN_KILLS-10000}
seed=${VMRUN_SEED-$(date +%s)}
echo "# VMRUN_SEED=$seed"
VMRUN_LIBEXECDIR=$tmp/libexec
python3 - "$tmp/d" <<'END'
import os, sys
for d in range(40):
    top = os.path.join(sys.argv[1], str(d % 5), str(d))
    os.makedirs(top, mode=0o700 if d % 4 else 0o755)
    for i in range(50):
        path = os.path.join(top, str(i))
        open(path, "w").close()
        os.chmod(path, 0o600 if i % 10 == 0 else 0o644)
END
random() { # random N: 0..N-1, in $r
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	r=$((seed / 65536 % $1))
}
mkfifo "$tmp/go"
vmrun -q --ro "$tmp/d" -- sh -c "echo up; read x; cat $tmp/d/0/0/0 && echo end" \
	<"$tmp/go" >"$tmp/live" 2>&1 &
live=$!
exec 7>"$tmp/go"
wait_for 60 grep -q up "$tmp/live" || bail "no dummy VM"
"$oracle" "$tmp/d" >"$tmp/before"
make() { # make N: what one with --rw can do
	echo "umask 077; mkdir $tmp/d/1/new.$1 && : >$tmp/d/1/new.$1/in"
}
done=0 n=0 bad=0
: >"$tmp/uids"
while [ $done -lt "$kills" ]; do
	pids=
	for how in --rw --ro --rw; do
		n=$((n + 1))
		vmrun -q --partial $how "$tmp/d" --json-status-fd 3 -- sh -c "$(make $n); sleep 1" \
			3>>"$tmp/uids" </dev/null >/dev/null 2>&1 &
		pids="$pids $!"
	done
	for pid in $pids; do
		random 9
		sleep "$((r / 5)).$((r % 5 * 2))$((seed % 10))"
		kill -9 "$pid" 2>/dev/null
		done=$((done + 1))
	done
	wait $pids 2>/dev/null
	vmrunctl gc >"$tmp/gc" 2>&1 || bad=$((bad + 1))
	take_made "$tmp/d/1"/new.* >>"$tmp/gc" || bad=$((bad + 1))
	"$oracle" "$tmp/d" >"$tmp/after"
	if ! cmp -s "$tmp/before" "$tmp/after" || ! kill -0 $live; then
		bad=$((bad + 1))
		sed 's/^/# gc: /' "$tmp/gc"
		diff "$tmp/before" "$tmp/after" | head -n 4 | sed 's/^/# /'
		break
	fi
	# A long form says how far it is.
	[ $((done % 300)) != 0 ] || echo "# $done kills, $bad failed"
done
is $bad 0 "after each of $done kills gc puts everything back ($given had made a file)"
uids() { sed -n 's/.*"uid":\([0-9]*\).*/\1/p' "$tmp/uids"; }
is "$(uids | sort | uniq -d)" "" "no UID twice ($(uids | wc -l) started)"

# Side by side without kills: no edit gets lost.
pids=
for i in 1 2 3 4 5 6 7 8; do
	how=--ro
	[ $((i % 2)) = 0 ] && how=--rw
	vmrun -q --partial $how "$tmp/d" -- sh -c "$(make $i); true" </dev/null 2>>"$tmp/err" &
	pids="$pids $!"
done
failed_runs=0
for pid in $pids; do wait "$pid" || failed_runs=$((failed_runs + 1)); done
is $failed_runs 0 "eight at a time on one tree"
given=0
take_made "$tmp/d/1"/new.* >"$tmp/err" && [ $given = 4 ]
ok $? "what four of them made is given back"
"$oracle" "$tmp/d" >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "leave it as it was"
echo >&7
exec 7>&-
wait $live
is $? 0 "the VM beside could read until its end"
vmrunctl gc >"$tmp/err" 2>&1
is $? 0 "all is clean"
plan_done
