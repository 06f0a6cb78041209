#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Real clients through vmrun-wayland to a real compositor without a screen:
# what they are offered, what they must not do, and that they live with it.
. "${top_srcdir:?}/tests/lint/tap.sh"
tmp=$scratch

bail() { # the whole file cannot run
	if [ -n "${VMRUN_MUST_WORK-}" ]; then
		echo "1..1"
		echo "not ok 1 - wayland (skipped: $1)"
		exit 1
	fi
	echo "1..0 # SKIP $1"
	exit 0
}
is() { # is GOT WANT DESCRIPTION
	[ "$1" = "$2" ]
	r=$?
	[ $r = 0 ] || printf '# got:  %s\n# want: %s\n' "$1" "$2"
	ok $r "$3"
}
has() { # has FILE PATTERN DESCRIPTION
	grep -q -e "$2" "$1"
	r=$?
	[ $r = 0 ] || tail -n 5 "$1" | sed 's/^/# /'
	ok $r "$3"
}

[ "$(id -u)" != 0 ] || bail "sway refuses to run as root"
rig=$top_builddir/tests/sys/wayland-rig
for tool in sway swaymsg grim wtype foot wayland-info wl-copy wl-paste; do
	command -v "$tool" >/dev/null || bail "$tool is not installed"
done

# A private folder for sockets: their names have 108 bytes at most.
XDG_RUNTIME_DIR=$(mktemp -d /tmp/vmrun-wl.XXXXXX)
export XDG_RUNTIME_DIR
sway=
cleanup() {
	[ -z "$sway" ] || swaymsg exit >/dev/null 2>&1
	[ -z "$sway" ] || wait "$sway" 2>/dev/null
	rm -rf "$XDG_RUNTIME_DIR" "$tmp"
}
trap cleanup EXIT
cat >"$tmp/sway.conf" <<'END'
output HEADLESS-1 mode 1024x768
output * bg #204060 solid_color
default_border normal
xwayland disable
END
start_sway() {
	env WLR_BACKENDS=headless WLR_RENDERER=pixman WLR_LIBINPUT_NO_DEVICES=1 \
		sway -c "$tmp/sway.conf" >"$tmp/sway.log" 2>&1 </dev/null &
	sway=$!
	soon 'ls "$XDG_RUNTIME_DIR"/wayland-? "$XDG_RUNTIME_DIR"/sway-ipc.*' ||
		bail "sway does not start: $(tail -n 1 "$tmp/sway.log")"
	WAYLAND_DISPLAY=$(basename "$(ls "$XDG_RUNTIME_DIR"/wayland-?)")
	SWAYSOCK=$(ls "$XDG_RUNTIME_DIR"/sway-ipc.*)
	export WAYLAND_DISPLAY SWAYSOCK
}
# Until a condition holds, at most half a minute: there is nothing to wait on.
soon() {
	n=0
	until eval "$1" >/dev/null 2>&1; do
		n=$((n + 1))
		[ $n -lt 300 ] || return 1
		sleep 0.1
	done
}
window() { # window APP_ID: it is there
	swaymsg -t get_tree | grep -q "\"app_id\": \"$1\""
}
inside() { # inside [OPTION...] -- COMMAND: through the filter
	options=
	while [ "$1" != -- ]; do
		options="$options $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # words
	timeout 60 "$rig" $options "$XDG_RUNTIME_DIR/in" "$@"
}
start_sway

# What is there: exactly this.
cat >"$tmp/want" <<'END'
org_kde_kwin_server_decoration_manager
wl_compositor
wl_data_device_manager
wl_output
wl_seat
wl_shm
wl_subcompositor
wp_presentation
wp_viewporter
xdg_wm_base
zwp_pointer_constraints_v1
zwp_pointer_gestures_v1
zwp_primary_selection_device_manager_v1
zwp_relative_pointer_manager_v1
zwp_tablet_manager_v2
zwp_text_input_manager_v3
zxdg_decoration_manager_v1
END
names() { sed -n "s/^interface: '\([a-z0-9_]*\)'.*/\1/p" "$1" | sort; }
wayland-info >"$tmp/all" 2>&1
names "$tmp/all" | grep -qx zwlr_screencopy_manager_v1
ok $? "the compositor offers what must not pass"
# what other releases of sway have besides, and the policy allows
allowed='^(wp_cursor_shape_manager_v1|wp_fractional_scale_manager_v1|wp_single_pixel_buffer_manager_v1|wp_content_type_manager_v1)$'
inside -s -- wayland-info >"$tmp/info" 2>"$tmp/err"
ok $? "wayland-info runs"
names "$tmp/info" | grep -Ev "$allowed" >"$tmp/got"
cmp "$tmp/want" "$tmp/got" || diff "$tmp/want" "$tmp/got" | sed 's/^/# /'
cmp -s "$tmp/want" "$tmp/got"
ok $? "it is offered exactly what the policy has"
has "$tmp/info" '^global zwlr_screencopy_manager_v1 0 ' \
	"the others are counted as refused"
inside -a zxdg_output_manager_v1 -d wp_viewporter -- wayland-info \
	>"$tmp/info" 2>&1
names "$tmp/info" >"$tmp/got"
grep -qx zxdg_output_manager_v1 "$tmp/got" && ! grep -qx wp_viewporter "$tmp/got"
ok $? "more and less, as asked"

# What must not work.
inside -- grim "$tmp/shot.png" >"$tmp/out" 2>&1
[ $? != 0 ] && [ ! -s "$tmp/shot.png" ]
ok $? "no picture of the screen from inside"
grim "$tmp/shot.png" && [ -s "$tmp/shot.png" ]
ok $? "while there is one from outside"
! inside -- wtype x >"$tmp/out" 2>&1
ok $? "no typing from inside"

# Windows, marked.  A keyboard is there for as long as one is being typed on.
foot_runs() {
	inside -n mail -- foot -a mutt -T 'Re: root' \
		sh -c "read x; echo \"\$x\" >'$tmp/typed'; read y" >"$tmp/foot" 2>&1 &
	foot=$!
	soon 'window vmrun.mail.mutt'
}
foot_runs
ok $? "foot has a window, marked by its id"
swaymsg -t get_tree | grep -q '"name": "\[mail\] Re: root"'
ok $? "and by its title"
wtype -s 500 hello -k Return
soon '[ -s "$tmp/typed" ]'
is "$(cat "$tmp/typed" 2>/dev/null)" hello "it takes the keyboard"
grim -t ppm - >"$tmp/with"
swaymsg '[app_id="^vmrun\.mail\."] kill' >/dev/null
wait "$foot"
soon '! window vmrun.mail.mutt'
ok $? "it closes"
grim -t ppm - >"$tmp/without"
! cmp -s "$tmp/with" "$tmp/without"
ok $? "it had drawn something"

# Copy and paste.  wl-copy and wl-paste without data control need the keyboard,
# so a window must take it: they make one for that.
wtype -s 60000 a &
typist=$!
soon 'swaymsg -t get_inputs | grep -q "\"type\": \"keyboard\""'
copied() { # copied CLIPBOARD: what wl-paste inside says of what was copied here
	timeout 20 wl-copy -n "of the host" 2>/dev/null
	inside -c "$1" -- timeout 10 wl-paste -n 2>&1
}
is "$(copied in)" "of the host" "in: what was copied outside is pasted inside"
is "$(copied both)" "of the host" "both: too"
for way in off out; do
	copied "$way" >"$tmp/out"
	! grep -q "of the host" "$tmp/out"
	ok $? "$way: it is not"
done
leaves() { # leaves CLIPBOARD: what is here after wl-copy inside
	timeout 20 wl-copy -n "of the host" 2>/dev/null
	inside -c "$1" -- sh -c 'timeout 10 wl-copy -f -n "of the guest" &
		sleep 1; env WAYLAND_DISPLAY='"$WAYLAND_DISPLAY"' \
			timeout 10 wl-paste -n; kill $!' 2>/dev/null
}
is "$(leaves out)" "of the guest" "out: what was copied inside is pasted outside"
is "$(leaves off)" "of the host" "off: it is not"
is "$(leaves in)" "of the host" "in: neither"
is "$(inside -c off -- sh -c 'timeout 10 wl-copy -f -n "of one" &
	sleep 1; timeout 10 wl-paste -n; kill $!' 2>/dev/null)" "of one" \
	"off: from one client inside to another it is"
kill "$typist"

# Toolkits, where they are installed.
export GSK_RENDERER=cairo LIBGL_ALWAYS_SOFTWARE=1 NO_AT_BRIDGE=1 GTK_A11Y=none \
	GDK_BACKEND=wayland QT_QPA_PLATFORM=wayland MOZ_ENABLE_WAYLAND=1
toolkit() { # toolkit NAME APP_ID KEYS COMMAND...: KEYS (for wtype, or none) end it
	what=$1 id=$2 keys=$3
	shift 3
	if ! command -v "$1" >/dev/null; then
		[ -n "${VMRUN_LONG-}" ] || return 0
		skip "$what" "$1 is not installed"
		return 0
	fi
	inside -s -- "$@" >"$tmp/$what" 2>&1 &
	pid=$!
	soon "window '$id'"
	ok $? "$what: it has a window"
	swaymsg "[app_id=\"$id\"] kill" >/dev/null
	wait "$pid"
	has "$tmp/$what" '^stats violated 0' "$what: it does nothing wrong, and closes"
	[ -n "$keys" ] || return 0
	inside -- "$@" >"$tmp/$what" 2>&1 &
	pid=$!
	soon "window '$id'"
	# shellcheck disable=SC2086 # words
	soon "wtype -s 1000 $keys; ! kill -0 $pid"
	wait "$pid"
	[ $? != 124 ] # timeout(1)'s
	ok $? "$what: it takes keys"
}
toolkit Dialog vmrun.web.zenity '' zenity --info --text hello
toolkit GTK4 'vmrun.web.gtk4-demo' '-M ctrl q -m ctrl' gtk4-demo
[ -z "${VMRUN_LONG-}" ] || {
	toolkit Qt 'vmrun.web.org.speedcrunch.speedcrunch' \
		'-M ctrl q -m ctrl' speedcrunch
	toolkit Firefox 'vmrun.web.firefox-esr' '' firefox-esr --no-remote \
		--new-instance --profile "$(mktemp -d "$tmp/XXXXXX")" about:blank
}
kill -0 "$sway"
ok $? "the compositor is alive"
plan_done
