#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# An alias in real VMs: the second start has UID, grants and files of the first.
. "${top_srcdir:?}/tests/vm/lib.sh"

mkdir "$tmp/d" && echo x >"$tmp/d/file" && chmod 600 "$tmp/d/file"
facl "$tmp/d" >"$tmp/before"
a=vmtest$$
vm -n $a --rw "$tmp/d" -- sh -c "id -u; hostname; cat $tmp/d/file; echo one >$tmp/d/made; umask 077; echo s >$tmp/d/secret"
is $st 0 "a first start"
u=$(sed -n 1p "$tmp/out")
is "$(sed -n 2p "$tmp/out")" $a "the alias is the host's name"
is "$(stat -c %u "$tmp/d/made" "$tmp/d/secret" | sort -u)" "$(id -u)" "files are mine afterwards"
find "$tmp/d" -printf '%p %C@\n' | sort >"$tmp/then"
vm -n $a --rw "$tmp/d" -- sh -c "id -u; cat $tmp/d/file $tmp/d/made"
is $st 0 "a second start reads all of it"
is "$(sed -n 1p "$tmp/out")" "$u" "with the same UID"
find "$tmp/d" -printf '%p %C@\n' | sort >"$tmp/now"
cmp "$tmp/then" "$tmp/now" >&2
ok $? "and changes no inode"
rm -f "$tmp/d/made" "$tmp/d/secret"
vmrunctl alias forget $a 2>"$tmp/err"
is $? 0 "the alias is forgotten"
facl "$tmp/d" >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "modes, owners and ACLs are as before"
plan_done
