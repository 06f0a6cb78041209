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
vm_pid='' sway_pid=''
end() {
	kill $vm_pid $sway_pid 2>/dev/null
	wait
	rm -rf "$tmp"
}
trap end EXIT
XDG_RUNTIME_DIR=$run WLR_BACKENDS=headless WLR_RENDERER=pixman \
	WLR_LIBINPUT_NO_DEVICES=1 sway -c "$tmp/sway.conf" >"$tmp/sway" 2>&1 &
sway_pid=$!
wait_for 20 test -S "$run/wayland-1" || bail "sway does not start here"
export WAYLAND_DISPLAY="$run/wayland-1"
swaysock=$(ls "$run"/sway-ipc*)

tree() { swaymsg -s "$swaysock" -t get_tree; }
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
