#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Memory that the application has freed goes back to the host.
. "${top_srcdir:?}/tests/vm/lib.sh"

mkfifo "$tmp/in"
vmrun -q --mem 512M --json-status-fd 3 -- python3 -uc '
import mmap, sys
print("up", flush=True)
sys.stdin.readline()
m = mmap.mmap(-1, 200 << 20)
for at in range(0, len(m), mmap.PAGESIZE):
    m[at] = 1
print("touched", flush=True)
sys.stdin.readline()
m.close()
print("freed", flush=True)
sys.stdin.readline()' <"$tmp/in" >"$tmp/out" 2>"$tmp/err" 3>"$tmp/json" &
pid=$!
exec 8>"$tmp/in"
said() { grep -q "$1" "$tmp/out" || ! kill -0 $pid; }
# Guest memory that the host holds for QEMU, in MiB.
held() { awk '/^RssShmem:/ { print int($2 / 1024) }' "/proc/$qemu/status"; }
less_than() { [ "$(held)" -lt "$1" ]; }

wait_for 120 said up
ok $? "a VM runs"
qemu=$(pgrep -U "$(sed -n 's/.*"uid":\([0-9]*\).*/\1/p' "$tmp/json" | head -n 1)" qemu)
before=$(held)
echo >&8
wait_for 120 said touched
touched=$(held)
echo "# $before MiB before, $touched with 200 MiB in use"
[ "$touched" -ge $((before + 150)) ]
ok $? "the host gives memory when the application touches it"
echo >&8
wait_for 120 said freed
wait_for 120 less_than $((touched - 150))
ok $? "and has it back when the application has freed it"
echo "# $(held) MiB after"
exec 8>&-
wait $pid
vmrun -m 512M -- tail /dev/zero >"$tmp/out" 2>"$tmp/err" </dev/null
is $? 137 "a command that takes all memory of the machine is killed"
has "$tmp/err" 'ran out of memory' "and the reason is said"
plan_done
