#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A person works in a tree while grants are in force: afterwards it is as the
# same tree with the same work without vmrun.  See edits.c.
#
# VMRUN_TREES (300; 10,000 with VMRUN_LONG=1, as in `make check-long`) trees with
# grants by the library, in memory; some more on the disk, and some with vmrun.
# VMRUN_SEED repeats them.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"

edits=$top_builddir/tests/sys/edits
trees=${VMRUN_TREES-300}
[ -z "${VMRUN_LONG-}" ] || trees=${VMRUN_TREES-10000}
seed=${VMRUN_SEED-$(date +%s)}
echo "# VMRUN_SEED=$seed"
takes_acls() { setfacl -m u:3000:r "$1" 2>/dev/null && setfacl -b "$1"; }
takes_acls "$tmp" || bail "no ACLs in $tmp"

# A file system in memory takes a third of the time.
fast=$(mktemp -d /dev/shm/vmrun-edits.XXXXXX 2>/dev/null) && takes_acls "$fast" ||
	fast=$tmp
trap 'rm -rf "$tmp" "$fast"' EXIT
cd "$fast" || exit 99
"$edits" -n "$trees" -s "$seed"
ok $? "$trees trees: as without vmrun"

mkdir "$tmp/w" && cd "$tmp/w" || exit 99
some=$((trees / 10)) runs=$((trees / 150))
"$edits" -n $some -s "$((seed + trees))"
ok $? "$some on the disk: the same"
VMRUN_LIBEXECDIR=$tmp/libexec
"$edits" -n $runs -s "$seed" vmrun -q 2>"$tmp/err"
ok $? "$runs runs of vmrun --rw: the same"
"$edits" -n $runs -s "$((seed + runs))" -r vmrun -q 2>"$tmp/err"
ok $? "$runs runs of vmrun --ro: the same"
plan_done
