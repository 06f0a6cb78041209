#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# vmrunctl grants, why, revoke and reclaim: the ledger and the disk compared.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"

oracle=$top_builddir/tests/sys/oracle
HOME=$tmp/home
export HOME
own_uids "$HOME" "$(id -un)" 4000
d=$HOME/d
mkdir -p "$d/sub" "$HOME/r/mnt" "$HOME/out"
echo x >"$d/file"; echo y >"$d/sub/file"; echo z >"$HOME/r/file"
chmod 600 "$d/file" "$d/sub/file" "$HOME/r/file"; chmod 700 "$d/sub"
state_of() { "$oracle" "$d"; "$oracle" "$HOME/r"; "$oracle" "$HOME/out"; }
state_of >"$tmp/before"
ctl() { vmrunctl "$@" >"$tmp/out" 2>"$tmp/err"; st=$?; }
dvm -n web --rw "$d" --ro "$HOME/r" -- true
is $st 0 "(an alias)"
u=$(vmrunctl alias list --json | tr -d ' \n' | sed -n 's/.*"uid":\([0-9]*\).*/\1/p')

ctl grants
is $st 0 "database and disk agree"
has "$tmp/out" "^rw  alias web (UID $u) .*$d" "what is granted is listed"
hasnt "$tmp/out" "drift" "nothing differs"
ctl grants --alias nobody
is "$(cat "$tmp/out")" "" "an unknown alias has nothing"
ctl grants --path "$d/sub/file"
has "$tmp/out" "$d" "what holds a path is shown"
hasnt "$tmp/out" "$HOME/r" "and nothing else"
ctl grants --json
has "$tmp/out" '"drift": null' "the same as JSON"

echo n >"$HOME/out/new"; chmod 600 "$HOME/out/new"; mv "$HOME/out/new" "$d/new"
ctl grants
is $st 1 "a file that was moved in makes a difference"
has "$tmp/out" "drift: lacks 1 of the entries" "which is shown"
ctl why "$d/new"
has "$tmp/out" "alias web .* may not read it" "why says that it may not be read"
has "$tmp/out" "came into the directory without inheriting" "and why not"
rm "$d/new"
left_out() { # left_out PATH REASON DESCRIPTION: and no start would grant it
	ctl why "$1"
	has "$tmp/out" "may not re" "$3 is not to be read"
	has "$tmp/out" "start leaves it out: .*$2" "because of that"
	hasnt "$tmp/out" "without inheriting" "not for another reason"
}
echo k >"$d/id_rsa"; mkdir "$d/.ssh"; echo k >"$d/.ssh/k"
{ echo "-----BEGIN PRIVATE KEY-----"; echo k; } >"$d/text"
setfacl -b "$d/id_rsa" "$d/text" "$d/.ssh"; setfacl -k "$d/.ssh"
chmod 600 "$d/id_rsa" "$d/text" "$d/.ssh/k"; chmod 700 "$d/.ssh"
left_out "$d/id_rsa" "private key, see --include-keys" "a file called like a key"
left_out "$d/text" "private key" "one that begins like one"
left_out "$d/.ssh/k" "private key" "one in a directory of keys"
has "$tmp/out" "cannot pass $d/.ssh" "which is named"
setfacl -m u:$((u + 9)):r "$d/id_rsa"
left_out "$d/id_rsa" "private key" "a key that another VM was given"
rm -r "$d/id_rsa" "$d/text" "$d/.ssh"
echo l >"$HOME/out/link"; chmod 600 "$HOME/out/link"; ln "$HOME/out/link" "$d/link"
left_out "$d/link" "several hard links" "a file with another name elsewhere"
has "$tmp/out" "a link may be outside" "as it says"
rm "$HOME/out/link" "$d/link"
VMRUN_LIBEXECDIR=$tmp/libexec vmrun -q --rw "$d" -- \
	sh -c "echo h >$d/its; setfacl -b $d/its; chmod 600 $d/its; echo up; sleep 1000" \
	</dev/null >"$tmp/up" 2>&1 &
pid=$!
wait_for 60 grep -q up "$tmp/up"
left_out "$d/its" "it is not yours" "a file of another VM"
has "$tmp/out" "it owns it (mode rw-)" "whose it is is told"
kill $pid; wait $pid 2>/dev/null
rm "$d/its"
ctl why "$d/sub/file"
has "$tmp/out" "^alias web (UID $u) may read and write it" "why tells who may"
has "$tmp/out" "entry user:$u:rw-" "through which entry"
ctl why "$HOME/r/file"
has "$tmp/out" "may read it" "or only read"
ctl why "$HOME/out"
has "$tmp/out" "^no grant to a VM or an alias holds $HOME/out" "or nobody"
has "$tmp/out" "shared without one is not listed here: FAT" "as far as grants tell"
chmod 600 "$d/file"; chmod go= "$d/file"
ctl why "$d/file"
has "$tmp/out" "which the mask cuts to ---" "a chmod that cuts it is named"
setfacl -x "u:$u" "$d/sub"
ctl why "$d/sub/file"
has "$tmp/out" "may not reach it" "a directory in the way"
has "$tmp/out" "cannot pass $d/sub" "is named"
setfacl -m "u:$u:rwx" "$d/sub"
cp -a "$d/sub/file" "$HOME/out/copy"
ctl why "$HOME/out/copy"
has "$tmp/out" "UID $u has an entry in the ACL" "an entry that is of no use is told"
ctl grants --path "$HOME/out/copy"
is $st 1 "so it is when what is granted there is asked for"
has "$tmp/out" "UID $u .*out/copy" "with its path"
ctl grants --path "$HOME/out"
is "$st $(cat "$tmp/out")" "0 " "not what is below it"
setfacl -m "u:$u:r" "$HOME/out"
ctl why "$HOME/out"
has "$tmp/out" "UID $u has an entry in the ACL" "one of a directory is told"
ctl grants --path "$HOME/out"
is $st 1 "and listed"
setfacl -b "$HOME/out"
mkdir "$HOME/bare"
echo b >"$HOME/bare/bare"
# shellcheck disable=SC2016 # for the inner shell
unshare -rm sh -c 'mount --bind "$1" "$2" && exec unshare -U --map-user="$3" \
	--map-group="$4" vmrunctl why "$2/bare"' sh "$HOME/bare" "$HOME/r/mnt" \
	"$(id -u)" "$(id -g)" >"$tmp/out" 2>"$tmp/err"
has "$tmp/out" "^alias web (UID $u) may not reach it" "what is mounted inside of a share is not in it"
has "$tmp/out" "it is on another mount" "and that is why"
ctl why "$HOME/none"
is $st 125 "a file that is not there is an error"

ctl revoke web "$HOME/none"
is $st 125 "nothing is revoked that was not granted"
has "$tmp/err" "has no grant of" "and that is said"
ctl revoke nobody "$d"
is $st 125 "nor from an unknown alias"
dvm -n web --ro "$d/sub" -- true
ctl revoke web "$d"
is $st 0 "a grant is revoked"
getfacl -n "$d/file" 2>/dev/null >"$tmp/acl"
hasnt "$tmp/acl" "user:$u" "its entries are gone"
getfacl -n "$d/sub/file" 2>/dev/null >"$tmp/acl"
has "$tmp/acl" "user:$u:r" "but for what another grant gives"
ctl grants
is $st 0 "database and disk agree"
dvm -n web --ro "$d/sub" -- cat "$d/sub/file"
is $st 0 "which the alias still has"

# What was moved out of what an alias has, with its entry, is taken away.
entries() { # entries PATH...: of the alias
	getfacl -Rnp "$@" 2>/dev/null | grep -c "^user:$u:"
}
rm -rf "$HOME/out"/*
mkdir "$HOME/r/in"
dvm -n web --rw "$HOME/r" -- sh -c "umask 077; echo s >$HOME/r/made"
mv "$HOME/r/file" "$HOME/out"
cp -a "$HOME/out/file" "$HOME/copy"
entries "$HOME/r" >"$tmp/granted"
ctl reclaim "$HOME"
is "$(entries "$HOME/out/file" "$HOME/copy")" 2 "on both sides of what is granted nothing is taken"
has "$tmp/err" "outside of what is granted to it were left, such as at $HOME/" "which is said"
has "$tmp/err" "reclaim. of a directory that holds nothing" "with what to do"
rm "$HOME/copy"
ctl reclaim "$HOME/out"
is "$st $(cat "$tmp/out")" "0 0 files given back, 1 ACL entries removed" "reclaim takes an entry of an alias that is of no use"
is "$(entries "$HOME/out")" 0 "and leaves none"
is "$(entries "$HOME/r")" "$(cat "$tmp/granted")" "but for those of its grants"
mv "$HOME/out/file" "$HOME" # it has no entry now
# Its own files: as the VM's they are moved, or the VM was killed.
rm -f "$tmp/up"
VMRUN_LIBEXECDIR=$tmp/libexec vmrun -q -n web --rw "$HOME/r" -- \
	sh -c "umask 077; echo s >$HOME/r/in/its; echo t >$HOME/r/moved; echo up; sleep 1000" \
	</dev/null >"$tmp/up" 2>&1 &
pid=$!
wait_for 60 grep -q up "$tmp/up"
mv "$HOME/r/moved" "$HOME/out"
kill $pid; wait $pid 2>/dev/null
is "$(stat -c %u "$HOME/out/moved")" "$u" "a file that was moved out is the VM's"
ctl reclaim "$HOME/out"
is "$st $(cat "$tmp/out")" "0 1 files given back, 1 ACL entries removed" "it is given back"
is "$(stat -c %u "$HOME/out/moved") $(entries "$HOME/out")" "$(id -u) 0" "and no entry is kept for the alias"
ctl grants
is $st 0 "database and disk agree"
rm -rf "$HOME/out"/* "$HOME/r/in" "$HOME/r/made"
ctl revoke web "$HOME/r"
mv "$HOME/file" "$HOME/r"
cp -a "$d/sub/file" "$HOME/out/copy"

# Files that nobody gave back, closed ones too.
rm -f "$tmp/up"
VMRUN_LIBEXECDIR=$tmp/libexec vmrun -q --rw "$d" -- sh -c "umask 077; mkdir $d/c $d/c/d; echo s >$d/c/d/secret; echo t >$d/open; echo up; sleep 1000" \
	</dev/null >"$tmp/up" 2>&1 &
pid=$!
wait_for 60 grep -q up "$tmp/up"
ctl reclaim "$d"
has "$tmp/err" "VMs have that are running was left" "what a live VM has is left"
mv "$tmp/state" "$tmp/state.old" # nobody knows now
its=$(stat -c %u "$d/open")
ctl reclaim --all "$d"
has "$tmp/err" "UID $its has processes: what it has was left" "nor what one has whose database was lost"
is "$(stat -c %u "$d/open")" "$its" "so it is"
kill -9 $pid; wait $pid 2>/dev/null
wait_for 20 sh -c "! pgrep -U $its"
ctl reclaim "$d"
has "$tmp/err" "hint: --all takes them too" "what nobody knows is left"
ctl reclaim --all "$HOME"
is $st 0 "with --all it is given back"
is "$(find "$HOME" ! -user "$(id -u)")" "" "all of it, in closed directories too"
is "$(cat "$d/c/d/secret")" "s" "and can be read"
is "$(getfacl -Rn "$HOME" 2>/dev/null | grep '^user:[0-9]')" "" "no entry is left"
rm -r "$d/c" "$d/open" "$HOME/out/copy"
state_of >"$tmp/after"
diff "$tmp/before" "$tmp/after" >"$tmp/err"
ok $? "everything is as before"
plan_done
