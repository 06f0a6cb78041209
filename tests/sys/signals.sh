#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Signals to vmrun go to the command, whose status counts; a second one ends the
# machine, whatever the command makes of it.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"

mkdir "$tmp/d"; echo x >"$tmp/d/file"; chmod 600 "$tmp/d/file"
facl "$tmp/d" >"$tmp/before"
# A shell starts with SIGINT and SIGQUIT ignored what it does not wait for.
ignore=
start() { # start SH-COMMAND... : then it says "up" and waits
	: >"$tmp/out"
	VMRUN_LIBEXECDIR=$tmp/libexec setsid env --default-signal $ignore vmrun -q --rw "$tmp/d" --json-status-fd 3 -- \
		sh -c "$1; echo up; while :; do sleep 0.05; done" \
		3>"$tmp/json" >"$tmp/out" 2>"$tmp/err" </dev/null &
	pid=$!
	wait_for 60 grep -q up "$tmp/out"
}
as_before() { # as_before DESCRIPTION
	facl "$tmp/d" >"$tmp/after"
	cmp "$tmp/before" "$tmp/after" >&2
	ok $? "$1"
}

n=3
for s in INT HUP TERM QUIT ALRM XCPU; do
	n=$((n + 1))
	start "trap 'exit $n' $s"
	kill -$s $pid
	wait $pid
	is $? $n "SIG$s goes to the command"
	has "$tmp/json" "\"exit-code\":$n,\"reason\":\"exit\"" "which says how it ends"
done
start :
kill -HUP $pid
wait $pid
is $? 129 "a command that SIGHUP ends"
has "$tmp/json" '"exit-code":129,"reason":"signal"' "is told as that"
while read -r one two status; do
	start "trap 'echo first' INT HUP TERM"
	kill -$one $pid
	wait_for 60 grep -q first "$tmp/out"
	ok $? "a command that goes on after SIG$one"
	sleep 0.5 # the same at once is not a second one
	kill -$two $pid
	wait $pid
	is $? "$status" "is ended by SIG$two as a second one"
	has "$tmp/json" '"reason":"killed"' "at once"
	as_before "and what it had is taken back"
done <<END
INT INT 130
HUP TERM 143
TERM HUP 129
END

start "n=0; trap 'sleep 1; exit 9' HUP"
kill -HUP $pid
kill -HUP $pid
wait $pid
is $? 9 "the same signal twice at once, as of a terminal that is closed, is one"
start "trap '' HUP; trap 'sleep 1; exit 9' TERM"
kill -STOP $pid # so that they come together, however slow the machine is
kill -TERM $pid
kill -HUP $pid
kill -CONT $pid
wait $pid
is $? 9 "SIGTERM and SIGHUP at once, as at the end of a session, are one"
start "trap 'echo one' USR1; trap 'echo two' USR2; trap 'exit 8' TERM"
kill -USR1 $pid
wait_for 60 grep -q one "$tmp/out"
ok $? "SIGUSR1 goes to the command"
sleep 0.5
kill -USR2 $pid
wait_for 60 grep -q two "$tmp/out"
ok $? "SIGUSR2 too"
sleep 0.5
kill -TERM $pid
wait $pid
is $? 8 "and they are no request to end"
ignore='--ignore-signal=HUP --ignore-signal=CHLD'
start "trap 'echo first' HUP; trap 'exit 8' TERM"
kill -HUP $pid
sleep 0.5
kill -TERM $pid
wait $pid
is $? 8 "one that is ignored, as by nohup, stays so"
hasnt "$tmp/out" first "the command does not hear of it"
ignore=

# Who is impatient signals the whole job, until it is over.
mkdir "$tmp/d/many"
(cd "$tmp/d/many" && seq 20000 | xargs touch)
facl "$tmp/d" >"$tmp/before"
start "trap 'echo bye; exit 6' INT"
kill -INT $pid
wait_for 60 grep -q bye "$tmp/out"
while kill -INT -$pid 2>/dev/null; do
	:
done
wait $pid
st=$?
# The command has ended; whether vmrun has read of it is another matter.
[ $st = 6 ] || [ $st = 130 ]
ok $? "^C again and again ($st)"
is "$(cat "$tmp/err")" "" "without a complaint"
as_before "ends nothing that gives back"

# Its service was killed, so that nobody asks a second time.
echo 'table inet x { }' >"$tmp/rules"
VMRUN_LIBEXECDIR=$tmp/libexec python3 - "$tmp/rules" "$tmp/json" >"$tmp/out" 2>"$tmp/err" <<'END'
import os, signal, socket, subprocess, sys, time
pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in "ab"]
rules = os.open(sys.argv[1], os.O_RDONLY)
json = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
words = ["vmrun", "-v", "--firewall", str(rules), "--json-status-fd", str(json)]
for n, (_, s) in enumerate(pairs):
    words += ["--nic", "%d,mac=02:00:00:00:00:0%d" % (s.fileno(), n)]
p = subprocess.Popen(words, stderr=subprocess.PIPE, text=True,
                     pass_fds=[rules, json] + [s.fileno() for _, s in pairs])
said = ""
for line in p.stderr:
    said += line
    if "launch" in line:
        break
began = time.monotonic()
p.send_signal(signal.SIGTERM)
try:
    said += p.communicate(timeout=60)[1]
except subprocess.TimeoutExpired:
    p.kill()
print(said, p.wait(), "after its time" if time.monotonic() - began > 10 else "at once")
END
has "$tmp/out" '^ *143 after its time' "a firewall that does not end is ended by one SIGTERM"
has "$tmp/out" 'the firewall does not end by itself' "as is said"
has "$tmp/json" '"reason":"killed"' "and told"
is "$(vmrunctl ps | wc -l)" 1 "no VM is left"
vmrunctl gc >"$tmp/err" 2>&1
is $? 0 "all is clean"
plan_done
