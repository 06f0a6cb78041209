#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Aliases keep their UID and their grants; no VM is needed to see that.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"

mkdir -p "$tmp/d/sub" "$tmp/r/below" "$tmp/n"
echo x >"$tmp/d/file"; echo y >"$tmp/d/sub/file"; echo z >"$tmp/r/file"
echo z >"$tmp/r/below/file"; echo n >"$tmp/n/file"
chmod 600 "$tmp/d/file" "$tmp/r/file" "$tmp/n/file" "$tmp/r/below/file"
chmod 700 "$tmp/d/sub"
facl "$tmp/d" "$tmp/r" "$tmp/n" >"$tmp/before"
uid() { vmrunctl alias list --json | tr -d ' \n' | sed -n "s/.*\"alias\":\"$1\",\"uid\":\([0-9]*\).*/\1/p"; }
ctimes() { find "$@" -printf '%p %C@\n' | sort; }

# What must not be possible.
dvm --alias '../x' -- true
is $st 125 "a name with a slash is refused"
vmrunctl alias forget nobody 2>"$tmp/err"
is $? 125 "an unknown alias cannot be forgotten"
has "$tmp/err" 'there is no alias nobody' "and it is said"

dvm --alias web --rw "$tmp/d" --ro "$tmp/r" -- cat "$tmp/d/file" "$tmp/r/file"
is $st 0 "a first start"
u=$(uid web)
getfacl -n "$tmp/d/file" 2>/dev/null >"$tmp/acl"
has "$tmp/acl" "user:$u:rw" "its grants stay"
vmrun --dry-run --alias web --rw "$tmp/d" -- true >"$tmp/out" 2>"$tmp/err"
has "$tmp/out" "uid and gid: $u and [0-9]*, alias web has them" "--dry-run says which UID"
vmrun --dry-run --alias other --rw "$tmp/d" -- true >"$tmp/out" 2>"$tmp/err"
has "$tmp/out" 'a pair not used before' "a new alias has a new one"
first=$(awk -F: -v me="$(id -un)" -v id="$(id -u)" '$1 == me || $1 == id { print $2; exit }' /etc/subuid)
mkdir "$tmp/other" && setfacl -m "u:$first:rwx,d:u:$first:rwx" "$tmp/other"
vmrun --dry-run --rw "$tmp/other" -- true >"$tmp/out" 2>"$tmp/err"
has "$tmp/out" ': [1-9][0-9]* ACLs to edit' "for which there are ACLs to edit, whoever has some there"
mkdir "$tmp/none" && mkdir -m 700 "$tmp/none/vmrun"
XDG_STATE_HOME=$tmp/none vmrun --dry-run --alias web -- true >"$tmp/out" 2>"$tmp/err"
has "$tmp/out" 'a pair not used before' "without a database, too"
is "$(ls -A "$tmp/none/vmrun")" "" "and makes none"
ctimes "$tmp/d" "$tmp/r" >"$tmp/then"
facl "$tmp/d" "$tmp/r" "$tmp/n" >"$tmp/granted"
dvm --alias web --rw "$tmp/d" --ro "$tmp/r" -- cat "$tmp/d/file"
is $st 0 "a second start"
ctimes "$tmp/d" "$tmp/r" >"$tmp/now"
cmp "$tmp/then" "$tmp/now" >&2
ok $? "which changes no inode"
is "$(uid web)" "$u" "with the same UID"

# No tree is walked either, and no ACL set, in the process that starts it.
counted() { # counted WHAT ALIAS: how many calls
	VMRUN_LIBEXECDIR=$tmp/libexec "$top_builddir/tests/fault/fail-at" 0 0 "$1" \
		"$tmp/calls" vmrun -q --alias "$2" --ro "$tmp/r" -- true \
		</dev/null >/dev/null 2>"$tmp/err"
	st=$?
	cat "$tmp/calls"
}
if counted acl nobody >/dev/null; [ $st != 77 ]; then
	vmrunctl alias forget nobody
	[ "$(counted acl other)" -gt 0 ] && vmrunctl alias forget other &&
		[ "$(counted "list:$tmp/r" other)" -gt 0 ]
	ok $? "a first start walks the tree and sets ACLs"
	is "$(counted acl web)" 0 "a later one sets none"
	is "$(counted "list:$tmp/r" web)" 0 "and lists no directory of the tree"
	vmrunctl alias forget other
else
	skip "it lists nothing" "fail-at does not know this machine"
fi

dvm --alias web --rw "$tmp/d" -- sh -c "echo new >$tmp/d/made; umask 077; echo s >$tmp/d/secret"
is $st 0 "it makes files"
is "$(stat -c %u "$tmp/d/made" "$tmp/d/secret" | sort -u)" "$(id -u)" "they are mine afterwards"
dvm --alias web --rw "$tmp/d" -- sh -c "cat $tmp/d/made && echo more >>$tmp/d/made"
is $st 0 "and still the alias's at its next start"
rm -f "$tmp/d/made" "$tmp/d/secret"

# What a program makes for itself alone: mkstemp() and many who save files.
dvm --alias web --rw "$tmp/d" -- sh -c "cd $tmp/d && mkdir -m 700 own && f=\$(mktemp own/XXXXXX) && echo one >\$f && mv \$f own/private"
is $st 0 "it makes a private directory with a private file"
is "$(find "$tmp/d" ! -user "$(id -u)")" "" "both are mine afterwards"
is "$(cat "$tmp/d/own/private")" one "and I can read it"
dvm --alias web --rw "$tmp/d" -- sh -c "echo two >>$tmp/d/own/private && cat $tmp/d/own/private"
is "$(cat "$tmp/out")" "$(printf 'one\ntwo')" "so can the alias at its next start"
getfacl -n "$tmp/d/own/private" 2>/dev/null >"$tmp/acl"
has "$tmp/acl" '^group::---' "its group cannot"
has "$tmp/acl" '^other::---' "nor others"
mkdir "$tmp/d/moved"
dvm --alias web --rw "$tmp/d" -- sh -c "cd $tmp/d && echo x >own/a && mv own moved/own && echo y >moved/own/b"
is "$(find "$tmp/d" ! -user "$(id -u)")" "" "what was made and moved about is mine"
rm -r "$tmp/d/moved"

# Files that came in without inheriting.
echo in >"$tmp/in"; chmod 600 "$tmp/in"; mv "$tmp/in" "$tmp/d/in"
dvm --verify -- true
is $st 125 "--verify is for aliases"
dvm --alias web --rw "$tmp/d" --timeout 60s -- sh -c "until cat $tmp/d/in; do sleep 0.1; done"
is $st 0 "a file that was moved in is granted soon after the start"
echo in >"$tmp/in"; chmod 600 "$tmp/in"; mv "$tmp/in" "$tmp/d/in"
dvm --alias web --verify --rw "$tmp/d" -- cat "$tmp/d/in"
is $st 0 "with --verify before it"
rm "$tmp/d/in"

dvm --alias web --rw "$tmp/n" -- sh -c "echo new >>$tmp/n/file"
is $st 0 "a later start may name another directory"
vmrunctl alias show web >"$tmp/out"
has "$tmp/out" "rw  $tmp/n" "it is granted too"
has "$tmp/out" "ro  $tmp/r" "one that was not named is kept"
dvm --alias web --rw "$tmp/r" -- sh -c "echo new >>$tmp/r/below/file"
is $st 0 "from ro to rw: granted again"
is "$(vmrunctl alias show web | grep -c "$tmp/r\$")" 1 "and listed once"
dvm --alias web --ro "$tmp/r" -- true
getfacl -Rn "$tmp/r" 2>/dev/null >"$tmp/acl"
hasnt "$tmp/acl" "user:$u:.w" "from rw to ro: the write entries are gone"
has "$tmp/acl" "user:$u:r" "and the others are there"
mkdir "$tmp/m"
dvm --alias web --ro "$tmp/m" -- true
rmdir "$tmp/m"; mkdir "$tmp/m"; echo n >"$tmp/m/file"; chmod 600 "$tmp/m/file"
dvm --alias web --ro "$tmp/m" -- cat "$tmp/m/file"
is $st 0 "another directory of the same name is not taken for the old one"

# One VM at a time.
mkfifo "$tmp/go"
VMRUN_LIBEXECDIR=$tmp/libexec vmrun -q --alias web --rw "$tmp/d" -- \
	sh -c "echo up; read x" <"$tmp/go" >"$tmp/up" 2>&1 &
pid=$!
exec 7>"$tmp/go"
wait_for 60 grep -q up "$tmp/up"
ok $? "a VM of the alias runs"
dvm --alias web -- true
is $st 125 "a second one is refused"
has "$tmp/err" 'alias web is running already, as VM' "with the reason"
has "$tmp/err" 'vmrunctl exec web' "and what to do instead"
vmrunctl alias forget web 2>"$tmp/err"
is $? 125 "it cannot be forgotten now"
vmrunctl ps >"$tmp/out"
has "$tmp/out" ' web ' "ps shows the alias"
vmrunctl alias rename web net
is $? 0 "but renamed"
echo >&7
exec 7>&-
wait $pid
is $? 0 "the VM ends well"
vmrunctl alias rename net web

dvm --alias other --rw "$tmp/d" -- true
is $st 0 "a second alias for the same directory"
[ "$(uid other)" != "$u" ]
ok $? "with another UID"
vmrunctl alias rename other web 2>"$tmp/err"
is $? 125 "it cannot get a name that is taken"
vmrunctl alias forget other 2>"$tmp/err"
is $? 0 "it is forgotten"
getfacl -Rn "$tmp/d" 2>/dev/null >"$tmp/acl"
has "$tmp/acl" "user:$u:rw" "the first one's entries are untouched"

# A first start that is killed half-way is undone, not kept.
mkdir "$tmp/k"; echo k >"$tmp/k/file"; chmod 600 "$tmp/k/file"
facl "$tmp/k" >"$tmp/k.before"
so=$top_builddir/tests/fault/killsync.so
if [ -e "$so" ] && ! ldd "$top_builddir/vmrun" | grep -q libasan; then
	n=1
	while :; do
		VMRUN_LIBEXECDIR=$tmp/libexec KILLSYNC=$n LD_PRELOAD=$so \
			vmrun -q --alias kill --rw "$tmp/k" -- true \
			</dev/null >/dev/null 2>&1
		[ $? = 137 ] || break
		dvm -- true
		vmrunctl alias show kill >"$tmp/out" 2>/dev/null
		facl "$tmp/k" >"$tmp/now"
		if grep -q "$tmp/k" "$tmp/out"; then
			getfacl -n "$tmp/k/file" 2>/dev/null | grep -q "user:$(uid kill):rw"
			ok $? "killed at step $n: granted, and whole"
			vmrunctl alias forget kill
		else
			cmp "$tmp/k.before" "$tmp/now" >&2
			ok $? "killed at step $n: not granted, and as before"
		fi
		n=$((n + 1))
	done
	[ $n -gt 3 ]
	ok $? "killed at each of $((n - 1)) durable steps"
	vmrunctl alias forget kill
fi

vmrunctl alias forget web 2>"$tmp/err"
is $? 0 "the alias is forgotten"
printf 'x\n' >"$tmp/d/file"; printf 'z\n' >"$tmp/r/below/file"; printf 'n\n' >"$tmp/n/file"
facl "$tmp/d" "$tmp/r" "$tmp/n" >"$tmp/after"
diff "$tmp/before" "$tmp/after" >"$tmp/err"
ok $? "modes, owners and ACLs are as before"
is "$(vmrunctl alias list)" "" "nothing is listed"
dvm --alias web -- true
[ "$(uid web)" != "$u" ]
ok $? "a new alias of that name has a new UID"
vmrunctl alias forget web
plan_done
