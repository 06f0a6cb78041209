#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# --socket wayland: windows of a real guest on a real compositor (sway without
# screens), by screenshots; keys, the close button, what is hidden.
. "${top_srcdir:?}/tests/vm/lib.sh"

for tool in sway swaymsg grim wtype foot wayland-info waypipe zenity; do
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
wait_for 120 shown vmrun.python3.paint
ok $? "a window of the guest, marked with the name of its VM"
tree | grep -q '"name": "\[python3\] paint"'
ok $? "and so is its title"
# All of the screen but for a frame: 1020 * 741
wait_for 60 has_pixels ff8000 755820
is "$(pixels ff8000)" 755820 "every pixel of it has its colour"
picture paint
wtype -s 3000 a
wait_for 60 has_pixels 00a040 755820
is "$(pixels 00a040)" 755820 "a key that is pressed here changes it"
picture key
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
is "$(grep -c 'windows of python3: client [0-9]* was ended: global 12345' "$tmp/said")" 1 \
	"which is logged once, with the name of the VM"
swaymsg -s "$swaysock" '[app_id="vmrun.python3.paint"] kill' >/dev/null
wait $vm_pid
is $? 0 "closing the window ends the application, and so the VM"
has "$tmp/out" '^closed' "by its own will"

vmrun -q --socket wayland -- foot -- sh -c 'grim - >/tmp/shot 2>/tmp/said
	cat /tmp/said; seq 500; sleep 1000' >"$tmp/out" 2>"$tmp/err" </dev/null &
vm_pid=$!
wait_for 120 shown vmrun.foot.foot
ok $? "foot opens a window"
wait_for 120 differs
ok $? "and draws"
picture foot
vmrunctl exec foot -- cat /tmp/said >"$tmp/said" 2>"$tmp/xerr"
has "$tmp/said" 'screencopy' "the guest cannot take pictures of the screen"
vmrunctl kill foot
wait $vm_pid
shown vmrun.foot.foot
is $? 1 "with the VM its windows are gone"

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
wait_for 180 shown vmrun.web.zenity
ok $? "a GTK program opens a window, by an alias's file alone"
wait_for 60 dialog
ok $? "and draws"
wait_for 10 some_pixels b02020 100
ok $? "the example's rule gives the alias its colour"
picture gtk
hasnt "$tmp/err" 'locale\|[Ff]ont\|icon\|theme' "it misses nothing"
swaymsg -s "$swaysock" '[app_id="vmrun.web.zenity"] kill' >/dev/null
wait $vm_pid
is $? 1 "the close button is an answer, which comes out as the exit status"
vm_pid=''
kill -0 $sway_pid
ok $? "the compositor is alive"
plan_done
