# SPDX-License-Identifier: GPL-3.0-or-later
# A desktop for tests of windows: sway without screens, and what is on it by
# screenshots.  Source it after lib.sh.  The pictures stay in
# tests/tmp/screenshots.
# shellcheck disable=SC2034,SC2154 # for those who source it; of lib.sh
shots=$base/screenshots run=$tmp/run
mkdir -p "$shots"
mkdir -m 700 "$run"
cat >"$tmp/sway.conf" <<'C'
output HEADLESS-1 mode 1024x768
output * bg #204060 solid_color
default_border normal
xwayland disable
C
vm_pid='' sway_pid='' input_pids=''
end() {
	kill $vm_pid $sway_pid $input_pids 2>/dev/null
	wait
	rm -rf "$tmp"
}
trap end EXIT
start_sway() {
	XDG_RUNTIME_DIR=$run WLR_BACKENDS=headless WLR_RENDERER=pixman \
		WLR_LIBINPUT_NO_DEVICES=1 sway -c "$tmp/sway.conf" \
		>"$tmp/sway" 2>&1 &
	sway_pid=$!
	wait_for 60 test -S "$run/wayland-1" || bail "sway does not start here"
	swaysock=$run/sway-ipc.$(id -u).$sway_pid.sock
	wait_for 60 test -S "$swaysock"
}
start_sway
export WAYLAND_DISPLAY="$run/wayland-1"

# A keyboard that is there all the time, and a mouse from when it is wanted: its
# cursor would hide what is counted.  When a program has begun to take what comes
# from them nobody says: they are pressed until it answers.
mkfifo "$tmp/keys" "$tmp/clicks"
XDG_RUNTIME_DIR=$run python3 "$top_srcdir/tests/sys/wayland-keys.py" \
	<"$tmp/keys" >"$tmp/keyboard" &
input_pids=$!
exec 7>"$tmp/keys"
wait_for 120 test -s "$tmp/keyboard"
key() { echo "$1" >&7; } # key CODE: of linux/input-event-codes.h
key_a=30
mouse() {
	XDG_RUNTIME_DIR=$run python3 "$top_srcdir/tests/sys/wayland-drag.py" \
		clicks <"$tmp/clicks" &
	input_pids="$input_pids $!"
	exec 8>"$tmp/clicks"
}
click() { echo "$1 $2" >&8; } # click X Y, after mouse

tree() { swaymsg -s "$swaysock" -t get_tree; }
or_over() { "$@" || ! kill -0 "$vm_pid" 2>/dev/null; }
comes() { # comes SECONDS COMMAND... : as wait_for, while the VM runs
	seconds=$1
	shift
	wait_for "$seconds" or_over "$@"
	"$@" >/dev/null 2>&1
}
shown() { tree | grep -q "\"app_id\": \"$1\""; }
# pixels COLOUR : how many of the screen have it
pixels() {
	grim -t ppm - | python3 -c '
import struct
import sys
data = sys.stdin.buffer.read()
head, data = data[:15], data[15:]
assert head == b"P6\n1024 768\n255\n"[:15]
data = data[1:] if len(data) % 3 else data
want = bytes.fromhex(sys.argv[1])
print(sum(p == (want,) for p in struct.iter_unpack("3s", data)))' "$1"
}
has_pixels() { [ "$(pixels "$1")" = "$2" ]; }
some_pixels() { [ "$(pixels "$1")" -ge "$2" ]; }
gone() { ! shown "$1"; }
ended() { ! kill -0 "$1" 2>/dev/null; }
# Anything but the background and the frame
differs() { [ "$(pixels 204060)" -lt 700000 ]; }
# A dialog of GTK, whose theme is light but not the same in all versions;
# no letter of a title has so many pixels
dialog() {
	[ "$(grim -t ppm - | python3 -c '
import sys
data = sys.stdin.buffer.read()[16:]
print(sum(min(data[i:i + 3]) >= 0xf0 for i in range(0, len(data) - 2, 3)))
')" -ge 5000 ]
}
picture() { grim "$shots/$1.png"; }
