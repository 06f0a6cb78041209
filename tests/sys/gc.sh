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
	sh -c 'echo up; sleep 1000' <"/dev/null" >"$tmp/up" 2>&1 &
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

# One that was killed while a child of it gave files back: that has the lock.
killed() { # killed OPTIONS: a VM is
	rm -f "$tmp/up" # of the one before
	# shellcheck disable=SC2086 # words
	VMRUN_LIBEXECDIR=$tmp/libexec vmrun -q $1 -- \
		sh -c 'echo up; sleep 1000' <"/dev/null" >"$tmp/up" 2>&1 &
	pid=$!
	wait_for 60 grep -q up "$tmp/up"
	kill -9 $pid; wait $pid 2>/dev/null
}
hold() { # hold LOCK: has it until $holder is killed
	rm -f "$tmp/held" # of the one before
	python3 - "$1" >"$tmp/held" <<-'END' &
		import fcntl, struct, sys, time
		f = open(sys.argv[1], "r+")
		fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
		print("held", flush=True)
		time.sleep(600)
	END
	holder=$!
	wait_for 20 grep -q held "$tmp/held"
}
killed "--rw $HOME/d"
hold "$(ls -d "$tmp"/state/vmrun/locks/*)"
gc
is $st 1 "what another process is cleaning up is not clean"
has "$tmp/out" 'left: VM .* is over, and another process is cleaning up' "in words"
gc --json
has "$tmp/out" '"clean": false' "as JSON, too"
kill $holder; wait $holder 2>/dev/null
gc
is "$st $(cat "$tmp/out")" "0 cleaned up after 1 VMs" "then it is cleaned"
state_of >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "and everything is as before"

# A VM whose database was lost: its directory is left to it.
mkdir -m 700 "$tmp/rt"
lose() { # lose FILE...: while a VM runs
	rm -f "$tmp/up"
	XDG_RUNTIME_DIR=$tmp/rt VMRUN_LIBEXECDIR=$tmp/libexec vmrun -q -- \
		sh -c 'echo up; sleep 1000' <"/dev/null" >"$tmp/up" 2>&1 &
	pid=$!
	wait_for 60 grep -q up "$tmp/up"
	mkdir "$tmp/lost"
	mv "$@" "$tmp/lost"
}
lose "$tmp"/state/vmrun/state.db*
rm "$tmp"/rt/vmrun-*/*/ctl # whether somebody answers is not asked then
XDG_RUNTIME_DIR=$tmp/rt gc
is "$st $(ls -d "$tmp"/rt/vmrun-*/*/console >&2; echo $?)" "0 0" "a VM whose database was lost is left alone"
mv "$tmp"/lost/* "$tmp/state/vmrun"; rmdir "$tmp/lost"
kill -9 $pid; wait $pid 2>/dev/null
XDG_RUNTIME_DIR=$tmp/rt gc
is "$st $(ls "$tmp"/rt/vmrun-*)" "0 " "when it is over it is cleaned up"
lose "$tmp/state/vmrun"
XDG_RUNTIME_DIR=$tmp/rt gc
is "$st $(ls -d "$tmp"/rt/vmrun-*/*/console >&2; echo $?)" "0 0" "one whose state directory was, too"
rm -r "$tmp/state/vmrun"; mv "$tmp/lost/vmrun" "$tmp/state"; rmdir "$tmp/lost"
kill -9 $pid; wait $pid 2>/dev/null
XDG_RUNTIME_DIR=$tmp/rt gc
is "$st $(ls "$tmp"/rt/vmrun-*)" "0 " "and when that is over"

# One whose UID is not in the subordinate range any more, as another was given.
has_uid() { # has_uid FROM TO: what had the one has the other, and a strange group
	python3 -c 'import sqlite3, sys
d = sqlite3.connect(sys.argv[1])
was, now, gid = map(int, sys.argv[2:])
d.execute("UPDATE identities SET gid=? WHERE uid=?", (gid, was))
for t in "identities", "runs", "grants":
    d.execute("UPDATE %s SET uid=? WHERE uid=?" % t, (now, was))
d.commit()' "$tmp/state/vmrun/state.db" "$1" "$2" $out
}
uid_of() { sed -n 's/.*"uid": *\([0-9]*\).*/\1/p' "$1"; }
out=4100000000
killed "-n moved --rw $HOME/d --ro $HOME/other"
vmrunctl alias list --json >"$tmp/json"
uid=$(uid_of "$tmp/json")
setfacl -m "u:$out:rw" "$HOME/d/file"
# Another database's VM lends it a UID that has processes.
rm -f "$tmp/up"
XDG_STATE_HOME=$tmp/state2 VMRUN_LIBEXECDIR=$tmp/libexec vmrun -q --json-status-fd 3 -- \
	sh -c 'echo up; sleep 1000' <"/dev/null" 3>"$tmp/json" >"$tmp/up" 2>&1 &
pid=$!
wait_for 60 grep -q up "$tmp/up"
lent=$(uid_of "$tmp/json")
has_uid "$uid" "$lent"
gc
is $st 1 "a UID that has processes and cannot be had any more is not cleaned up"
kill $pid
ok $? "and they go on"
wait $pid 2>/dev/null
has "$tmp/out" 'left: .*not in your subordinate range any more' "this is said"
has_uid "$lent" $out
gc
is $st 0 "one that has none is"
has "$tmp/err" 'files that it made stay its own' "but for its files, which is said"
VMRUN_LIBEXECDIR=$tmp/libexec vm -n moved -- true
is $st 125 "its alias does not start"
has "$tmp/err" "alias moved has the UID $out, which is not in your subordinate range" "as is said"
has "$tmp/err" 'vmrunctl alias forget moved' "with what to do"
vmrunctl alias forget moved >"$tmp/out" 2>"$tmp/err"
ok $? "the alias is not stuck"
getfacl -n "$HOME/d/file" 2>/dev/null | grep -q "^user:$out:"
is $? 1 "and its entries are taken out"
VMRUN_LIBEXECDIR=$tmp/libexec vm -n moved -- true
is $st 0 "it can be started anew"
vmrunctl alias forget moved
setfacl -Rb "$HOME/d" "$HOME/other"; chmod 600 "$HOME/d/file"
killed ""
no_range() { # no_range VMRUNCTL-ARGUMENT...: without a line in /etc/subuid
	# shellcheck disable=SC2016 # for the inner shell
	unshare -rm sh -c 'mount --bind /dev/null /etc/subuid && u=$1 g=$2 && shift 2 &&
		exec unshare -U --map-user="$u" --map-group="$g" vmrunctl "$@"' \
		sh "$(id -u)" "$(id -g)" "$@" >"$tmp/out" 2>"$tmp/err"
	st=$?
}
no_range gc --deep
is $st 125 "without a range there is no deep look"
no_range gc
is $st 0 "but what is over is cleaned up"
has "$tmp/out" 'cleaned up after 1 VMs' "as it says"
has "$tmp/err" 'subuid' "and that there is no range"
killed "--rw $HOME/d"
no_range gc
is $st 1 "files are not given back without one"
has "$tmp/out" 'left: .*without a subordinate range' "which is said"
gc
is $st 0 "but later"
state_of >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "everything is as before, once more"
# What an alias has is not whole: that is mended, or it is said why it is not.
VMRUN_LIBEXECDIR=$tmp/libexec vm -n half --rw "$HOME/d" -- true
python3 -c 'import sqlite3, sys
d = sqlite3.connect(sys.argv[1])
d.execute("UPDATE grants SET phase=? WHERE gone=0", ("lapsed",))
d.commit()' "$tmp/state/vmrun/state.db"
chmod 500 "$tmp/state/vmrun/locks"
gc
is $st 1 "without a lock nothing is mended"
has "$tmp/out" 'left: alias half: ' "that is no matter of a running VM"
chmod 700 "$tmp/state/vmrun/locks"
gc
is $st 0 "then it is"
has "$tmp/out" 'made whole what alias half has' "as is said"
vmrunctl alias forget half
# One gc at a time.
hold "$tmp/state/vmrun/gc.lock"
gc
is $st 125 "beside another gc it does nothing"
has "$tmp/err" 'another gc is at work' "and says so"
kill $holder; wait $holder 2>/dev/null

# A VM that was killed is none that runs.
killed "--rw $HOME/d"
cp -a "$HOME/d/file" "$HOME/other/copy"
vmrunctl reclaim "$HOME/other" >"$tmp/out" 2>"$tmp/err"
is "$? $(cat "$tmp/out")" "0 0 files given back, 1 ACL entries removed" \
	"reclaim takes what a VM left that was killed"
hasnt "$tmp/err" running "for it does not run"
rm "$HOME/other/copy"
state_of >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "and everything else is cleaned up"

# Files that were moved away with their entries.
vmrun_dummy() { VMRUN_LIBEXECDIR=$tmp/libexec vmrun -q "$@" </dev/null; }
vmrun_dummy --rw "$HOME/d" -- true
mkfifo "$tmp/go"
rm -f "$tmp/up"
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

# What is deeper than a path can be.
vmrun_dummy --ro "$HOME/d" --json-status-fd 3 -- true 3>"$tmp/json"
python3 - "$HOME" "u:$(uid_of "$tmp/json"):r" <<'END'
import os, subprocess, sys
os.chdir(sys.argv[1])
at = len(sys.argv[1])
name = "d" * 20
while at <= 4096: # in all; what is below the home directory is shorter
    os.mkdir(name)
    os.chdir(name)
    at += 1 + len(name)
open("f", "w").close()
subprocess.run(["setfacl", "-m", sys.argv[2], "f"], check=True)
END
gc --deep
is $st 0 "an entry of a file deeper than a path can be"
has "$tmp/out" 'cleaned 0 files and 1 ACL entries of UID' "is cleaned"
gc --deep
is "$st $(grep cleaned "$tmp/out")" "0 " "and not found again"
rm -r "$HOME"/ddd*

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
mkdir "$tmp/far"
gc --deep --json
is "$(freed)" 0 "nor while another one has its name"
rmdir "$tmp/far"
mv "$tmp/farther" "$tmp/far"
gc --deep --json
is "$(freed)" 1 "when it is back it is looked through"

# In the home directory, too: as something that was mounted there and no longer
# is, and as what was deleted.
moved_to() { # moved_to DEV: what was granted last was on that device
	python3 -c 'import sqlite3, sys
d = sqlite3.connect(sys.argv[1])
d.execute("UPDATE grants SET dev=? WHERE id=(SELECT max(id) FROM grants)", sys.argv[2:])
d.commit()' "$tmp/state/vmrun/state.db" "$1"
}
mkdir "$HOME/stick"
vmrun_dummy --ro "$HOME/stick" -- true
moved_to 1
gc --deep --json
is "$(freed)" 0 "one whose stick is not mounted in the home directory is not free"
rmdir "$HOME/stick"
gc --deep --json
is "$(freed)" 0 "nor when the mount point is gone"
moved_to "$(stat -c %d "$HOME")"
gc --deep --json
is "$(freed)" 1 "one whose directory was deleted there is"

# A home directory that is in use.
vmrun_dummy --ro "$HOME/d" -- true
mkdir "$HOME/busy"
python3 - "$HOME/busy" <<'END' &
import itertools, os, sys, time
for n in itertools.count():
    open(os.path.join(sys.argv[1], str(n)), "w").close()
    os.path.exists(os.path.join(sys.argv[1], str(n - 5))) and os.unlink(os.path.join(sys.argv[1], str(n - 5)))
    open(os.path.join(os.environ["HOME"], ".log"), "a").write("x")
    time.sleep(0.2)
END
worker=$!
wait_for 20 test -e "$HOME/busy/3"
# It needs a moment without a change.
tries=0
until gc --deep --json; [ "$(freed)" = 1 ] || [ $((tries += 1)) = 5 ]; do :; done
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

# On a terminal it shows how far it is; elsewhere nothing.
mkdir "$HOME/many" && (cd "$HOME/many" && seq 3000 | xargs touch)
script -qec "vmrunctl gc --deep" /dev/null >"$tmp/out" 2>"$tmp/err" </dev/null
has "$tmp/out" "looking through $HOME ... [1-9][0-9]* names" "a terminal shows how far it is"
vmrunctl gc --deep >"$tmp/out" 2>&1
hasnt "$tmp/out" "looking through" "nothing else does"
plan_done
