# SPDX-License-Identifier: GPL-3.0-or-later
# For tests that boot real guests: TAP, a private state, an image made from the
# vmrun-init of this build.  Source it; call `plan_done` last.
set -u
: "${top_builddir:?}" "${top_srcdir:?}"
name=$(basename "$0" .sh)
base=$top_builddir/tests/tmp
tmp=$base/$name.$$
count=0 failed=0

ok() { # ok CONDITION-STATUS DESCRIPTION
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else
		echo "not ok $count - $2"
		failed=$((failed + 1))
		[ ! -s "$tmp/err" ] || sed 's/^/# stderr: /' "$tmp/err" | tail -n 25
	fi
}
is() { # is GOT WANT DESCRIPTION
	[ "$1" = "$2" ]
	r=$?
	[ $r = 0 ] || printf '# got:  %s\n# want: %s\n' "$1" "$2"
	ok $r "$3"
}
has() { # has FILE PATTERN DESCRIPTION
	grep -q -e "$2" "$1"
	ok $? "$3"
}
hasnt() {
	! grep -q -e "$2" "$1"
	ok $? "$3"
}
oks() { # oks FILE: of lines `1 DESCRIPTION` or `0 DESCRIPTION`
	while read -r good text; do
		[ "$good" = 1 ]
		ok $? "$text"
	done <"$1"
}
skip() { # skip DESCRIPTION REASON
	count=$((count + 1))
	if [ -n "${VMRUN_MUST_WORK-}" ]; then
		echo "not ok $count - $1 (skipped: $2)"
		failed=$((failed + 1))
	else
		echo "ok $count - $1 # SKIP $2"
	fi
}
plan_done() {
	echo "1..$count"
	[ "$failed" = 0 ]
	exit
}
bail() { # the whole file cannot run
	if [ -n "${VMRUN_MUST_WORK-}" ]; then
		echo "1..1"
		echo "not ok 1 - $name (skipped: $1)"
		exit 1
	fi
	echo "1..0 # SKIP $1"
	exit 0
}

[ "$(id -u)" != 0 ] || bail "vmrun refuses to run as root; ./bootstrap check makes a user"
mkdir -p "$tmp" "$base/data" || exit 99
trap 'rm -rf "$tmp"' EXIT
# Not the build folder itself: vmrun shares nothing inside a folder of PATH.
PATH=$base/bin:$PATH
VMRUN_LIBEXECDIR=$top_builddir
XDG_DATA_HOME=$base/data
# Tests run beside one another, each with a state folder of its own.  Those of one
# person share a list of the UIDs that were handed out (below $HOME).
# Nor do they know what an earlier run of theirs left, with aliases of whatever
# subordinate range there was then; a file in a home may be a UID's.
XDG_STATE_HOME=$base/state/$name
rm -rf "$XDG_STATE_HOME" 2>/dev/null ||
	mv "$XDG_STATE_HOME" "$XDG_STATE_HOME.before.$$"
XDG_CONFIG_HOME=$tmp/config
export PATH VMRUN_LIBEXECDIR XDG_DATA_HOME XDG_STATE_HOME XDG_CONFIG_HOME
unset NOTIFY_SOCKET
# Several boot at once, beside other work.
export VMRUN_BOOT_TIMEOUT=15m

# One import for all tests of a build, by whoever comes first.
(
	flock 9
	[ "$(readlink "$base/bin/vmrun")" = "$top_builddir/vmrun" ] || {
		mkdir -p "$base/bin"
		ln -sf "$top_builddir/vmrun" "$top_builddir/vmrunctl" "$base/bin/"
	}
	if [ ! -f "$base/data/stamp" ] ||
		[ "$top_builddir/vmrun-init" -nt "$base/data/stamp" ] ||
		[ "$top_builddir/vmrunctl" -nt "$base/data/stamp" ]; then
		deb=$(ls "${VMRUN_TEST_KERNEL_DEB:-$HOME/.cache/vmrun}"/linux-image-*.deb \
			2>/dev/null | tail -n 1)
		[ -n "$deb" ] || exit 1
		vmrunctl image import --deb "$deb" >&2 &&
			touch "$base/data/stamp"
	fi
) 9>"$base/image.lock" || bail "no guest kernel; run ./bootstrap image first"

vm() { # vm OPTIONS... : runs vmrun, output in $tmp/out and $tmp/err, status in $st
	vmrun -q "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	st=$?
}
facl() { getfacl -Rnpc "$@" 2>/dev/null; find "$@" -printf '%p %m %u %g\n' | sort; }
# Waits until a command succeeds, ten times a second, at most $1 seconds.
wait_for() {
	left=$(($1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 0.1
	done
}
