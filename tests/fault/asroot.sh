# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# For tests that root runs because they mount, with runs of $VMRUN_USER's vmrun
# but without a VM (tests/sys/stage-dummy).  TAP; $tree is where to mount.
# Source it, after `what=`, `first_uid=` and the mount namespace; it ends what
# cannot run.
set -u
: "${top_builddir:?}" "${top_srcdir:?}" "${what:?}" "${first_uid:?}"
count=0 failed=0
ok() { # ok CONDITION-STATUS DESCRIPTION
	count=$((count + 1))
	[ "$1" = 0 ] || { printf 'not '; failed=$((failed + 1)); }
	echo "ok $count - $2"
}
bail() {
	if [ -n "${VMRUN_MUST_WORK-}" ]; then
		echo "not ok 1 - $what (skipped: $1)"
	else
		echo "ok 1 - $what # SKIP $1"
	fi
	echo "1..1"
	exit 0
}
plan_done() {
	echo "1..$count"
	[ "$failed" = 0 ]
	exit
}

if [ "$(id -u)" != 0 ] || [ -z "${VMRUN_USER-}" ]; then
	bail "needs root, and VMRUN_USER; ./bootstrap check as root runs it"
fi
# A namespace of its own: no process that somebody else starts meanwhile is to
# have the mount, and with it a file system that is dead or full.
[ -n "${VMRUN_UNSHARED-}" ] || VMRUN_UNSHARED=1 exec unshare -m sh "$0"
home=$(getent passwd "$VMRUN_USER" | cut -d: -f6)
images=$home/.local/share
[ -d "$top_builddir/tests/tmp/data/vmrun/images" ] && images=$top_builddir/tests/tmp/data
# Not below /tmp: vmrun shares nothing there.
top=$(mktemp -d /srv/vmrun-fault.XXXXXX) || exit 99
tree=$top/mnt
cleanup() { umount -l "$tree" 2>/dev/null; rm -rf "$top"; }
trap cleanup EXIT
mkdir -p "$tree" "$top/bin" "$top/home"
cp "$top_builddir/vmrun" "$top_builddir/vmrunctl" "$top_builddir/vmrun-mux" \
	"$top_builddir/tests/fault/kill-at" "$top_builddir/tests/sys/oracle" "$top/bin"
cp "$top_builddir/tests/sys/stage-dummy" "$top/bin/vmrun-stage"
chmod 755 "$top" "$top/bin"/*
. "$top_srcdir/tests/sys/ownuids.sh"
own_uids "$top/home" "$VMRUN_USER" "$first_uid"
chown -R "$VMRUN_USER" "$top/home"
install -d -o "$VMRUN_USER" -m 700 "/run/user/$(id -u "$VMRUN_USER")"

user() { # user COMMAND...
	setpriv --reuid="$VMRUN_USER" --regid="$(id -g "$VMRUN_USER")" \
		--init-groups env -i HOME="$top/home" USER="$VMRUN_USER" \
		PATH="$top/bin:/usr/bin:/bin" XDG_DATA_HOME="$images" \
		XDG_RUNTIME_DIR="/run/user/$(id -u "$VMRUN_USER")" \
		VMRUN_LIBEXECDIR="$top/bin" "$@" </dev/null
}
