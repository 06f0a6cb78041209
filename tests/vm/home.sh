#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# --home: a home directory that an alias keeps, in real VMs.  What must not be:
# another alias's, an earlier guest's links, files lost by a kill or a forgotten
# name.
. "${top_srcdir:?}/tests/vm/lib.sh"

a=vmhome$$
homes=$XDG_STATE_HOME/vmrun/homes
home=$(realpath -m "$homes")/$a
mkdir "$tmp/d" && echo mine >"$tmp/d/file"
echo rc >"$tmp/rc"
end() {
	vmrunctl alias forget --delete-home $a >/dev/null 2>&1
	vmrunctl alias forget --delete-home $a.2 >/dev/null 2>&1
	rm -rf "$tmp"
}
trap end EXIT

vm --home -- true
is $st 125 "no home without an alias"
has "$tmp/err" 'hint: .*--alias NAME' "and what to do"
vm -n $a --home --rw "$tmp/d:$HOME" -- true
is $st 125 "no second thing at its place"
[ ! -e "$home" ]
ok $? "and nothing is made for a refused start"
vm -n $a --home --dry-run -- true
[ ! -e "$home" ] && [ $st = 0 ] && grep -q "^  rw $home at $HOME" "$tmp/out"
ok $? "a dry run shows it and makes nothing"

# The first run.
vm -n $a --home --rw "$tmp/d:$HOME/sub/d" --ro "$tmp/rc:$HOME/.testrc" -- sh -c '
	id -u; echo one >$HOME/one; umask 077; mkdir $HOME/.ssh
	echo key >$HOME/.ssh/id_x; mkfifo $HOME/pipe; cat $HOME/sub/d/file $HOME/.testrc
	echo two >$HOME/sub/beside; echo in >$HOME/sub/d/in; pwd'
is $st 0 "a first run, with shares inside of the home"
u=$(sed -n 1p "$tmp/out")
is "$(sed 1d "$tmp/out" | tr '\n' ' ')" "mine rc $HOME " "they are there, and it starts at home"
is "$(cat "$home/one" "$home/.ssh/id_x" "$tmp/d/in" | tr '\n' ' ')" "one key in " \
	"what it wrote is in the state folder, and readable there"
is "$(find "$home" ! -user "$(id -u)" -print)" "" "all of it is mine"
is "$(stat -c %a "$homes" "$XDG_STATE_HOME/vmrun" | tr '\n' ' ')" "700 700 " "others get no further than the folder"
is "$(find "$home/sub/d" "$home/.testrc" ! -type d -size +0)" "" "the places of shares are empty in it"
[ ! -p "$home/pipe" ]
ok $? "a FIFO is not left"

vmrunctl alias show $a >"$tmp/show"
has "$tmp/show" "^home  $home\$" "alias show says where it is"
vmrunctl alias show --json $a | python3 -c 'import json, sys
print(json.load(sys.stdin)["home"])' >"$tmp/show"
is "$(cat "$tmp/show")" "$home" "and so in JSON"

# The second one: nothing is edited for it.
find "$home" -printf '%p %C@\n' | sort >"$tmp/then"
vm -n $a --home -- sh -c 'id -u; cat $HOME/one $HOME/.ssh/id_x $HOME/sub/beside; ls $HOME/sub/d'
is $st 0 "a second run"
is "$(tr '\n' ' ' <"$tmp/out")" "$u one key two " "has the files of the first, its keys too"
find "$home" -printf '%p %C@\n' | sort >"$tmp/now"
cmp "$tmp/then" "$tmp/now" >&2
ok $? "and changes no inode"

# Others.
vm -n $a.2 --home -- sh -c 'ls -A $HOME; echo other >$HOME/other'
is "$st $(cat "$tmp/out")" "0 " "another alias has another one"
vm -n $a -- sh -c 'ls -A $HOME'
is "$st $(cat "$tmp/out")" "0 " "without --home it is empty"
vm --ro "$home:/mnt" -- true
is $st 125 "no VM is given it as a share"

# What an earlier guest put where something is to be mounted.
vm -n $a --home -- sh -c 'ln -s /etc $HOME/bad; echo x >$HOME/bad2'
vm -n $a --home --rw "$tmp/d:$HOME/bad" -- true
is $st 125 "a link of the guest's is not followed"
has "$tmp/err" "hint: .*$home/bad\$" "and where it is, is said"
vm -n $a --home --rw "$tmp/d:$HOME/bad2/x" -- true
is $st 125 "nor is a file entered"

# A vmrun that is killed.
vmrun -q -n $a --home -- sh -c 'umask 077; mkdir -p $HOME/k/l; echo k >$HOME/k/l/m; echo up; exec sleep 1000' \
	>"$tmp/up" 2>&1 </dev/null &
pid=$!
wait_for 600 grep -q up "$tmp/up"
kill -9 $pid
wait $pid 2>/dev/null
vm -n $a --home --rw "$tmp/d:$HOME/k/l/new" -- sh -c 'cat $HOME/k/l/m; ls $HOME/k/l/new'
is "$st $(tr '\n' ' ' <"$tmp/out")" "0 k file in " "after a kill the next run has all of it"
is "$(cat "$home/k/l/m")" k "and so have I"

# Names.
vmrunctl alias rename $a $a.2 2>"$tmp/err"
is $? 125 "it is not renamed to a name that is taken"
vmrunctl alias forget $a.2 >"$tmp/out" 2>"$tmp/err"
is $? 0 "an alias is forgotten"
has "$tmp/out" "kept: $home.2\$" "where its home is kept, is said"
[ -f "$home.2/other" ]
ok $? "and it is"
vmrunctl alias rename $a $a.2 2>"$tmp/err"
is $? 125 "a home that was kept is not overwritten by a rename"
has "$tmp/err" "hint: .*$home.2" "and where that is, is said"
vm -n $a.2 --home -- sh -c 'cat $HOME/other'
is "$st $(cat "$tmp/out")" "0 other" "a new alias of the name has it"
vmrunctl alias forget --delete-home $a.2 >"$tmp/out" 2>"$tmp/err"
is "$? $(ls -A "$homes" | tr '\n' ' ')" "0 $a " "--delete-home deletes it"
vmrunctl alias rename $a $a.2 2>"$tmp/err"
is "$? $(ls "$homes")" "0 $a.2" "a rename takes the home along"
vm -n $a.2 --home -- sh -c 'id -u; cat $HOME/one'
is "$(tr '\n' ' ' <"$tmp/out")" "$u one " "with the UID, and the files"
find "$home.2" -printf '%p %C@\n' | sort | sed "s|$home.2|$home|" >"$tmp/now"
vmrunctl grants --alias $a.2 >"$tmp/out" 2>"$tmp/err"
has "$tmp/out" "$home.2" "its grant has the new name"
hasnt "$tmp/out" "drift\|missing" "and holds"
vmrunctl alias forget $a.2 >"$tmp/out" 2>"$tmp/err"
getfacl -Rnp "$home.2" 2>/dev/null | grep ":$u:" >"$tmp/err"
is "$(cat "$tmp/err")" "" "forgotten, nothing of the UID is in it"
is "$(cat "$home.2/.ssh/id_x") $(stat -c %a "$home.2/.ssh/id_x")" "key 600" "files are as the guest made them"
vmrunctl alias forget --delete-home $a.2 >"$tmp/out" 2>"$tmp/err"
is "$? $(ls -A "$homes")" "0 " "a home of no alias can be deleted still"
vmrunctl alias forget --delete-home $a.2 >"$tmp/out" 2>"$tmp/err"
is $? 125 "twice it is not there"
plan_done
