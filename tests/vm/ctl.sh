#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# vmrunctl on a running VM: ps, exec, logs, console, stop, kill; readiness.
. "${top_srcdir:?}/tests/vm/lib.sh"

mkfifo "$tmp/notify"
vmrun -q --ready-fd 4 --json-status-fd 3 -- sh -c '
	trap "exit 9" TERM
	echo up
	while [ ! -e /tmp/ready ]; do sleep 0.2; done
	python3 -c "
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b\"READY=1\\n\", os.environ[\"NOTIFY_SOCKET\"])"
	sleep 1000 & wait' </dev/null >"$tmp/out" 2>"$tmp/err" 3>"$tmp/json" 4>"$tmp/ready" &
pid=$!
wait_for 120 grep -q up "$tmp/out"
ok $? "a VM runs"
vmrunctl ps >"$tmp/ps"
id=$(awk '$NF ~ /wait/ || /sh -c/ { print $1 }' "$tmp/ps" | head -n 1)
has "$tmp/ps" ' no ' "ps shows it, not ready"
vmrunctl ps --json | python3 -c 'import json,sys; v=json.load(sys.stdin); assert len(v)==1 and v[0]["ready"] is False'
ok $? "ps --json"
printf 'in' | vmrunctl exec "$id" -- sh -c 'cat; echo err >&2; touch /tmp/ready; exit 33' \
	>"$tmp/xout" 2>"$tmp/xerr"
is $? 33 "exec: the command's own status"
is "$(cat "$tmp/xout")" in "exec: its own streams"
has "$tmp/xerr" '^err$' "exec: standard error apart"
vmrunctl exec "$id" -- no-such-command 2>"$tmp/xerr"
is $? 127 "exec: 127"
vmrunctl exec sh -- sh -c 'kill -TERM $$' 2>"$tmp/xerr"
is $? 143 "exec by the command's name; 128+n"
vmrunctl exec 99999 -- true 2>"$tmp/xerr"
is $? 125 "exec: no such VM"
wait_for 30 test -s "$tmp/ready"
is "$(od -An -c "$tmp/ready" | tr -d ' ')" '\n' "READY=1 in the guest is a newline on --ready-fd"
has "$tmp/json" '"ready":true' "and in the JSON status"
vmrunctl ps >"$tmp/ps"
has "$tmp/ps" ' yes ' "and ps shows it"
vmrunctl logs "$id" >"$tmp/logs"
ok $? "logs"
vmrunctl stop "$id"
ok $? "stop"
wait $pid
is $? 9 "the application got SIGTERM and ended by itself"
is "$(vmrunctl ps | wc -l)" 1 "it is not listed any more"
rm -f "$tmp/out"
vmrun -q --json-status-fd 3 -- sh -c 'echo up; sleep 1000' >"$tmp/out" 2>"$tmp/err" 3>"$tmp/json" </dev/null &
pid=$!
wait_for 120 grep -q up "$tmp/out"
vmrunctl kill sleep 2>"$tmp/xerr"
is $? 125 "kill: no VM of that name"
vmrunctl kill sh
wait $pid
is $? 137 "kill ends it at once"
has "$tmp/json" '"reason":"killed"' "and the JSON status says so"
# Ready by a newline on a descriptor, as s6 does; told to a parent's socket
python3 - "$tmp/n.sock" "$tmp/got" <<'P' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(120)
open(sys.argv[2], "wb").write(s.recv(100))
P
wait_for 10 test -S "$tmp/n.sock"
NOTIFY_SOCKET=$tmp/n.sock vmrun -q --notify-fd 5 -- sh -c 'echo >&5; sleep 1' </dev/null >"$tmp/out" 2>"$tmp/err"
is $? 0 "a service that writes a newline to descriptor 5"
wait_for 10 test -s "$tmp/got"
is "$(cat "$tmp/got")" "READY=1" "READY=1 reaches vmrun's own NOTIFY_SOCKET"
plan_done
