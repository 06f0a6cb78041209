#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What a guest leaves for others by modes and ACLs is swept when its files are
# given back; what they had before is not.  No VM is needed: U does it.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"

# Another id of the person's, as another VM of his would have it.
other=$(awk -F: -v u="$(id -un)" '$1 == u { print $2 + 60000; exit }' /etc/subuid)
bob=$(id -u nobody)
s=$tmp/s
mkdir "$s" "$s/his" "$s/bobs"
# The person's own: what is made in there inherits it.  The guest cannot express
# bob's, and so cannot write an ACL that names him.
setfacl -m "d:u:$other:r--" "$s/his"
setfacl -m "d:u:$bob:r-x" "$s/bobs"
getfacl -np "$s/his" "$s/bobs" >"$tmp/before"
plant() { # plant DIRECTORY: as U
	cat <<P
cd "$1" && umask 022
echo x >file && setfacl -m "u:$other:rwx,g:$other:rwx" file
mkdir dir && setfacl -m "d:u:$other:rwx,d:g:$other:rwx,d:o::rwx" dir
mkdir dir/sub && echo x >dir/sub/file
cp /bin/true suid && chmod 6755 suid; mkdir sdir && chmod 2777 sdir
echo x >plain && echo x >narrow && chmod 600 narrow
getfacl -nc file | grep -c "$other"
P
}
swept() { # swept DIRECTORY TEXT
	getfacl -Rnp "$1" 2>/dev/null >"$tmp/acls"
	hasnt "$tmp/acls" "^\(default:\)*group:$other" "$2: no other group has an entry"
	hasnt "$tmp/acls" "^\(default:\)*user:$other:.w" "$2: nor may another id write"
	is "$(getfacl -cnp "$1/dir" 2>/dev/null | grep -c '^default:other::.*[w]')" 0 \
		"$2: no default ACL opens what comes later"
	is "$(find "$1" -perm /6000)" "" "$2: no set-user-ID bit is left"
	is "$(find "$1" ! -uid "$(id -u)" -o ! -gid "$(id -g)")" "" "$2: all is the person's"
}

dvm --rw "$s" -- sh -c "$(plant "$s")"
is "$(cat "$tmp/out")" 2 "U could plant entries"
swept "$s" "a new directory"
is "$(getfacl -Rncp "$s/dir" "$s/file" | grep -E 'user:[0-9]|group:[0-9]|mask|default')" "" \
	"nothing at all is left of them"
getfacl -np "$s/his" "$s/bobs" | cmp - "$tmp/before" >&2
ok $? "the person's own directories are as they were"

dvm --rw "$s/his" -- sh -c "$(plant "$s/his")"
swept "$s/his" "below a default ACL of the person's"
is "$(getfacl -cnp "$s/his/plain" | grep -c "^user:$other:r--$")" 1 \
	"what he gave is there, in what the guest made"
is "$(getfacl -cnp "$s/his/narrow" | grep -c "^user:$other:r--.*effective:---")" 1 \
	"within the modes that it chose"
is "$(getfacl -cnp "$s/his/dir" | grep -c "^default:user:$other:r--$")" 1 "and for later"

# An alias goes on: it keeps what it had, and the others do not.
dvm --alias planter --rw "$s" -- sh -c "rm -rf $s/dir $s/file; $(plant "$s")
	cd $s/bobs && echo x >file && mkdir -m 700 dir && echo x >dir/file"
is $st 0 "an alias"
is "$(getfacl -cnp "$s/bobs/file" | grep -c "^user:$bob:r-x")" 1 \
	"an entry that the guest cannot express stays"
swept "$s" "an alias"
uid=$(vmrunctl alias list --json | sed -n 's/.*"uid": *\([0-9]*\).*/\1/p' | head -n 1)
is "$(getfacl -cnp "$s/file" | grep -c "^user:$uid:rw")" 1 "it may still use its own"
VMRUN_LIBEXECDIR=$tmp/libexec vmrunctl alias forget planter >&2
ok $? "and is forgotten"
is "$(getfacl -Rnp "$s" 2>/dev/null | grep -c "user:$uid")" 0 "with all its entries"
plan_done
