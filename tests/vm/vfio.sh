#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A network card of this machine for a VM (--nic pci:, uplink = pci:), on a machine
# with an IOMMU: one that QEMU emulates, which has this machine's files, read-only.
# Run by root, with the name of a user in VMRUN_USER: root gives the card up there,
# the user runs vmrun.  VMs are only seen to start.  With VMRUN_LONG one boots, by
# software emulation inside of software emulation, and a packet goes through it:
# four minutes on an idle machine.
if [ "$(id -u)" != 0 ]; then
	. "${top_srcdir:?}/tests/vm/lib.sh" # for the image
	[ -n "${VFIO_IMAGE-}" ] && exit
	bail "to be run by root, as ./bootstrap check does"
fi
: "${top_builddir:?}" "${top_srcdir:?}" "${VMRUN_USER:?}"
bail() {
	if [ -n "${VMRUN_MUST_WORK-}" ]; then
		printf '1..1\nnot ok 1 - vfio (skipped: %s)\n' "$1"
		exit 1
	fi
	echo "1..0 # SKIP $1"
	exit 0
}
home=$(getent passwd "$VMRUN_USER" | cut -d: -f6)
debs=${VMRUN_TEST_KERNEL_DEB-$home/.cache/vmrun}
deb=$(find "$debs" -name 'linux-image-*.deb' 2>/dev/null | sort | tail -n 1)
[ -n "$deb" ] || bail "no guest kernel; run ./bootstrap image first"
! ldd "$(command -v busybox)" >/dev/null 2>&1 || bail "busybox is not static"
server=
for s in /usr/lib/qemu/virtiofsd /usr/libexec/virtiofsd; do
	[ ! -x $s ] || server=$s
done
[ -n "$server" ] || bail "no virtiofsd"
cd "$top_builddir" || exit 99
top_builddir=$(pwd) top_srcdir=$(cd "$top_srcdir" && pwd)
setpriv --reuid="$VMRUN_USER" --regid="$VMRUN_USER" --init-groups env \
	HOME="$home" USER="$VMRUN_USER" VFIO_IMAGE=1 \
	VMRUN_TEST_KERNEL_DEB="$debs" top_builddir="$top_builddir" \
	top_srcdir="$top_srcdir" sh "$top_srcdir/tests/vm/vfio.sh" >/dev/null ||
	bail "no image"

tmp=$(mktemp -d /tmp/vfio.XXXXXX)
trap 'rm -rf "$tmp"' EXIT
dpkg-deb -x "$deb" "$tmp/deb" || exit 99
python3 "$top_srcdir/tests/vm/vfio-machine.py" "$tmp" "$server" \
	"$top_srcdir/tests/vm/vfio-inside.sh" "$top_srcdir" "$top_builddir" \
	"$VMRUN_USER" "${VMRUN_LONG-}" >"$tmp/said" 2>"$tmp/why"
st=$?
n=0 bad=0
while read -r tap good text; do
	[ "$tap" = TAP ] || continue
	n=$((n + 1))
	case $good in
	1) echo "ok $n - $text" ;;
	*) bad=1 && echo "not ok $n - $text" ;;
	esac
done <"$tmp/said"
n=$((n + 1))
if grep -q '^TAP-END' "$tmp/said"; then
	echo "ok $n - it was played to its end"
else
	bad=1
	echo "not ok $n - it was played to its end"
fi
if [ $st != 0 ] || [ $bad != 0 ]; then
	grep -v '^TAP' "$tmp/said" | tail -n 60 | sed 's/^/# /'
	sed 's/^/# /' "$tmp/why"
fi
echo "1..$n"
exit $bad
