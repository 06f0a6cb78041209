#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# --socket: a real ssh-agent and a service of ours, from a real guest.
. "${top_srcdir:?}/tests/vm/lib.sh"

run=$tmp/run agent='' server='' pid=''
mkdir -m 700 "$run" "$tmp/open"
cp "$top_srcdir/tests/vm/sockets.py" "$tmp/open/"
end() {
	kill $agent $server $pid 2>/dev/null
	wait
	rm -rf "$tmp"
}
trap end EXIT
start_agent() {
	ssh-agent -D -a "$run/agent" >/dev/null 2>&1 &
	agent=$!
	wait_for 100 test -S "$run/agent"
	ssh-add -q "$tmp/key"
}
unset SSH_AUTH_SOCK
vm --socket ssh-agent -- true
is $st 125 "ssh-agent is refused where there is none"
has "$tmp/err" 'SSH_AUTH_SOCK is not set' "and the message says what is missing"

SSH_AUTH_SOCK=$run/agent
export SSH_AUTH_SOCK
ssh-keygen -q -t ed25519 -N '' -C tester -f "$tmp/key"
start_agent
python3 "$top_srcdir/tests/vm/sockets.py" serve "$run/service" &
server=$!
python3 "$top_srcdir/tests/vm/sockets.py" busy "$run/busy" &
server="$server $!"
wait_for 100 test -S "$run/service" -a -S "$run/busy"

# Negative first: what was not asked for is not there.
vm --ro "$tmp/open:/open" -e SSH_AUTH_SOCK -- sh -c 'ssh-add -l; ls -A /run/vmrun'
is "$(cat "$tmp/out")" notify "without --socket there is no agent in the guest"

vmrun --ro "$tmp/open:/open" --socket ssh-agent --socket "$run/service:/run/srv/s" \
	--socket "$run/busy:/run/srv/busy" -- sh -c 'echo up; exec sleep 1000' >"$tmp/out" 2>"$tmp/err" </dev/null &
pid=$!
wait_for 600 grep -q up "$tmp/out"
ok $? "a VM with three sockets"
in_vm() { # in_vm COMMAND... : output in $tmp/xout
	vmrunctl exec sh -- "$@" >"$tmp/xout" 2>"$tmp/xerr" </dev/null
}
in_vm stat -c '%F %a %U' /run/vmrun/ssh-agent
is "$(cat "$tmp/xout")" "socket 600 $(id -un)" "the guest's socket is the user's alone"
in_vm ssh-add -L
is "$(cat "$tmp/xout")" "$(cat "$tmp/key.pub")" "the agent shows its key, also to exec"
in_vm sh -c 'ssh-add -L >/tmp/pub; echo text | ssh-keygen -q -Y sign -f /tmp/pub -n file'
cp "$tmp/xout" "$tmp/sig"
echo "tester $(cat "$tmp/key.pub")" >"$tmp/signers"
echo text | ssh-keygen -q -Y verify -f "$tmp/signers" -I tester -n file -s "$tmp/sig" >&2
ok $? "what the guest signed is verified here"
in_vm python3 /open/sockets.py parallel /run/srv/s 100
is "$(cat "$tmp/xout")" "100 of 100" "100 connections at a time"
in_vm python3 /open/sockets.py parallel /run/srv/busy 12
is "$(cat "$tmp/xout")" "12 of 12" "12 at a time for a service that has room for one to wait"
in_vm python3 /open/sockets.py half /run/srv/s 8
is "$(cat "$tmp/xout")" same "8 MiB, a half-close, and the answer after it"
in_vm python3 /open/sockets.py stall /run/srv/s
is "$(tr '\n' ' ' <"$tmp/xout")" "held back hello " \
	"a service that does not read holds back its client and no other"
in_vm python3 /open/sockets.py late /run/srv/s
is "$(cat "$tmp/xout")" "20 others 614400 same" \
	"what came to its end waits for its reader, whoever comes meanwhile"

in_vm python3 /open/sockets.py early /run/srv/s
is "$(cat "$tmp/xout")" same "an answer is not lost on who still sends"

in_vm python3 /open/sockets.py shut /run/srv/s
is "$(cat "$tmp/xout")" idle "a client that shuts down without a close costs nothing"

in_vm python3 /open/sockets.py gone /run/srv/s 150
is "$(cat "$tmp/xout")" hello "150 clients, more than there may be at a time, and each one's leaving is noticed"

kill $agent
wait $agent
in_vm ssh-add -l
ok "$((!$?))" "an agent that is gone is an error in the guest"
in_vm ssh-add -l
is "$(grep -c 'socket .*agent: ' "$tmp/err")" 1 "which is said here, once"
start_agent
in_vm ssh-add -L
is "$(cat "$tmp/xout")" "$(cat "$tmp/key.pub")" "a new agent at the same place is used"
mv "$run/service" "$run/moved"
ln -s moved "$run/service"
in_vm python3 /open/sockets.py parallel /run/srv/s 1
ok "$((!$?))" "a link that took the place of a socket is not followed"
has "$tmp/err" 'service: ' "and this is said"
vmrunctl kill sh
wait $pid
pid=''

rm "$run/service"; mv "$run/moved" "$run/service"
vm --ro "$tmp/open:/open" --socket "$run/service:/run/srv/s" -- \
	python3 /open/sockets.py leave /run/srv/s
is $st 137 "an application is killed"
wait_for 200 test -s "$run/got"
is "$(cat "$run/got")" 2097152 "what it had sent to a slow service arrives"
plan_done
