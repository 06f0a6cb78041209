#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# vmrunctl gc: what it finds, what it leaves alone, when a UID may be used again.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"

oracle=$top_builddir/tests/sys/oracle
HOME=$tmp/home # --deep looks through all of it
export HOME
mkdir -p "$HOME/d" "$HOME/other" "$tmp/far"
echo x >"$HOME/d/file"; echo y >"$tmp/far/file"
chmod 600 "$HOME/d/file" "$tmp/far/file"
state_of() { "$oracle" "$HOME/d"; "$oracle" "$HOME/other"; "$oracle" "$tmp/far"; }
state_of >"$tmp/before"
gc() { vmrunctl gc "$@" >"$tmp/out" 2>"$tmp/err"; st=$?; }
freed() { tr -d ' \n' <"$tmp/out" | sed -n 's/.*"freed":\([0-9]*\).*/\1/p'; }

gc --nonsense
is $st 125 "an unknown option is refused"
gc
is $st 0 "nothing to do"
is "$(cat "$tmp/out")" "" "is nothing to say"

# A vmrun that is gone.
VMRUN_LIBEXECDIR=$tmp/libexec vmrun -q --rw "$HOME/d" --rw "$tmp/far" -- \
	sh -c 'echo up; sleep 100' <"/dev/null" >"$tmp/up" 2>&1 &
pid=$!
wait_for 60 grep -q up "$tmp/up"
gc
is $st 0 "a live VM is as it should be"
kill -9 $pid; wait $pid 2>/dev/null
gc --dry-run
is $st 1 "a dry run tells of one that was killed"
has "$tmp/out" 'left: VM .* is over and not cleaned up' "in words"
getfacl -n "$HOME/d/file" 2>/dev/null | grep -q '^user:[0-9]'
ok $? "and changes nothing"
gc
is $st 0 "gc cleans up"
state_of >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "everything is as before"

# One gc at a time.
python3 - "$tmp/state/vmrun/gc.lock" >"$tmp/held" <<'END' &
import fcntl, struct, sys, time
f = open(sys.argv[1], "r+")
fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
print("held", flush=True)
time.sleep(60)
END
holder=$!
wait_for 20 grep -q held "$tmp/held"
gc
is $st 125 "beside another gc it does nothing"
has "$tmp/err" 'another gc is at work' "and says so"
kill $holder; wait $holder 2>/dev/null

# Files that were moved away with their entries.
vmrun_dummy() { VMRUN_LIBEXECDIR=$tmp/libexec vmrun -q "$@" </dev/null; }
vmrun_dummy --rw "$HOME/d" -- true
mkfifo "$tmp/go"
VMRUN_LIBEXECDIR=$tmp/libexec vmrun -q --rw "$HOME/d" -- sh -c "echo up; read x; echo made >$HOME/other/../d/made" \
	<"$tmp/go" >"$tmp/up" 2>&1 &
pid=$!
exec 7>"$tmp/go"
wait_for 60 grep -q up "$tmp/up"
cp -a "$HOME/d/file" "$HOME/other/copy"
mv "$HOME/d/file" "$HOME/other/file"
echo >&7; exec 7>&-
wait $pid
getfacl -n "$HOME/other/file" 2>/dev/null | grep -q '^user:[0-9]'
ok $? "a file that was moved out has its entry"
gc --deep --dry-run
is $st 1 "a deep dry run finds it"
has "$tmp/out" "other/" "and names it"
gc --deep
is $st 0 "a deep gc cleans it"
has "$tmp/out" 'cleaned 0 files and [0-9]* ACL entries of UID' "and says what"
getfacl -Rn "$HOME" 2>/dev/null | grep '^user:[0-9]' >"$tmp/err"
is "$(cat "$tmp/err")" "" "no entry is left, in the copy neither"
rm "$HOME/other/copy" "$HOME/d/made"; mv "$HOME/other/file" "$HOME/d/file"
state_of >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "everything is as before"
gc --deep --json
is "$(freed)" 1 "a later one, which finds nothing, frees its UID"
gc --deep --json
is "$(freed)" 0 "once"

# Somebody who was never here, or was forgotten with a lost database.
u=$(($(sed -n "s/^$(id -un):\([0-9]*\):.*/\1/p" /etc/subuid | head -n 1) + 700))
setfacl -m "u:$u:rwx" "$HOME/other"
gc --deep --json
is $st 0 "an entry of an id that vmrun does not know is no fault"
getfacl -n "$HOME/other" 2>/dev/null | grep -q "^user:$u:"
ok $? "and is left alone"
is "$(freed)" 0 "its id is not free"
setfacl -b "$HOME/other"

# What nobody could look at is not known to be clean.
vmrun_dummy --ro "$HOME/d" -- true
gc --deep --json
is "$(freed)" 1 "one that is over is free, the entry's not"
vmrun_dummy --ro "$HOME/d" -- true
mkdir "$HOME/closed"; chmod 0 "$HOME/closed"
gc --deep --json
is "$(freed)" 0 "none is, while a directory cannot be looked into"
chmod 700 "$HOME/closed"; rmdir "$HOME/closed"
vmrun_dummy --ro "$tmp/far" -- true
mv "$tmp/far" "$tmp/farther"
gc --deep --json
is "$(freed)" 1 "nor one whose directory is gone (the other is)"
mv "$tmp/farther" "$tmp/far"
gc --deep --json
is "$(freed)" 1 "when it is back it is looked through"

# A home directory that is in use.
vmrun_dummy --ro "$HOME/d" -- true
mkdir "$HOME/busy"
python3 - "$HOME/busy" <<'END' &
import itertools, os, sys, time
for n in itertools.count():
    open(os.path.join(sys.argv[1], str(n)), "w").close()
    os.path.exists(os.path.join(sys.argv[1], str(n - 5))) and os.unlink(os.path.join(sys.argv[1], str(n - 5)))
    open(os.path.join(os.environ["HOME"], ".log"), "a").write("x")
    time.sleep(0.05)
END
worker=$!
wait_for 20 test -e "$HOME/busy/3"
gc --deep --json
is "$(freed)" 1 "one is freed in a home directory that changes all the time"
kill $worker; wait $worker 2>/dev/null
rm -r "$HOME/busy" "$HOME/.log"

# An alias keeps what it has.
vmrun_dummy -n web --ro "$HOME/d" -- true
gc --deep --json
is $st 0 "what an alias has is as it should be"
getfacl -n "$HOME/d/file" 2>/dev/null | grep -q '^user:[0-9]'
ok $? "and stays"
cp -a "$HOME/d/file" "$HOME/other/copy"
gc --deep
is $st 1 "what it has elsewhere is told"
has "$tmp/out" "an alias's UID .*other/copy" "with the place"
vmrunctl alias forget web
plan_done
