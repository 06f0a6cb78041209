#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# VMs that end badly: said so, named, and nothing left behind.
. "${top_srcdir:?}/tests/vm/lib.sh"

mkdir "$tmp/d" && echo x >"$tmp/d/file" && chmod 600 "$tmp/d/file"
facl "$tmp/d" >"$tmp/before"
vm --append rdinit=/nonexistent -- true
is $st 255 "255 when the guest panics at boot"
has "$tmp/err" 'guest console: .*[Pp]anic' "the guest's console is quoted"

vm --timeout 12s --json-status-fd 3 -- sleep 1000 3>"$tmp/json"
is $st 143 "--timeout ends the application"
has "$tmp/json" '"exit-code":143,"reason":"timeout"' "also in the JSON status"
vmrun --timeout 10ms -- true >"$tmp/out" 2>"$tmp/err" </dev/null
is $? 143 "or the machine before it"
has "$tmp/err" 'had not started yet' "which is said"
vm --timeout 12s -- sh -c 'trap "" TERM; while :; do sleep 1; done'
is $st 143 "also one that ignores SIGTERM"

start() { # a VM that waits; $pid is vmrun, $u its UID
	rm -f "$tmp/out" "$tmp/json" # of the one before
	vmrun -q --rw "$tmp/d" --json-status-fd 3 -- \
		sh -c 'trap "exit 7" TERM; echo up; sleep 1000 & wait' \
		>"$tmp/out" 2>"$tmp/err" 3>"$tmp/json" </dev/null &
	pid=$!
	wait_for 600 grep -q up "$tmp/out"
	u=$(sed -n 's/.*"uid":\([0-9]*\).*/\1/p' "$tmp/json" | head -n 1)
}
of_uid() {
	for p in /proc/[0-9]*; do
		[ "$(awk '/^Uid:/ { print $2 }' "$p/status" 2>/dev/null)" = "$u" ] && echo "${p#/proc/}"
	done
}
# U's processes are not the person's to signal; but he owns the sandbox's user
# namespace, and may become U in it.
kill_one() { # $1: name of the program; $2: signal, or KILL
	stage=$(pgrep -P "$pid" vmrun-stage)
	for p in $(pgrep -U "$u" "^$1"); do
		nsenter -t "$stage" -U -S "$u" -G "$u" kill "-${2-KILL}" "$p"
	done
}
for h in qemu virtiofsd vmrun-mux; do
	start
	kill_one $h
	wait $pid
	is $? 255 "255 when $h is killed"
	has "$tmp/err" "${h#vmrun-}" "and it is named"
	has "$tmp/json" '"reason":"gone"' "also in the JSON status"
	is "$(of_uid)" "" "no process of its UID is left"
done
facl "$tmp/d" >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "modes and ACLs are as before each time"

# Orderly, and with output that nobody has read: that is not lost.
mkfifo "$tmp/fifo"
vmrun -q --json-status-fd 3 -- python3 -c '
import array, fcntl, os, termios, time
os.write(1, bytes(400000))
left = array.array("i", [1])
while left[0]:
    fcntl.ioctl(1, termios.FIONREAD, left)
os.write(2, b"up\n")
time.sleep(1000)' >"$tmp/fifo" 2>"$tmp/err" 3>"$tmp/json" </dev/null &
pid=$!
exec 5<"$tmp/fifo"
wait_for 600 grep -q up "$tmp/err"
u=$(sed -n 's/.*"uid":\([0-9]*\).*/\1/p' "$tmp/json" | head -n 1)
for h in qemu virtiofsd vmrun-mux; do
	kill_one $h TERM
	kill_one $h HUP
done
sleep 1
is "$(pgrep -c -U "$u" 'qemu|virtiofsd|vmrun-mux')" 3 "SIGTERM and SIGHUP of who ends a whole unit or session end no member"
kill_one qemu INT
wait_for 60 sh -c "! pgrep -U $u qemu"
sleep 3
is "$(wc -c <&5)" 400000 "what the application wrote before QEMU's end is written"
exec 5<&-
wait $pid
is $? 255 "255 when QEMU ends by itself"

start
kill -TERM $pid
wait $pid
is $? 7 "SIGTERM goes to the application, whose status counts"

start
kill -9 $pid
wait $pid 2>/dev/null
wait_for 100 sh -c "! pgrep -U $u"
is "$(of_uid)" "" "kill -9 of vmrun takes the whole VM with it"
getfacl -n "$tmp/d" 2>/dev/null >"$tmp/acl"
has "$tmp/acl" "user:$u:rwx" "(its grant is still there)"
vm -- true
is $st 0 "the next start works"
facl "$tmp/d" >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "and has cleaned up"
is "$(vmrunctl ps | wc -l)" 1 "no VM is left in the list"
plan_done
