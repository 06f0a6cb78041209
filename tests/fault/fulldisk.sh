#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A full disk: under what is shared, under the state folder, and getting full
# while a VM runs.  It is said, with what to do; nothing is done by half; and
# once there is room again, gc finishes what could not be done.
#
# Run by root, with VMRUN_USER=NAME; see asroot.sh.
what="full disks"
first_uid=14000
. "${top_srcdir:?}/tests/fault/asroot.sh"

# Inodes of 128 bytes have no room for ACLs: each different one is a block.
truncate -s 64M "$top/image"
mkfs.ext4 -q -m 0 -I 128 -b 1024 "$top/image" 2>/dev/null || exit 99
mount -o loop "$top/image" "$tree" || bail "no loop mounts here"
install -d -o "$VMRUN_USER" "$top/home/d" "$tree/d" "$tree/d/sub" "$tree/state" "$tree/r"
for i in 1 2 3 4 5 6; do
	echo $i >"$tree/d/sub/$i"
	chmod 6${i}0 "$tree/d/sub/$i"
done
echo r >"$tree/r/1"
chmod 600 "$tree/r/1"
chown -R "$VMRUN_USER" "$tree"/*
state_of() { "$top/bin/oracle" "$tree/d"; "$top/bin/oracle" "$tree/r"; }
as_before() { state_of >"$top/after"; cmp "$top/before" "$top/after"; }
fill() { # fill [BLOCKS]: all but so many
	[ -f "$tree/fill" ] || dd if=/dev/zero of="$tree/fill" bs=64k 2>/dev/null
	sync -f "$tree"
	dd if=/dev/zero of="$tree/fill" bs=1k oflag=append conv=notrunc 2>/dev/null
	[ "${1-0}" = 0 ] || truncate -s "-$(($1 * 1024))" "$tree/fill"
	sync -f "$tree"
}
room() { rm -f "$tree/fill"; sync -f "$tree"; }
run() { # run OPTIONS... : status in $st, messages in $top/err
	user vmrun -q "$@" >"$top/out" 2>"$top/err"
	st=$?
}
says() { # says PATTERN DESCRIPTION
	grep -q -e "$1" "$top/err"
	r=$?
	ok $r "$2"
	[ $r = 0 ] || sed 's/^/# stderr: /' "$top/err"
}
state_of >"$top/before"

# Under what is shared.  With every number of free blocks all or nothing.
blocks=0 refused=0 half=0 st=1
while [ $st != 0 ] && [ $blocks -lt 40 ]; do
	fill $blocks
	run --rw "$tree/d" --ro "$tree/r" -- sh -c "cat $tree/d/sub/1 $tree/r/1"
	if [ $st = 125 ]; then
		refused=$((refused + 1))
		cp "$top/err" "$top/refused"
	elif [ $st != 0 ]; then
		echo "# $blocks blocks: status $st"
	fi
	as_before || half=$((half + 1))
	[ -s "$top/err" ] && sed "s/^/# $blocks blocks: /" "$top/err"
	rm -f "$tree/fill"
	blocks=$((blocks + 1))
done
echo "# $blocks tries, $refused refused"
[ $st = 0 ] && [ $refused -gt 1 ] && [ $refused = $((blocks - 1)) ]
ok $? "a share on a full disk is refused until there is room for all of it"
[ $half = 0 ]
ok $? "each time modes and ACLs are as before"
cp "$top/refused" "$top/err"
says "$tree/[dr].*No space left" "it is said of which"
says 'hint:.*make room' "and what to do"
user vmrunctl gc >"$top/out" 2>&1
ok $? "gc has nothing to do"

# Under the state folder, from the first start on.
with_state() { run_state=$1; shift; user env XDG_STATE_HOME="$run_state" "$@" >"$top/out" 2>"$top/err"; st=$?; }
fill
with_state "$tree/state" vmrun -q --rw "$tree/d" -- true
[ $st = 125 ]
ok $? "the state folder is on a full disk: 125"
says 'full\|No space left' "which is said"
says 'hint:.*room' "with what to do"
room
as_before
ok $? "nothing was granted"
with_state "$tree/state" vmrun -q --rw "$tree/d" -- true
[ $st = 0 ]
ok $? "it works once there is room"
fill
with_state "$tree/state" vmrun -q --rw "$top/home/d" -- true
echo "# status $st"
sed 's/^/# stderr: /' "$top/err"
[ $st = 0 ] || { [ $st = 125 ] && grep -qi 'no space left' "$top/err"; }
ok $? "a database that cannot grow: it works without, or is refused"
room
with_state "$tree/state" vmrunctl gc
[ $st = 0 ] && [ -z "$(getfacl -scp "$top/home/d")" ]
ok $? "and nothing stays granted"

# Full while it runs: by the command, which fills the state's disk with it.
with_state "$tree/state" vmrun -q --rw "$tree/d" -- sh -c \
	"cat /dev/zero >$tree/d/new 2>/dev/null; cat /dev/zero >$tree/d/new2 2>/dev/null; exit 7"
echo "# status $st"
sed 's/^/# stderr: /' "$top/err"
[ $st = 7 ]
ok $? "the command fills the disk: its own status"
[ "$(stat -c %U "$tree/d/new")" = "$VMRUN_USER" ] || cp "$top/err" "$top/later"
rm -f "$tree/d/new" "$tree/d/new2"
with_state "$tree/state" vmrunctl gc
sed 's/^/# gc: /' "$top/out"
[ $st = 0 ]
ok $? "gc says that all is clean once there is room"
as_before
ok $? "and it is"
with_state "$tree/state" vmrunctl grants
ok $st "the database agrees"

# Scratch space is promised, not set aside: the guest's writes fail, and it
# does not stand still.  With a real guest.
fill
truncate -s -20M "$tree/fill"
with_state "$tree/state" env VMRUN_LIBEXECDIR="$top_builddir" timeout 900 \
	vmrun -q --tmp /x:64M -- \
	sh -c 'dd if=/dev/zero of=/x/f bs=1M count=50 conv=fsync 2>&1; echo "dd: $?"'
sed 's/^/# /' "$top/out"
[ $st = 0 ] && grep -q 'Input/output error' "$top/out" && grep -q '^dd: 1' "$top/out"
r=$?
ok $r "the disk below --tmp is full: an error for who writes there"
[ $r = 0 ] || sed 's/^/# stderr: /' "$top/err"
room
plan_done
