#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# vmrunctl on a running VM: ps, exec, logs, console, stop, kill; readiness.
. "${top_srcdir:?}/tests/vm/lib.sh"

# For the crowd below, which is to meet no other test's VM.
mkdir -m 700 "$tmp/run"
XDG_RUNTIME_DIR=$tmp/run
export XDG_RUNTIME_DIR
mkfifo "$tmp/notify"
vmrun -q --ready-fd 4 --json-status-fd 3 --append loglevel=7 -- sh -c '
	trap "exit 9" TERM
	echo up
	while [ ! -e /tmp/ready ]; do sleep 0.2; done
	python3 -c "
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b\"READY=1\\n\", os.environ[\"NOTIFY_SOCKET\"])"
	sleep 1000 & wait' </dev/null >"$tmp/out" 2>"$tmp/err" 3>"$tmp/json" 4>"$tmp/ready" &
pid=$!
wait_for 600 grep -q up "$tmp/out"
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
vmrunctl exec "$id" -- sh -c 'cd /tmp && echo "echo \$# \$1" >script &&
	printf "\0\n" >code && chmod +x script code'
is "$(vmrunctl exec "$id" -- /tmp/script 'a b' c)" '2 a b' \
	"exec: a script that names no interpreter is run by sh"
vmrunctl exec "$id" -- /tmp/code 2>"$tmp/xerr"
is $? 126 "exec: 126 for code that is nobody's"
has "$tmp/xerr" 'Exec format error' "with the reason"
vmrunctl exec "$id" -- sh -c 'exit 125' 2>"$tmp/xerr"
is "$? $(cat "$tmp/xerr")" "125 " "exec: a status of 125 is the command's own"
vmrunctl exec "$id" -- 2>"$tmp/xerr"
is $? 125 "exec without a command"
has "$tmp/xerr" 'a VM and a command are needed' "and that is said"
vmrunctl exec sh -- sh -c 'kill -TERM $$' 2>"$tmp/xerr"
is $? 143 "exec by the command's name; 128+n"
for word in "" =x; do
	vmrunctl exec -e "$word" "$id" -- true 2>"$tmp/xerr"
	is $? 125 "exec: \"$word\" is no variable"
	has "$tmp/xerr" 'is not NAME=VALUE or NAME' "and that is said"
done
vmrunctl exec "$id" -- echo lost >/dev/full 2>"$tmp/xerr"
is "$?:$(head -n 1 "$tmp/xerr")" \
	"125:vmrunctl: cannot write standard output: No space left on device" \
	"exec: lost output is an error"
vmrunctl exec 99999 -- true 2>"$tmp/xerr"
is $? 125 "exec: no such VM"
mkdir -m 700 "$tmp/other"
XDG_RUNTIME_DIR=$tmp/other vmrunctl logs "$id" 2>"$tmp/xerr"
is $? 125 "a VM of another XDG_RUNTIME_DIR is out of reach"
has "$tmp/xerr" 'hint: .*XDG_RUNTIME_DIR' "and that is said"
wait_for 200 test -s "$tmp/ready"
is "$(od -An -c "$tmp/ready" | tr -d ' ')" '\n' "READY=1 in the guest is a newline on --ready-fd"
has "$tmp/json" '"ready":true' "and in the JSON status"
vmrunctl ps >"$tmp/ps"
has "$tmp/ps" ' yes ' "and ps shows it"
vmrunctl logs "$id" >"$tmp/logs"
ok $? "logs"
vmrunctl console "$id" >"$tmp/console" 2>"$tmp/xerr" &
console=$!
wait_for 200 grep -q fuse "$tmp/console"
ok $? "console: what the guest's kernel has said"
kill -0 $console
ok $? "and it waits for more"
vmrunctl stop --signal=nosuch "$id" 2>"$tmp/xerr"
is $? 125 "stop: no such signal"
has "$tmp/xerr" 'no such signal: nosuch' "and that is said"
vmrunctl stop --signal=term "$id"
ok $? "stop"
wait $pid
is $? 9 "the application got SIGTERM and ended by itself"
wait $console
is $? 0 "the console ends with the VM"
is "$(vmrunctl ps | wc -l)" 1 "it is not listed any more"
rm -f "$tmp/out"
vmrun -q --json-status-fd 3 -- sh -c 'echo up; sleep 1000' >"$tmp/out" 2>"$tmp/err" 3>"$tmp/json" </dev/null &
pid=$!
wait_for 600 grep -q up "$tmp/out"
vmrunctl kill sleep 2>"$tmp/xerr"
is $? 125 "kill: no VM of that name"
# Connections that ask nothing, more than a VM has room for.
python3 - "$XDG_RUNTIME_DIR" "$tmp" <<'P' &
import glob, os, socket, sys, time
places = glob.glob(sys.argv[1] + "/vmrun-*/**/ctl", recursive=True)
kept = []
for place in places:
    # Its path may be longer than an address.
    os.chdir(os.path.dirname(place))
    try:
        for _ in range(100):
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.connect("ctl")
            kept.append(s)
    except OSError:
        pass
open(sys.argv[2] + "/crowd", "w").close()
while not os.path.exists(sys.argv[2] + "/go"):
    time.sleep(0.05)
P
crowd=$!
wait_for 60 test -e "$tmp/crowd"
for verb in "stop sh" "kill sh" "exec sh -- true" "wayland sh"; do
	# shellcheck disable=SC2086 # several words
	vmrunctl $verb >"$tmp/xout" 2>"$tmp/xerr"
	is $? 125 "${verb%% *}: not beside too many others"
	has "$tmp/xerr" 'too many connections' "and that is said"
done
kill -0 $pid
ok $? "the VM goes on"
touch "$tmp/go"
wait $crowd
kill -STOP $pid
vmrunctl kill sh 2>"$tmp/xerr"
is $? 125 "a vmrun that is stopped does not answer"
has "$tmp/xerr" "process $pid, does not answer" "which is said"
has "$tmp/xerr" "hint: .*kill -CONT $pid" "and what to do"
kill -CONT $pid
wait $pid
is $? 137 "then kill ends it"
has "$tmp/json" '"reason":"killed"' "and the JSON status says so"
# Ready by a newline on a descriptor, as s6 does; told to a parent's socket
python3 - "$tmp/n.sock" "$tmp/got" <<'P' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(900)
open(sys.argv[2], "wb").write(s.recv(100))
P
wait_for 100 test -S "$tmp/n.sock"
NOTIFY_SOCKET=$tmp/n.sock vmrun -q --notify-fd 5 -- sh -c 'echo >&5; sleep 1' </dev/null >"$tmp/out" 2>"$tmp/err"
is $? 0 "a service that writes a newline to descriptor 5"
wait_for 100 test -s "$tmp/got"
is "$(cat "$tmp/got")" "READY=1" "READY=1 reaches vmrun's own NOTIFY_SOCKET"
plan_done
