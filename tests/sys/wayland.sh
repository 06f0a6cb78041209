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
# Until a condition holds, at most two minutes, or so many tenths of a second:
# there is nothing to wait on.
soon() { # soon CONDITION [TENTHS]
	n=0
	until eval "$1" >/dev/null 2>&1; do
		n=$((n + 1))
		[ $n -lt "${2-1200}" ] || return 1
		sleep 0.1
	done
}
window() { # window APP_ID: it is there
	swaymsg -t get_tree | grep -q "\"app_id\": \"$1\""
}
by='' # exec: what is killed in the background is not only a shell
inside() { # inside [OPTION...] -- COMMAND: through the filter
	options=
	while [ "$1" != -- ]; do
		options="$options $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # words
	$by timeout 900 "$rig" $options "$XDG_RUNTIME_DIR/in" "$@"
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

# A keyboard that is there all the time.  When a program has begun to take keys
# nobody says, so they are pressed until it answers.
mkfifo "$tmp/keys"
python3 "$top_srcdir/tests/sys/wayland-keys.py" <"$tmp/keys" >"$tmp/keyboard" &
exec 7>"$tmp/keys"
soon '[ -s "$tmp/keyboard" ]'
escape=1 ctrl_q=29+16 hello_return='35 18 38 38 24 28'

# Windows, marked.
foot_runs() {
	inside -n mail -- foot -a mutt -T 'Re: root' \
		sh -c "while read x; do echo \"\$x\" >>'$tmp/typed'; done" >"$tmp/foot" 2>&1 &
	foot=$!
	soon 'window vmrun.mail.mutt'
}
foot_runs
ok $? "foot has a window, marked by its id"
swaymsg -t get_tree | grep -q '"name": "\[mail\] Re: root"'
ok $? "and by its title"
soon 'echo $hello_return >&7; grep -qx hello "$tmp/typed"'
is "$(tail -n 1 "$tmp/typed" 2>/dev/null)" hello "it takes the keyboard"
grim -t ppm - >"$tmp/with"
swaymsg '[app_id="^vmrun\.mail\."] kill' >/dev/null
wait "$foot"
soon '! window vmrun.mail.mutt'
ok $? "it closes"
grim -t ppm - >"$tmp/without"
! cmp -s "$tmp/with" "$tmp/without"
ok $? "it had drawn something"

# Copy and paste.  wl-copy and wl-paste without data control need the keyboard,
# so a window must take it: they make one for that.  With -p it is the primary
# selection.
copied() { # copied CLIPBOARD [-p]: what wl-paste inside says of what was copied here
	timeout 300 wl-copy ${2-} -n "of the host" 2>/dev/null
	inside -c "$1" -- timeout 300 wl-paste ${2-} -n 2>&1
}
is "$(copied in)" "of the host" "in: what was copied outside is pasted inside"
is "$(copied both)" "of the host" "both: too"
is "$(copied in -p)" "of the host" "in: so is the primary selection"
for way in off out 'off -p'; do
	copied $way >"$tmp/out"
	! grep -q "of the host" "$tmp/out"
	ok $? "$way: it is not"
done
# Copies inside until that can be pasted there, then says what $1 pastes.
copies='timeout 600 wl-copy $2 -f -n "of the guest" &
	n=0
	until [ "$(timeout 300 wl-paste $2 -n)" = "of the guest" ] || [ $((n += 1)) -gt 100 ]; do
		sleep 0.2
	done
	env WAYLAND_DISPLAY="$1" timeout 300 wl-paste $2 -n
	kill $!'
leaves() { # leaves CLIPBOARD [-p]: what is here after wl-copy inside
	timeout 300 wl-copy ${2-} -n "of the host" 2>/dev/null
	inside -c "$1" -- sh -c "$copies" sh "$WAYLAND_DISPLAY" ${2-} 2>/dev/null
}
is "$(leaves out)" "of the guest" "out: what was copied inside is pasted outside"
is "$(leaves off)" "of the host" "off: it is not"
is "$(leaves in)" "of the host" "in: neither"
is "$(leaves out -p)" "of the guest" "out: the primary selection leaves, too"
is "$(leaves off -p)" "of the host" "off: it does not"
for kind in '' -p; do
	is "$(inside -c off -- sh -c "set -- \"\$WAYLAND_DISPLAY\" $kind; $copies" 2>/dev/null)" \
		"of the guest" "off: from one client inside to another it is${kind:+, $kind}"
done

# Drags.  Who takes it takes whatever it is shown.
drag() { timeout 600 python3 "$top_srcdir/tests/sys/wayland-drag.py" "$@"; }
for way in off out; do
	is "$(drag $way outside inside unseen)" "from cancelled" \
		"$way: what is dragged outside is not seen inside"
	is "$(drag $way outside outside over)" \
		"to enter text/plain; to got text/plain of from; from finished" \
		"$way: but goes on from there"
done
for way in in both; do
	is "$(drag $way outside inside)" \
		"to enter text/plain; to got text/plain of from; from finished" \
		"$way: it is, and can be dropped there"
done
for way in off in; do
	is "$(drag $way inside outside)" \
		"to enter MARK; to got; from finished" \
		"$way: what is dragged inside is nothing outside"
	is "$(drag $way inside inside)" \
		"to enter text/plain; to got text/plain of from; from finished" \
		"$way: but it can be dropped inside"
done
is "$(drag out inside outside)" \
	"to enter text/plain MARK; to got text/plain of from; from finished" \
	"out: what is dragged inside can be dropped outside"
is "$(drag out inside inside)" \
	"to enter text/plain; to got text/plain of from; from finished" \
	"out: and inside"

# Clients that break the rules; those after them show that nobody else suffers.
inside -s -- python3 "$top_srcdir/tests/sys/wayland-hostile.py" >"$tmp/out" \
	2>"$tmp/err"
is "$(grep -v '^good\|^global\|^stats' "$tmp/out")" '' \
	"who breaks a rule is told so, and ended"
is "$(grep -c '^good' "$tmp/out")" 58 "in each of 58 ways"
has "$tmp/out" '^stats violated 58' "which are counted"

# Toolkits.
export GSK_RENDERER=cairo LIBGL_ALWAYS_SOFTWARE=1 NO_AT_BRIDGE=1 GTK_A11Y=none \
	GDK_BACKEND=wayland QT_QPA_PLATFORM=wayland MOZ_ENABLE_WAYLAND=1
colour() { # colour RRGGBB: how many pixels of the screen have it
	grim -t ppm - | python3 -c 'import sys
d = sys.stdin.buffer.read()[-1024 * 768 * 3:]
print(sum(d[i:i + 3] == bytes.fromhex(sys.argv[1])
          for i in range(0, len(d), 3)))' "$1"
}
toolkit() { # toolkit NAME APP_ID KEYS SEEN COMMAND...: the keys end it, or
	# change its title to one with SEEN
	what=$1 id=$2 keys=$3 seen=$4
	shift 4
	if ! command -v "$1" >/dev/null; then
		skip "$what" "$1 is not installed"
		return 0
	fi
	grim -t ppm - >"$tmp/without"
	inside -s -- "$@" >"$tmp/$what" 2>&1 &
	pid=$!
	soon "window '$id'"
	ok $? "$what: it has a window"
	soon 'grim -t ppm - >"$tmp/with"; ! cmp -s "$tmp/with" "$tmp/without"'
	ok $? "$what: it draws"
	swaymsg "[app_id=\"$id\"] kill" >/dev/null
	wait "$pid"
	has "$tmp/$what" '^stats violated 0' "$what: it does nothing wrong, and closes"
	by=exec
	inside -- "$@" >"$tmp/$what" 2>&1 &
	pid=$! by=
	soon "window '$id'"
	soon "echo $keys >&7; ! kill -0 $pid || { [ -n '$seen' ] &&
		swaymsg -t get_tree | grep -q '\"name\": \".web. $seen'; }"
	ok $? "$what: it takes keys"
	kill "$pid" 2>/dev/null
	wait "$pid"
	soon "! window '$id'"
	ok $? "$what: it is gone"
}
toolkit Dialog vmrun.web.zenity $escape '' zenity --info --text hello
toolkit GTK4 vmrun.web.gtk4-demo $ctrl_q '' gtk4-demo
toolkit Qt vmrun.web.featherpad 30 '[*]' featherpad --standalone

# Many windows of one client, each with a pool of 512 MiB.
inside -s -- sh -c 'foot --server=$1 & pid=$!
	while [ ! -S "$1" ]; do sleep 0.1; done
	for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
		footclient -s "$1" -a "many$n" sh -c "read x" &
	done
	while [ ! -e "$2" ] && kill -0 $pid; do sleep 0.1; done
	kill $pid' sh "$XDG_RUNTIME_DIR/foot.sock" "$tmp/enough" >"$tmp/out" 2>&1 &
pid=$!
soon '[ "$(swaymsg -t get_tree | grep -c "\"app_id\": \"vmrun.web.many")" = 12 ]' 3000
ok $? "foot's server has twelve windows"
: >"$tmp/enough"
wait "$pid"
has "$tmp/out" '^stats violated 0' "foot's server does nothing wrong"

# A browser: its page says what it hears.
firefox() {
	mkdir "$tmp/profile"
	cat >"$tmp/page.html" <<'END'
<!doctype html><title>nothing yet</title><body style="background: #00a040">
<script>
onkeydown = e => {
	document.title = "key " + e.key
	document.body.style.background = "#ff8000"
}
</script>
END
	inside -s -- firefox-esr --no-remote --new-instance \
		--profile "$tmp/profile" "file://$tmp/page.html" >"$tmp/out" 2>&1 &
	pid=$!
	soon 'window vmrun.web.firefox-esr' 3000
	ok $? "Firefox: it has a window"
	soon '[ "$(colour 00a040)" -gt 300000 ]' 3000
	ok $? "Firefox: it draws"
	soon 'echo 30 >&7; swaymsg -t get_tree | grep -q "\[web\] key a"'
	ok $? "Firefox: it takes keys"
	soon '[ "$(colour ff8000)" -gt 300000 ]'
	ok $? "Firefox: and draws what they change"
	swaymsg '[app_id="vmrun.web.firefox-esr"] kill' >/dev/null
	wait "$pid"
	is $? 0 "Firefox: it closes"
	has "$tmp/out" '^stats violated 0' "Firefox: it does nothing wrong"
}
if command -v firefox-esr >/dev/null; then
	firefox
else
	skip Firefox "firefox-esr is not installed"
fi
exec 7>&-
kill -0 "$sway"
ok $? "the compositor is alive"
plan_done
