#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# --socket x11: an X11 program of a real guest on a real compositor.
. "${top_srcdir:?}/tests/vm/lib.sh"

for tool in sway swaymsg grim waypipe cage Xwayland xterm; do
	command -v $tool >/dev/null || bail "$tool is not installed"
done
unset WAYLAND_DISPLAY DISPLAY
vm --socket x11 -- true
is $st 125 "refused without a compositor"
has "$tmp/err" 'socket x11: $WAYLAND_DISPLAY is not set' "and says why"
. "$top_srcdir/tests/vm/desktop.sh"

mkdir -p "$tmp/root/usr/bin"
vm --root "$tmp/root" --socket x11 -- true
is $st 125 "a userland without waypipe is found out before the start"
has "$tmp/err" 'socket x11: the guest has no waypipe' "and said"
cp /bin/true "$tmp/root/usr/bin/waypipe"
vm --root "$tmp/root" --socket x11 -- true
is $st 125 "so is one without cage"
has "$tmp/err" 'the guest has no cage' "which is said, too"

# White is xterm's; the command says what it was given.
# shellcheck disable=SC2016
vmrun -q --socket x11 --clipboard off -- xterm -fn fixed -bg white -e sh -c '
	exec 3>>/tmp/said
	echo "$DISPLAY|$WAYLAND_DISPLAY|$XDG_SESSION_TYPE" >&3
	stty -icanon -echo; echo "typed $(head -c 4)" >&3
	printf "\033[42m\033[2J"; sleep 1000' \
	>"$tmp/out" 2>"$tmp/err" </dev/null &
vm_pid=$!
comes 900 shown vmrun._xterm.wlroots
ok $? "a window of the guest, marked with the name of its VM"
comes 900 some_pixels ffffff 500000
ok $? "the program draws in it"
picture xterm
said() { vmrunctl exec xterm -- cat /tmp/said >"$tmp/said" 2>"$tmp/xerr"; }
typed() { key $key_a && said && grep -q '^typed aaaa' "$tmp/said"; }
wait_for 120 typed
ok $? "it takes the keyboard"
has "$tmp/said" '^:0||x11' "and knows of X11 only"
wait_for 120 some_pixels 00cd00 500000
ok $? "what it draws then is shown"
swaymsg -s "$swaysock" '[app_id="vmrun._xterm.wlroots"] kill' >/dev/null
wait_for 120 gone vmrun._xterm.wlroots
ok $? "the window closes"
wait_for 120 ended $vm_pid
ok $? "and that ends the program, and so the VM"
vmrunctl kill xterm 2>/dev/null
wait $vm_pid
vm_pid=''
kill -0 $sway_pid
ok $? "the compositor is alive"
plan_done
