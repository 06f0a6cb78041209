#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# SIGKILL at each durable step of vmrun, then a new start: database and ACLs
# are as before.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/fault/given.sh"

ldd "$(command -v vmrun)" | grep -q libasan &&
	bail "LD_PRELOAD and ASan do not go together"
mkdir -p "$tmp/d/sub" "$tmp/r"
echo x >"$tmp/d/file"; echo y >"$tmp/d/sub/file"; echo z >"$tmp/r/file"
chmod 600 "$tmp/d/file" "$tmp/r/file"; chmod 700 "$tmp/d/sub"
XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME
vm -- true # makes the database
is $st 0 "a first run"
facl "$tmp/d" "$tmp/r" >"$tmp/before"
mkdir "$tmp/libexec"
cp /bin/false "$tmp/libexec/vmrun-stage"
cp /bin/false "$tmp/libexec/vmrun-mux"
so=$top_builddir/tests/fault/killsync.so
KILLSYNC=0 KILLSYNC_COUNT=$tmp/count LD_PRELOAD=$so \
	vmrun -q --rw "$tmp/d" --ro "$tmp/r" -- true </dev/null 2>"$tmp/err"
is $? 0 "a counted run"
n=$(cat "$tmp/count")
[ "$n" -gt 5 ]
ok $? "$n durable steps"
i=1
while [ "$i" -le "$n" ]; do
	for when in "" +; do
		KILLSYNC=$i$when LD_PRELOAD=$so vmrun -q --rw "$tmp/d" \
			--ro "$tmp/r" -- sh -c "echo new >$tmp/d/new" </dev/null >"$tmp/out" 2>"$tmp/err"
		st=$?
		if [ $st != 137 ]; then
			is $st 137 "killed at step $i$when"
			continue
		fi
		vm --dry-run -- true # a look does not clean
		# the next start cleans, also one that then fails
		VMRUN_LIBEXECDIR=$tmp/libexec vm -- true
		take_made "$tmp/d/new" >"$tmp/err"
		took=$?
		facl "$tmp/d" "$tmp/r" >"$tmp/after"
		cmp "$tmp/before" "$tmp/after" >>"$tmp/err" 2>&1 && [ $took = 0 ]
		ok $? "killed at step $i$when: the next start puts everything back"
	done
	i=$((i + 1))
done
[ $given -gt 0 ]
ok $? "$given of them had made a file"
vm --rw "$tmp/d" -- true
is $st 0 "and a VM starts after all of these"
is "$(vmrunctl ps | wc -l)" 1 "none is listed"
plan_done
