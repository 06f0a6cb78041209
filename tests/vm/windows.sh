#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# --socket wayland: windows of a real guest on a real compositor (sway without
# screens), by screenshots; keys, the close button, what is hidden.
. "${top_srcdir:?}/tests/vm/lib.sh"

for tool in sway swaymsg grim foot wayland-info waypipe zenity wl-copy; do
	command -v $tool >/dev/null || bail "$tool is not installed"
done
unset WAYLAND_DISPLAY
vm --socket wayland -- true
is $st 125 "refused without a compositor"
has "$tmp/err" 'WAYLAND_DISPLAY is not set' "and the message says why"

. "$top_srcdir/tests/vm/desktop.sh"
mkdir "$tmp/open"
cp "$top_srcdir/tests/vm/paint.py" "$top_srcdir/tests/vm/wlclient.py" "$tmp/open/"

vmrun -v --socket wayland --ro "$tmp/open:/open" -- python3 /open/paint.py \
	>"$tmp/out" 2>"$tmp/said" </dev/null &
vm_pid=$!
comes 900 shown vmrun._python3.paint
ok $? "a window of the guest, marked with the name of its VM"
tree | grep -q '"name": "\[_python3\] paint"'
ok $? "and so is its title"
# All of the screen but for a frame: 1020 * 741
wait_for 120 has_pixels ff8000 755820
is "$(pixels ff8000)" 755820 "every pixel of it has its colour"
picture paint
green() { key $key_a && has_pixels 00a040 755820; }
wait_for 120 green
is "$(pixels 00a040)" 755820 "a key that is pressed here changes it"
picture key
mouse
purple() { click 500 400 && has_pixels 8000c0 755820; }
wait_for 120 purple
is "$(pixels 8000c0)" 755820 "so does a button of the mouse"
# At once, one after another, as somebody does who pulls at an edge
paint='[app_id="vmrun._python3.paint"]'
swaymsg -s "$swaysock" "$paint floating enable, border none" >/dev/null
for size in '500 400' '640 300' '300 480' '400 300'; do
	swaymsg -s "$swaysock" "$paint resize set $size" >/dev/null
done
# sway 1.7 takes a floating window to be as large as what it shows: a client that
# draws one of these sizes late may keep that.
resized() {
	has_pixels 8000c0 120000 || {
		swaymsg -s "$swaysock" "$paint resize set 400 300" >/dev/null
		wait_for 5 has_pixels 8000c0 120000
	}
}
wait_for 2 resized # twenty times, five seconds each
is "$(pixels 8000c0)" 120000 "it follows when it is resized, 400 by 300"
picture resized
vmrunctl wayland python3 >"$tmp/rows" 2>"$tmp/xerr"
is $? 0 "vmrunctl wayland"
has "$tmp/rows" '^wl_compositor  *[1-9]' "says what was offered"
has "$tmp/rows" '^xdg_activation_v1  *-' "what was refused"
has "$tmp/rows" '^messages to the compositor  *[1-9]' "and what passed"
# sway has security contexts from 1.9 on: what it shows nobody but trusted
# programs it does not even show the filter then.
if wayland-info | grep -q wp_security_context_manager_v1; then
	has "$tmp/rows" '^security context of the compositor  *yes' \
		"the compositor knows for whom it is"
	hasnt "$tmp/rows" screencopy "and hides things from the filter itself"
	has "$tmp/said" 'has a security context' "-v says so"
	is "$(ls -A "$XDG_RUNTIME_DIR"/vmrun*/*/context 2>/dev/null)" '' \
		"its socket has no name"
else
	has "$tmp/rows" '^security context of the compositor  *it has none' \
		"this compositor knows no better"
	has "$tmp/rows" '^zwlr_screencopy_manager_v1  *-' \
		"the filter stands alone"
	has "$tmp/said" 'no security contexts' "-v says so"
fi
vmrunctl exec python3 -- python3 /open/wlclient.py 50 >"$tmp/many" 2>"$tmp/xerr"
is "$(cat "$tmp/many")" 50 "50 clients at once"
vmrunctl exec python3 -- python3 /open/wlclient.py bad >"$tmp/bad" 2>"$tmp/xerr"
has "$tmp/bad" '^global 12345 is not there' \
	"one that asks for what it was not offered is told, and ended"
ended='windows of _python3: client [0-9]* was ended: global 12345'
wait_for 60 grep -q "$ended" "$tmp/said"
is "$(grep -c "$ended" "$tmp/said")" 1 \
	"which is logged once, with the name of the VM"
swaymsg -s "$swaysock" '[app_id="vmrun._python3.paint"] kill' >/dev/null
wait $vm_pid
is $? 0 "closing the window ends the application, and so the VM"
has "$tmp/out" '^closed' "by its own will"

vmrun -q --socket wayland -- foot -- sh -c 'grim - >/tmp/shot 2>/tmp/said
	cat /tmp/said; seq 500; sleep 1000' >"$tmp/out" 2>"$tmp/err" </dev/null &
vm_pid=$!
comes 900 shown vmrun._foot.foot
ok $? "foot opens a window"
comes 900 differs
ok $? "and draws"
picture foot
grim_said() {
	vmrunctl exec foot -- cat /tmp/said >"$tmp/said" 2>"$tmp/xerr"
	[ -s "$tmp/said" ]
}
wait_for 60 grim_said
has "$tmp/said" 'screencopy' "the guest cannot take pictures of the screen"
# All windows of a server are one client's, with a pool of 512 MiB each, or two.
vmrunctl exec foot -- sh -c 'foot --server=/tmp/s &
	while [ ! -S /tmp/s ]; do sleep 0.1; done
	for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
		footclient -s /tmp/s -a many sleep 1000 &
	done
	wait' >"$tmp/many" 2>&1 </dev/null &
server=$!
twelve() { [ "$(tree | grep -c '"app_id": "vmrun._foot.many"')" = 12 ]; }
wait_for 300 twelve
ok $? "twelve windows of one client"
vmrunctl kill foot
wait $vm_pid
wait $server
wait_for 60 gone vmrun._foot.foot
ok $? "with the VM its windows are gone"

# A toolkit, which finds what it needs in the guest without being told; and
# what belongs to an alias: its file, its name on the window, its colour.
grep '^[a-z]' "$top_srcdir/examples/sway/vmrun" | while read -r line; do
	swaymsg -s "$swaysock" "$line" >>"$tmp/rules" || echo "not: $line"
done >&2
mkdir -p "$XDG_CONFIG_HOME/vmrun/aliases"
echo 'socket = wayland' >"$XDG_CONFIG_HOME/vmrun/aliases/web.conf"
vmrun -q --alias web -- zenity --info --text Hello \
	>"$tmp/out" 2>"$tmp/err" </dev/null &
vm_pid=$!
comes 900 shown vmrun.web.zenity
ok $? "a GTK program opens a window, by an alias's file alone"
comes 900 dialog
ok $? "and draws"
comes 60 some_pixels b02020 100
ok $? "the example's rule gives the alias its colour"
picture gtk
hasnt "$tmp/err" 'locale\|[Ff]ont\|icon\|theme' "it misses nothing"
swaymsg -s "$swaysock" '[app_id="vmrun.web.zenity"] kill' >/dev/null
wait $vm_pid
is $? 1 "the close button is an answer, which comes out as the exit status"
vm_pid=''
kill -0 $sway_pid
ok $? "the compositor is alive"

# A compositor that is started anew beside its sockets.
vmrun -v --socket wayland --clipboard both --ro "$tmp/open:/open" -- \
	sh -c 'echo up; exec sleep 1000' >"$tmp/out" 2>"$tmp/said" </dev/null &
vm_pid=$!
wait_for 300 grep -q up "$tmp/out"
# More than a pipe holds is copied and pasted, which waypipe 0.8 needs help for.
# The programs want a keyboard.
head -c 300000 /dev/zero | tr '\0' x >"$tmp/much"
wl-copy <"$tmp/much" >/dev/null 2>&1
vmrunctl exec sh -- timeout 600 wl-paste -n >"$tmp/pasted" 2>"$tmp/xerr"
cmp "$tmp/much" "$tmp/pasted"
ok $? "300 kB that were copied outside are pasted inside"
wl-copy --clear
vmrunctl exec sh -- sh -c 'cat >/tmp/much; exec wl-copy -f </tmp/much' \
	<"$tmp/much" >/dev/null 2>"$tmp/xerr" &
copier=$!
copied() { wl-paste -l 2>/dev/null | grep -q text; }
wait_for 300 copied
timeout 600 wl-paste -n >"$tmp/pasted" 2>"$tmp/xerr"
cmp "$tmp/much" "$tmp/pasted"
ok $? "and the other way"
kill $copier
kill $sway_pid
wait $sway_pid
vmrunctl exec sh -- python3 /open/wlclient.py bad >"$tmp/bad" 2>"$tmp/xerr"
has "$tmp/bad" 'cannot be reached' "without a compositor a client is told so"
start_sway
vmrunctl exec sh -- python3 /open/wlclient.py 3 >"$tmp/many" 2>"$tmp/xerr"
is "$(cat "$tmp/many")" 3 "with another one in its place it is"
if wayland-info | grep -q wp_security_context_manager_v1; then
	has "$tmp/said" 'another compositor has a security context' \
		"which was asked for a security context"
	vmrunctl wayland sh >"$tmp/rows" 2>"$tmp/xerr"
	has "$tmp/rows" '^security context of the compositor  *yes' \
		"and has one"
	hasnt "$tmp/rows" screencopy "with what that hides"
else
	hasnt "$tmp/said" 'another compositor' "which has none, as the first"
fi
complaints() { grep -c -- '--socket .*wayland-1' "$tmp/said"; }
before=$(complaints)
kill $sway_pid
wait $sway_pid
vmrunctl exec sh -- python3 /open/wlclient.py bad >"$tmp/bad" 2>"$tmp/xerr"
said_again() { [ "$(complaints)" -gt "$before" ]; }
wait_for 60 said_again
is "$(complaints)" $((before + 1)) "that it is gone again is said again"
vmrunctl kill sh
wait $vm_pid
vm_pid=''
plan_done
