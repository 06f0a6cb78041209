#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Power cuts: the file system of the tree loses all that was not synced, at a
# random system call of vmrun; the database is on another one.  Afterwards gc
# puts the tree back, and nothing is left behind.
#
# Run by root, with VMRUN_USER=NAME; see asroot.sh.  VMRUN_CYCLES (12) for each
# of ext4 and xfs; VMRUN_SEED repeats a run.
what="power cuts"
first_uid=12000
. "${top_srcdir:?}/tests/fault/asroot.sh"
. "${top_srcdir:?}/tests/fault/given.sh"
command -v mkfs.xfs >/dev/null || bail "no mkfs.xfs"
cycles=${VMRUN_CYCLES-12}
[ -z "${VMRUN_LONG-}" ] || cycles=${VMRUN_CYCLES-500}

cut() { # all that is not on the disk is lost; FS_IOC_SHUTDOWN without a flush
	python3 - "$tree" <<'END'
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack("I", 2))
END
}
random() { # random N: 1..N, in $k
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	k=$((seed / 65536 % $1 + 1))
}
state_of() { "$top/bin/oracle" "$tree/d" 2>&1; "$top/bin/oracle" "$tree/r" 2>&1; }
# As long as a process of the VM has the mount in its namespace, mounting again
# would give the same dead file system; its loop device tells.
wait_unmounted() {
	left=400
	while umount "$tree" 2>/dev/null ||
		[ -n "$(losetup -j "$top/image")" ]; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 0.05
	done
}

seed=${VMRUN_SEED-$(date +%s)}
echo "# VMRUN_SEED=$seed"
for fs in ext4 xfs; do
	truncate -s 320M "$top/image"
	"mkfs.$fs" -q "$top/image" || exit 99
	mount -o loop "$top/image" "$tree" || bail "no loop mounts here"
	mkdir "$tree/d" "$tree/d/sub" "$tree/r"
	for i in 1 2 3 4 5 6 7 8 9; do
		echo $i >"$tree/d/sub/$i"; echo $i >"$tree/r/$i"
	done
	chmod 600 "$tree/d/sub"/* "$tree/r/1"; chmod 700 "$tree/d/sub"
	chown -R "$VMRUN_USER:$(id -g "$VMRUN_USER")" "$tree/d" "$tree/r"
	sync -f "$tree"
	state_of >"$top/before"
	user kill-at 0 "$top/home/calls" vmrun -q --rw "$tree/d" --ro "$tree/r" -- true
	n=$(cat "$top/home/calls")
	state_of >"$top/after"
	cmp "$top/before" "$top/after" && [ "$n" -gt 100 ]
	ok $? "$fs: a run of $n system calls"
	i=0 bad=0 cuts=0 orphans=0
	while [ $i -lt "$cycles" ]; do
		i=$((i + 1))
		# Some end by themselves.  Of every second one the grants are on
		# the disk before they are taken back.
		random $((n + n / 8))
		flush=:
		[ $((i % 2)) = 0 ] || flush="sync -f $tree/d"
		user kill-at "$k" "$top/home/calls" vmrun -q --rw "$tree/d" \
			--ro "$tree/r" -- sh -c "echo new >$tree/d/new; $flush" \
			>"$top/out" 2>&1
		cut
		wait_unmounted && mount -o loop "$top/image" "$tree" || exit 99
		state_of >"$top/lost"
		cmp -s "$top/before" "$top/lost" || cuts=$((cuts + 1))
		user vmrunctl gc >"$top/out" 2>&1 || bad=$((bad + 1))
		take_made "$tree/d/new" >>"$top/out"
		took=$?
		state_of >"$top/after"
		if [ $took != 0 ] || ! cmp -s "$top/before" "$top/after"; then
			orphans=$((orphans + 1))
			echo "# $fs: cut at call $k"
			diff "$top/before" "$top/after" | head -n 4 | sed 's/^/# /'
			sed 's/^/# gc: /' "$top/out"
		fi
	done
	echo "# $fs: $i cuts, $cuts of them left something on the disk"
	echo "# $given times there was a file that a VM had made"
	[ $orphans = 0 ]
	ok $? "$fs: after $i power cuts gc puts everything back"
	[ $bad = 0 ]
	ok $? "$fs: and says that all is clean"
	wait_unmounted
	rm "$top/image"
done
plan_done
