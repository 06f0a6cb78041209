#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What is not vmrun's: files of containers, which use the same ids, and of other
# owners in a share.  No VM is needed.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"

first=$(sed -n "s/^$(id -un):\([0-9]*\):.*/\1/p" /etc/subuid | head -n 1)
unshare -r --map-auto true 2>"$tmp/err" || bail "no unshare --map-auto"
HOME=$tmp/home # --deep looks through all of it
export HOME
own_uids "$HOME" "$(id -un)" 2000
mkdir -p "$HOME/d" "$HOME/other" "$tmp/far"
echo x >"$HOME/d/file"
chmod 600 "$HOME/d/file"
gc() { vmrunctl gc "$@" >"$tmp/out" 2>"$tmp/err"; st=$?; }
freed() { tr -d ' \n' <"$tmp/out" | sed -n 's/.*"freed":\([0-9]*\).*/\1/p'; }
uid_of() { sed -n 's/.*"uid": *\([0-9]*\).*/\1/p' "$1"; }
as_id() { # as_id ID FILE MODE: a container's file
	# Inside, 1 is the first id of the range.
	unshare -r --map-auto sh -c 'chown -h "$1:$1" "$2" && chmod "$3" "$2"' sh \
		$(($1 - first + 1)) "$2" "$3"
}
begin() { # begin OPTION...: a VM that waits; see finish
	rm -f "$tmp/go" "$tmp/up"; mkfifo "$tmp/go"
	VMRUN_LIBEXECDIR=$tmp/libexec vmrun -q --json-status-fd 4 "$@" \
		<"$tmp/go" >"$tmp/up" 2>"$tmp/err" 4>"$tmp/json" &
	pid=$!
	exec 7>"$tmp/go"
	wait_for 60 grep -q up "$tmp/up"
	uid=$(uid_of "$tmp/json")
}
finish() { echo >&7; exec 7>&-; wait $pid; st=$?; }
looks() { stat -c '%u %g %a' "$1"; }

# The first start looks who has what; then a container comes.
VMRUN_LIBEXECDIR=$tmp/libexec vmrun -q --json-status-fd 4 -- true 4>"$tmp/json" </dev/null
next=$(($(uid_of "$tmp/json") + 1))
for n in 0 1 2 3 4 5 6 7; do # processes of other tests may have one
	echo old >"$HOME/other/old$n"
	as_id $((next + n)) "$HOME/other/old$n" 6755
done
then=$(date +%s)
# shellcheck disable=SC2016 # for the inner shell
wait_for 20 sh -c '[ "$(date +%s)" -gt $1 ]' sh "$then"
begin --rw "$HOME/d" -- sh -c "echo up; echo made >$HOME/d/made; echo made >$HOME/d/more; read x"
older=$HOME/other/old$((uid - next))
is "$(stat -c %u "$older")" "$uid" "(the next VM has the id)"
wait_for 20 test -s "$HOME/d/more"
mv "$HOME/d/made" "$HOME/other/made"
mkdir "$tmp/far/sub"
finish
is $st 0 "(it is over)"
is "$(stat -c %u "$HOME/other/made")" "$uid" "what was moved away during a run is still the VM's"
is "$(stat -c %u "$HOME/d/more")" "$(id -u)" "what was not is given back"
vmrunctl reclaim "$HOME/other/made" >"$tmp/out" 2>"$tmp/err"
is "$(stat -c %u "$HOME/other/made")" "$(id -u)" "so is what was, when somebody asks"
echo layer >"$HOME/other/layer"
as_id "$uid" "$HOME/other/layer" 6755
mkfifo "$HOME/other/pipe"
as_id "$uid" "$HOME/other/pipe" 600
cp "$HOME/d/file" "$HOME/other/copy"
setfacl -m "u:$uid:r" "$HOME/other/copy"
gc --deep --dry-run
is $st 1 "a copy with an entry is told"
has "$tmp/out" 'has 0 files and 1 ACL entries' "alone"
gc --deep
is $st 0 "a deep gc cleans it"
has "$tmp/out" 'cleaned 0 files and 1 ACL entries' "alone"
getfacl -n "$HOME/other/copy" 2>/dev/null | grep -q "^user:$uid:"
is $? 1 "so it is"
is "$(looks "$HOME/other/layer")" "$uid $uid 6755" "a younger file of a container's stays what it is"
is "$(looks "$older")" "$uid $uid 6755" "and an older one"
test -p "$HOME/other/pipe"
ok $? "and its FIFO"
gc --deep
is "$st $(cat "$tmp/out")" "0 " "which is nothing to be said every day"
vmrunctl reclaim "$HOME/other" >"$tmp/out" 2>"$tmp/err"
has "$tmp/err" 'traces of UIDs .* were left' "reclaim leaves them, and says so"
is "$(looks "$HOME/other/layer")" "$uid $uid 6755" "as they are"
rm -f "$HOME/other/layer" "$HOME/other/pipe" "$HOME/other/old"*
gc --deep --json
is "$(freed)" 0 "and its id is never free, even when nothing has it any more"
echo again >"$HOME/other/layer"
as_id "$uid" "$HOME/other/layer" 6755
vmrunctl reclaim --all "$HOME/other" >"$tmp/out" 2>"$tmp/err"
is "$(looks "$HOME/other/layer")" "$(id -u) $(id -g) 755" "reclaim --all takes it"

# What can be had by its name only, if it is all that there is.
begin --rw "$HOME/d" -- sh -c "echo up; ln -s /none $HOME/d/link; read x"
wait_for 20 test -L "$HOME/d/link"
mv "$HOME/d/link" "$HOME/other/link"
finish
vmrunctl reclaim "$HOME/other" >"$tmp/out" 2>"$tmp/err"
has "$tmp/out" '^[1-9][0-9]* files given back' "a lone link is given back, as is said"
is "$(stat -c %u "$HOME/other/link")" "$(id -u)" "and done"
begin --rw "$HOME/d" -- sh -c "echo up; mkfifo $HOME/d/pipe; read x"
wait_for 20 test -p "$HOME/d/pipe"
mv "$HOME/d/pipe" "$HOME/other/pipe"
finish
vmrunctl reclaim "$HOME/other/pipe" >"$tmp/out" 2>"$tmp/err"
is $? 125 "one is not to be reclaimed alone,"
has "$tmp/err" 'directory that it is in' "with a hint"
gc --deep
has "$tmp/out" '^cleaned [1-9][0-9]* files and' "a lone FIFO is cleaned, as is said"
test -e "$HOME/other/pipe"
is $? 1 "and done"

# A file of somebody else's, in a share, with the entry that it inherited.
begin -n web --rw "$HOME/d" -- sh -c "echo up; read x"
echo theirs >"$HOME/d/theirs"
as_id $((first + 60000)) "$HOME/d/theirs" 644
getfacl -n "$HOME/d/theirs" 2>/dev/null | grep -q "^user:$uid:"
ok $? "(a file of another owner has an entry of the VM)"
finish
is $st 0 "the VM ends"
vmrunctl revoke web "$HOME/d" >"$tmp/out" 2>"$tmp/err"
is $? 0 "the grant is taken back all the same"
has "$tmp/err" "files of other owners in $HOME/d, such as theirs of UID $((first + 60000))" "what stays is said"
has "$tmp/err" "sudo setfacl -x u:$uid FILE" "with what to do"
vmrunctl alias forget web
ok $? "the alias is not stuck"
gc
is "$st $(cat "$tmp/out" "$tmp/err")" "0 " "nor is there anything to be done later"
gc --deep
has "$tmp/err" 'files of other owners' "a deep look finds it"
gc --deep --json
hasnt "$tmp/out" '"cleaned' "which is not called clean"
getfacl -n "$HOME/d/file" 2>/dev/null | grep -q "^user:[0-9]"
is $? 1 "the person's own have no entry"
rm -f "$HOME/d/theirs"
plan_done
