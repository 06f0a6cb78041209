#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# VMs that end badly: said so, named, and nothing left behind.
. "${top_srcdir:?}/tests/vm/lib.sh"

mkdir "$tmp/d" && echo x >"$tmp/d/file" && chmod 600 "$tmp/d/file"
facl "$tmp/d" >"$tmp/before"
vm --append rdinit=/nonexistent -- true
is $st 255 "255 when the guest panics at boot"
has "$tmp/err" 'guest console: .*[Pp]anic' "the guest's console is quoted"

vm --timeout 12s -- sleep 1000
is $st 143 "--timeout ends the application"
vm --timeout 12s -- sh -c 'trap "" TERM; while :; do sleep 1; done'
is $st 143 "also one that ignores SIGTERM"

start() { # a VM that waits; $pid is vmrun, $u its UID
	rm -f "$tmp/out" "$tmp/json" # of the one before
	vmrun -q --rw "$tmp/d" --json-status-fd 3 -- \
		sh -c 'trap "exit 7" TERM; echo up; sleep 1000 & wait' \
		>"$tmp/out" 2>"$tmp/err" 3>"$tmp/json" </dev/null &
	pid=$!
	wait_for 120 grep -q up "$tmp/out"
	u=$(sed -n 's/.*"uid":\([0-9]*\).*/\1/p' "$tmp/json" | head -n 1)
}
of_uid() {
	for p in /proc/[0-9]*; do
		[ "$(awk '/^Uid:/ { print $2 }' "$p/status" 2>/dev/null)" = "$u" ] && echo "${p#/proc/}"
	done
}
# U's processes are not the person's to signal; but he owns the sandbox's user
# namespace, and may become U in it.
kill_one() { # $1: name of the program
	stage=$(pgrep -P "$pid" vmrun-stage)
	for p in $(of_uid); do
		case $(cat "/proc/$p/comm" 2>/dev/null) in
		"$1"*) nsenter -t "$stage" -U -S "$u" -G "$u" kill -9 "$p" ;;
		esac
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

start
kill -TERM $pid
wait $pid
is $? 7 "SIGTERM goes to the application, whose status counts"

start
kill -9 $pid
wait $pid 2>/dev/null
wait_for 10 sh -c "! pgrep -U $u"
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
