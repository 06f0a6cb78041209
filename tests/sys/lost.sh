#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A database that is lost, cut, foreign or old: noticed, kept aside, and no UID
# that something still has is handed out; nor one of another state folder.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"

HOME=$tmp/home
export HOME
mkdir -p "$HOME/d"; echo x >"$HOME/d/file"; chmod 600 "$HOME/d/file"
db=$tmp/state/vmrun/state.db
VMRUN_LIBEXECDIR=$tmp/libexec
run() { # the UID of a run into $u, what was said into $tmp/err
	vmrun --json-status-fd 3 "$@" -- true 3>"$tmp/json" >"$tmp/out" 2>"$tmp/err" </dev/null
	st=$?
	u=$(sed -n 's/.*"uid":\([0-9]*\).*/\1/p' "$tmp/json")
}

run -n web --ro "$HOME/d"
is $st 0 "(an alias)"
web=$u
hasnt "$tmp/err" "lost" "the first start is no loss"
run
one=$u

# All of it is gone, the list of used UIDs too.
rm -r "$tmp/state" "$HOME/.local"
run
is $st 0 "without any state a VM starts"
[ "$u" != "$web" ]
ok $? "its UID is not one that a file's ACL has"
run
[ "$u" != "$web" ]
ok $? "nor is the next one's"

rm "$db"
run
is $st 0 "without the database too"
has "$tmp/err" "was lost; looking through the home directory" "this is said"
has "$tmp/err" "hint: .vmrunctl reclaim --all" "and how to take back what is there"
[ "$u" != "$web" ] && [ "$u" -gt "$one" ]
ok $? "its UID was never handed out"
last=$u
run
hasnt "$tmp/err" "lost" "once"

broken() { # broken HOW: the state is noticed, kept, and works again
	run
	is $st 0 "$1: a VM starts"
	has "$tmp/err" "$2" "$1: it is said"
	has "$tmp/err" "kept as state.db.damaged-" "$1: and kept"
	[ "$u" -gt "$last" ]
	ok $? "$1: the UID was never handed out"
	last=$u
}
last=$u
truncate -s 5000 "$db"
broken "cut" "is damaged"
head -c 20000 /dev/urandom >"$db"
broken "random bytes" "is damaged"
rm "$db"; python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("CREATE TABLE t (x)").connection.commit()' "$db"
chmod 600 "$db"
broken "somebody else's" "is not vmrun's database"
is "$(find "$tmp/state/vmrun" -name 'state.db.damaged-?' | wc -l)" 3 "each under a name of its own"

# Who only looks changes nothing.
cp "$db" "$tmp/good"
truncate -s 5000 "$db"
for verb in "alias list" "alias show web" grants "why $HOME/d" "gc --dry-run" \
	"gc --dry-run --deep"; do
	# shellcheck disable=SC2086 # words
	vmrunctl $verb >"$tmp/out" 2>"$tmp/err"
	is "$? $(stat -c %s "$db")" "125 5000" "$verb leaves a damaged one as it is"
	has "$tmp/err" 'vmrunctl gc.: they set it aside' "and says who does not"
done
is "$(find "$tmp/state/vmrun" -name 'state.db.damaged-?' | wc -l)" 3 "none is set aside"
cp "$tmp/good" "$db"

# Damage while a VM lives.
mkfifo "$tmp/go"
vmrun -q --ro "$HOME/d" -- sh -c 'echo up; read x' <"$tmp/go" >"$tmp/up" 2>&1 &
pid=$!
exec 7>"$tmp/go"
wait_for 60 grep -q up "$tmp/up"
cp "$db" "$tmp/good"; head -c 20000 /dev/urandom >"$tmp/bad"
cp "$tmp/bad" "$db"
run
is $st 125 "while a VM uses it, it is not set aside"
has "$tmp/err" "VMs that are running use it" "and it is said why"
cp "$tmp/good" "$db"
echo >&7; exec 7>&-; wait $pid
run
is $st 0 "(it is whole again)"

# An old copy.
run -n old --ro "$HOME/d"
old=$u
cp "$db" "$tmp/old"
for i in 1 2 3 4 5; do run; done
last=$u
rm -f "$db"*; cp "$tmp/old" "$db"; chmod 600 "$db"
run
has "$tmp/err" "is an old copy" "an old copy is noticed"
[ "$u" -gt "$last" ]
ok $? "and hands out no UID again"
run -n old --ro "$HOME/d"
is "$u" "$old" "its aliases are there"

# Two state folders.
a=$tmp/state b=$tmp/other
for i in 1 2 3; do
	XDG_STATE_HOME=$a; run; echo "$u"
	XDG_STATE_HOME=$b; run; echo "$u"
done >"$tmp/uids"
is "$(sort -u "$tmp/uids" | wc -l)" 6 "two state folders have different UIDs"

# The usual one has the list of all; others wrote it before it was made.
rm -r "$HOME/.local"
XDG_STATE_HOME=$tmp/third
run
other=$u
unset XDG_STATE_HOME
run
is $st 0 "the usual state folder, made after another one"
hasnt "$tmp/err" "lost" "is no loss"
[ "$u" -gt "$other" ]
ok $? "and has UIDs of its own, too"
rm "$HOME/.local/state/vmrun/state.db"
run
has "$tmp/err" "was lost" "(a loss of it is one)"
for i in 1 2 3 4 5; do run; done
rm "$HOME/.local/state/vmrun/state.db"
run
has "$tmp/err" "was lost" "a loss is no old copy, however many UIDs there were"
has "$tmp/err" "hint: .vmrunctl reclaim --all" "and what to do with what is left, is said"
plan_done
