#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# vmrunctl net tap: what it refuses; whose the TAP and the namespace are, and
# for how long; lending it.  Without a VM.
. "${top_srcdir:?}/tests/lint/tap.sh"
ctl=$(cd "${top_builddir:?}" && pwd)/vmrunctl
cd "$scratch" || exit 1

tap() { # tap ARGS... : status in $st, output in out and err
	"$ctl" net tap "$@" >out 2>err
	st=$?
}
says() { # says STATUS PATTERN WHAT
	[ "$st" = "$1" ] && grep -q -e "$2" err
	ok $? "$3"
	[ "$failed" = 0 ] || sed 's/^/# /' err
}
tap
says 125 'a command is missing' "no command"
tap --name a/b -- true
says 125 '--name: that is no name' "a name that none can have"
tap --name 0123456789abcdef -- true
says 125 '--name: that is no name' "one that is too long"
tap --ip 10.9.0.1 -- true
says 125 '--ip: not an address' "an address without its network"
tap --ip 10.9.0.1/33 -- true
says 125 '--ip: not an address' "a prefix that is too long"
tap --ip 10.9.0.1/24 --ip 10.9.1.1/24 -- true
says 125 'two addresses for IPv4' "two addresses of a family"
tap --fd 2 -- true
says 125 'from 3 to 1023' "a descriptor that is standard error"
tap --fd 5 --listen s -- true
says 125 'either --fd or --listen' "both ways"
tap --from 0 --listen s </dev/null
says 125 '--from: descriptor 0 is no TAP' "what is no TAP"
[ ! -e s ]
ok $? "and nobody listens"
tap --wrong -- true
says 125 'wrong' "no such option"

if [ ! -w /dev/net/tun ] || ! unshare -Urn true 2>/dev/null; then
	skip "making TAPs" "no /dev/net/tun, or no user namespaces"
	plan_done
fi
tap --name lo -- true
says 125 'making lo: Device or resource busy' "a name that is taken"
tap -- nosuch-command
says 127 'nosuch-command: No such file' "a command that is not there: 127"
tap --listen s -- nosuch-command
says 127 'nosuch-command: No such file' "the same inside"
tap --listen nowhere/s -- true
says 125 'nowhere/s: No such file' "a socket where none can be"

# Here: the descriptor, the namespace, the end.
cat >look <<'EOT'
readlink /proc/self/fd/$1 /proc/self/ns/net
nsenter -t "$VMRUN_TAP_PID" -U -n --preserve-credentials ip -o addr show "$VMRUN_TAP"
echo "$VMRUN_TAP_PID" >holder
exit 7
EOT
tap --name t9 --ip 10.9.0.1/24 --ip fd09::1/64 -- sh ./look 3
[ "$st" = 7 ]
ok $? "the status is the command's"
[ "$(sed -n 1p out)" = /dev/net/tun ]
ok $? "descriptor 3 is the TAP"
[ "$(sed -n 2p out)" = "$(readlink /proc/self/ns/net)" ]
ok $? "the command is in this network"
grep -q 't9 .*inet 10.9.0.1/24' out && grep -q 't9 .*inet6 fd09::1/64' out
ok $? "in the other one is the interface with its addresses"
! grep -q tentative out
ok $? "they are of use at once"
ended() { ! kill -0 "$(cat holder)" 2>/dev/null; }
wait_until() {
	left=600
	until "$@"; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 0.1
	done
}
wait_until ended
ok $? "the namespace's process ends with the command"
tap --fd 17 -- sh ./look 17
[ "$(sed -n 1p out)" = /dev/net/tun ]
ok $? "--fd 17"
tap -- sh -c 'vmrunctl_pid=$$; kill -KILL $vmrunctl_pid'
[ "$st" = 137 ]
ok $? "the command is killed by a signal"

# Inside: lent to one at a time.
cat >borrow.py <<'EOT'
import os, socket, sys
def ask(seconds):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(seconds)
    s.connect(sys.argv[1])
    try:
        fds = socket.recv_fds(s, 8, 1)[1]
    except socket.timeout:
        fds = []
    return s, [os.readlink("/proc/self/fd/%d" % fd) for fd in fds]
first, tap = ask(20)
print("first", *tap)
second, none = ask(1)
print("second", *none)
first.close()
print("third", *(os.readlink("/proc/self/fd/%d" % fd)
                 for fd in socket.recv_fds(second, 8, 1)[1]))
EOT
# shellcheck disable=SC2016 # it is the inner shell's
tap --listen s --ip 10.9.0.1/24 -- sh -c '
	readlink /proc/self/ns/net; ip -o addr show "$VMRUN_TAP"; stat -c %a s
	python3 borrow.py s; exit 5'
[ "$st" = 5 ]
ok $? "its status"
[ "$(sed -n 1p out)" != "$(readlink /proc/self/ns/net)" ] && grep -q 'inet 10.9.0.1/24' out
ok $? "the command is inside"
grep -qx 600 out
ok $? "the socket is one's own"
grep -qx 'first /dev/net/tun' out
ok $? "it is lent"
grep -qx 'second' out
ok $? "not to two at a time"
grep -qx 'third /dev/net/tun' out
ok $? "to the next after the first"
[ ! -e s ]
ok $? "the socket is gone"

# Over again: by its number, and over a socket that nobody listens on.
python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind("left")'
# shellcheck disable=SC2016
tap -- sh -c '
	"$0" net tap --from 3 --listen left & lender=$!
	left=100
	until [ "$(python3 borrow.py left 2>/dev/null | head -n 1)" = "first /dev/net/tun" ]; do
		left=$((left - 1)); [ $left -gt 0 ] || exit 1; sleep 0.1
	done
	"$0" net tap --from 3 --listen left && exit 2
	kill $lender; wait $lender' "$ctl"
[ "$st" = 0 ] && [ ! -e left ]
ok $? "a TAP that was there before is lent, until a signal"
grep -q 'left: Address already in use' err
ok $? "a socket that somebody listens on stays theirs"
plan_done
