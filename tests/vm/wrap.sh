#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# --dbus session and --wrap: a message bus of the guest's own, and a command
# behind a fence, in real guests.
. "${top_srcdir:?}/tests/vm/lib.sh"

for tool in dbus-daemon dbus-send unshare; do
	command -v $tool >/dev/null || bail "$tool is not installed"
done
vm --dbus system -- true
is $st 125 "another bus is refused"
has "$tmp/err" "this machine's are not forwarded" "and the hint says why"
vm --wrap dbus,cotton -- true
is $st 125 "so is another wrapping"
mkdir -p "$tmp/root/usr/bin"
vm --root "$tmp/root" --dbus session -- true
is $st 125 "a userland without dbus-daemon is found out before the start"
has "$tmp/err" 'the guest has no dbus-daemon' "and named"

# What a bus says of itself; and a name that one of two clients has.
# shellcheck disable=SC2016 # the guest's
bus='ask() { dbus-send --session --print-reply=literal \
	--dest=org.freedesktop.DBus / "org.freedesktop.DBus.$@"; }
echo "at $DBUS_SESSION_BUS_ADDRESS"
id=$(ask GetId) && echo "id $id"
unset DBUS_SESSION_BUS_ADDRESS
[ "$(ask GetId)" = "$id" ] && echo same
ask NameHasOwner string:org.freedesktop.DBus'
vm --dbus session -- sh -c "$bus"
is $st 0 "a bus in the guest"
has "$tmp/out" '^at unix:path=/run/user/[0-9]*/bus' "is where its variable says"
has "$tmp/out" '^id  *[0-9a-f]\{32\}' "answers"
has "$tmp/out" '^same' "and is found without the variable"
has "$tmp/out" 'boolean true' "names have owners"
vm -- sh -c '[ -z "${DBUS_SESSION_BUS_ADDRESS+x}" ] &&
	! dbus-send --session --print-reply --dest=org.freedesktop.DBus / \
		org.freedesktop.DBus.GetId'
is $st 0 "without --dbus there is none"

# The same by --wrap, and the fence, for the bus's children as well.
# shellcheck disable=SC2016
try='unshare -U true && echo userns
python3 -c "import socket; socket.socket(socket.AF_ALG)" && echo alg
python3 -c "import socket; socket.socket(socket.AF_INET)" && echo inet
grep "^Seccomp:" /proc/self/status
for p in /proc/[0-9]*; do
	case $(tr "\0" " " <$p/cmdline 2>/dev/null) in
	dbus-daemon*) sed -n "s/^Seccomp:/bus/p" $p/status ;;
	esac
done'
vm -- unshare -U true
is $st 0 "an ordinary command may make a user namespace"
vm --wrap dbus,restricted -- sh -c "$bus; $try"
has "$tmp/out" '^same' "--wrap dbus is the same bus"
hasnt "$tmp/out" userns "restricted: no user namespace"
hasnt "$tmp/out" alg "no odd socket"
has "$tmp/out" inet "but a usual one"
has "$tmp/out" '^Seccomp:.*2' "there is a filter"
has "$tmp/out" '^bus.*2' "in front of the bus, too"
vmrun -q --wrap restricted -- sleep 1000 >"$tmp/out" 2>"$tmp/err" </dev/null &
pid=$!
wait_for 120 vmrunctl exec sleep -- true
vmrunctl exec sleep -- unshare -U true >"$tmp/xout" 2>&1
is $? 1 "and in front of a second command"
vmrunctl kill sleep
wait $pid
plan_done
