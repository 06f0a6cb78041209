#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What a VM left on two file systems that were not mounted when it was cleaned up
# after: `gc --deep` finds and cleans it on both.
#
# Run by root, with VMRUN_USER=NAME; see asroot.sh.
what="two file systems"
first_uid=18000
. "${top_srcdir:?}/tests/fault/asroot.sh"
cleanup() { umount -l "$tree/a" "$tree/b" 2>/dev/null; rm -rf "$top"; }

mkdir "$tree/a" "$tree/b"
mount_both() {
	mount -o loop "$top/a" "$tree/a" && mount -o loop "$top/b" "$tree/b"
}
for i in a b; do
	truncate -s 16M "$top/$i"
	mkfs.ext4 -q "$top/$i" 2>/dev/null || exit 99
done
mount_both || bail "no loop mounts here"
for i in a b; do
	install -d -o "$VMRUN_USER" "$tree/$i/d"
	echo x >"$tree/$i/d/file"
	chmod 600 "$tree/$i/d/file"
	chown "$VMRUN_USER" "$tree/$i/d/file"
done
tries() { # tries COMMAND... : until it succeeds, for a minute
	left=300
	until "$@" >"$top/said" 2>&1; do
		[ $((left -= 1)) -gt 0 ] || return 1
		sleep 0.2
	done
}

user vmrun -q --rw "$tree/a/d" --rw "$tree/b/d" -- sh -c \
	"umask 077; touch $tree/a/d/made $tree/b/d/made; echo up; sleep 1000" >"$top/out" 2>"$top/err" &
tries grep -q up "$top/out"
ok $? "a VM with a directory on each"
pkill -KILL -u "$VMRUN_USER" -f "vmrun -q --rw $tree/a/d"
wait
tries umount "$tree/a" && tries umount "$tree/b"
ok $? "they are unmounted after its vmrun was killed"
user vmrunctl gc >"$top/out" 2>"$top/err"
ok $? "gc has nothing to clean there"
mount_both
user vmrunctl gc --deep >"$top/out" 2>"$top/err"
ok $? "a deep one has when they are back"
grep -q "cleaned 2 files and [1-9][0-9]* ACL entries of UID .* and elsewhere" "$top/out"
ok $? "on both, as it says"
left=$(find "$tree" ! -user "$VMRUN_USER" ! -user root | wc -l)
[ "$left" = 0 ]
ok $? "each file is given back"
! getfacl -Rn "$tree/a" "$tree/b" 2>/dev/null | grep -q 'user:[0-9]'
ok $? "and no entry is left"
[ $failed = 0 ] || sed 's/^/# /' "$top/out" "$top/err"
plan_done
