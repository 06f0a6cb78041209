#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What the person does to a shared file must not keep a run from its end, nor an
# alias from its next start; and one place that cannot be read none of the others.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"

HOME=$tmp/home
export HOME
own_uids "$HOME" "$(id -un)" 16000
d=$HOME/d
mkdir -p "$d" "$HOME/in/closed" "$HOME/out"
echo x >"$d/todo"; chmod 600 "$d/todo"
ctl() { vmrunctl "$@" >"$tmp/out" 2>"$tmp/err"; st=$?; }
entries() { getfacl -Rn "$@" 2>/dev/null | grep -c '^\(default:\)\{0,1\}user:[0-9]'; }

# A grant inside of another one lapses with that, and cannot be made again.
dvm -n web --rw "$d/todo" -- true
dvm -n web --rw "$d" -- true
ln "$d/todo" "$HOME/out/copy"
ctl revoke web "$d"
is $st 0 "the outer grant is revoked"
has "$tmp/err" "had of $d/todo is not granted again: .*hard links" "why the inner one is gone is said"
is "$(entries "$d")" 0 "both are gone"
ctl gc
is $st 1 "gc cannot mend it either"
has "$tmp/out" 'left: could not make whole what alias web has' "which is said"
dvm -n web -- true
is $st 0 "the alias starts nevertheless"
dvm -n web --rw "$d/todo" -- true
is $st 125 "but not with that file"
rm "$HOME/out/copy"
ctl gc
is $st 0 "once there is no other link it is mended"
has "$tmp/out" 'made whole what alias web has' "as is said"
dvm -n web --rw "$d/todo" -- cat "$d/todo"
is "$st $(cat "$tmp/out")" "0 x" "and is of use"
ln "$d/todo" "$HOME/out/copy"
ctl revoke web "$d/todo"
ctl alias forget web
is $st 0 "it can be forgotten"
rm "$HOME/out/copy"

# Nobody may read a file any more that was granted.
rm -f "$tmp/up"
mkfifo "$tmp/go"
VMRUN_LIBEXECDIR=$tmp/libexec vmrun -q --rw "$d/todo" -- sh -c 'echo up; read x' \
	<"$tmp/go" >"$tmp/up" 2>"$tmp/err" &
pid=$!
exec 7>"$tmp/go"
wait_for 60 grep -q up "$tmp/up"
chmod 0 "$d/todo"
echo >&7; exec 7>&-
wait $pid
is "$? $(cat "$tmp/err")" "0 " "its run ends"
ctl gc
is "$st $(cat "$tmp/out")" "0 " "and leaves nothing to be done"
chmod 600 "$d/todo"
is "$(entries "$d")" 0 "no entry is left"

# A place that is closed to its owner, beside another one.
dvm -n two --ro "$HOME/in/closed" --ro "$d" -- true
chmod 0 "$HOME/in"
setfacl -m "u:$(($(vmrunctl alias list | awk '$1 == "two" { print $2 }') + 1)):r" "$d/todo"
ctl grants
is $st 1 "a place that cannot be looked at makes a difference"
has "$tmp/err" "$HOME/in/closed" "which is said"
has "$tmp/out" "$d" "others are shown"
has "$tmp/out" "nothing grants" "with what is there besides"
ctl grants --json
has "$tmp/out" "$d" "as JSON, too"
chmod 700 "$HOME/in"
setfacl -b "$d/todo"; chmod 600 "$d/todo"
ctl alias forget two
is $st 0 "(forgotten)"

# A link took the place of what was granted.
dvm -n link --rw "$d" -- true
mv "$d" "$HOME/moved"; ln -s moved "$d"
ctl revoke link "$HOME/nothing"
is $st 125 "what was never granted is not revoked"
ctl revoke link "$d"
is $st 0 "a grant is by the name that it had"
has "$tmp/err" "is no longer what was granted" "though nothing is there to be edited"
ctl alias show link
hasnt "$tmp/out" "$d" "and is forgotten"
ctl alias forget link

# What is not there when its VM is over.
rm "$d"; mkdir "$d"
rm -f "$tmp/up"
VMRUN_LIBEXECDIR=$tmp/libexec vmrun -q -n away --rw "$d" -- \
	sh -c "umask 077; echo x >$d/made; echo up; sleep 1000" </dev/null >"$tmp/up" 2>&1 &
pid=$!
wait_for 60 grep -q up "$tmp/up"
kill -9 $pid; wait $pid 2>/dev/null
mv "$d" "$HOME/away"
ctl gc
has "$tmp/err" "$d is not there: files that the VM made in it stay" "that files stay is said"
has "$tmp/err" "vmrunctl reclaim $d. gives them back" "and what gives them back"
mv "$HOME/away" "$d"
ctl reclaim "$d"
is "$st $(cat "$tmp/out")" "0 1 files given back, 0 ACL entries removed" "which it does"
is "$(stat -c %u "$d/made")" "$(id -u)" "indeed"
ctl alias forget away
is "$st $(entries "$d")" "0 0" "nothing is left in it"
plan_done
