#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# One vmrun of a person edits ACLs at a time: the others say for whom they wait,
# and a signal ends that.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"

mkdir "$tmp/d"
echo x >"$tmp/d/file"
chmod 600 "$tmp/d/file"
dvm -- true # makes the database
is $st 0 "a first run"
facl "$tmp/d" >"$tmp/before"

hold() { # takes the lock; $holder has it until it is killed
	rm -f "$tmp/held" # of the one before
	python3 - "$tmp/state/vmrun/grant.lock" >"$tmp/held" <<-'END' &
		import fcntl, os, struct, sys, time
		f = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
		fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
		os.pwrite(f, b"%-10d\n" % os.getpid(), 0)
		print("held", flush=True)
		time.sleep(300)
	END
	holder=$!
	wait_for 20 grep -q held "$tmp/held"
}
start() { # one that has to wait; $pid
	VMRUN_LIBEXECDIR=$tmp/libexec vmrun --rw "$tmp/d" -- \
		sh -c "echo ran >$tmp/d/file" </dev/null >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	wait_for 60 grep -q "waiting for process $holder, which changes ACLs" "$tmp/err"
	ok $? "$1"
}
# hold() and start() leave something in the background, so no subshell.
hold
start "it says for whom it waits"
facl "$tmp/d" >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "and edits nothing meanwhile"
kill -TERM $pid
wait $pid
is $? 143 "SIGTERM ends it"
has "$tmp/err" 'interrupted while waiting for process' "which is said"
is "$(cat "$tmp/d/file")" x "the command was not started"

start "another waits"
kill $holder; wait $holder 2>/dev/null
wait $pid
is $? 0 "and goes on once the lock is free"
is "$(cat "$tmp/d/file")" ran "with its command"

# Whoever has the lock is dead, or wrote nothing: no wrong name.
facl "$tmp/d" >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "modes and ACLs are as before, also what the interrupted one left"
hold
echo "garbage" >"$tmp/state/vmrun/grant.lock"
VMRUN_LIBEXECDIR=$tmp/libexec vmrun --rw "$tmp/d" -- true \
	</dev/null >"$tmp/out" 2>"$tmp/err" &
pid=$!
wait_for 60 grep -q 'waiting for another vmrun of yours' "$tmp/err"
ok $? "a holder that is not known is not named"
kill -9 $pid; wait $pid 2>/dev/null
kill $holder; wait $holder 2>/dev/null
dvm -- true
is $st 0 "kill -9 of one that waits: the next start works"
facl "$tmp/d" >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "and has cleaned up"

# An alias whose VM is over, and waits for the lock to put right what lapsed.
mkfifo "$tmp/go"
VMRUN_LIBEXECDIR=$tmp/libexec vmrun -n web --rw "$tmp/d" -- \
	sh -c 'echo up; read x' <"$tmp/go" >"$tmp/up" 2>"$tmp/err" &
pid=$!
exec 7>"$tmp/go"
wait_for 60 grep -q up "$tmp/up"
python3 -c 'import sqlite3, sys
d = sqlite3.connect(sys.argv[1])
d.execute("UPDATE grants SET phase=? WHERE gone=0", ("lapsed",))
d.commit()' "$tmp/state/vmrun/state.db"
hold
echo >&7; exec 7>&-
wait_for 60 grep -q 'waiting for process' "$tmp/err"
ok $? "the end of an alias's run waits, too"
dvm -n web -- true
is $st 125 "it is not to be had meanwhile"
has "$tmp/err" 'alias web is ending: VM .* is being cleaned up' "but soon, as is said"
kill $holder; wait $holder 2>/dev/null
wait $pid
dvm -n web -- true
is $st 0 "and then it is"
vmrunctl alias forget web
plan_done
