# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# Sourced by tests of --net: root starts the test anew as an ordinary user in
# the world of testnet.sh; that user has lib.sh and three rulesets, `web` with
# port 8081 besides.  Only root can leave this machine's network, so these tests
# are run by root (./bootstrap check does), with the name of the user in
# VMRUN_USER.
if [ "$(id -u)" = 0 ] && [ -n "${VMRUN_USER-}" ]; then
	uid=$(id -u "$VMRUN_USER")
	home=$(getent passwd "$VMRUN_USER" | cut -d: -f6)
	self=$(realpath "$0")
	cd "${top_builddir:?}" || exit 99
	exec sh "${top_srcdir:?}/tests/vm/testnet.sh" setpriv --reuid="$uid" \
		--regid="$(id -g "$VMRUN_USER")" --init-groups \
		env HOME="$home" USER="$VMRUN_USER" LOGNAME="$VMRUN_USER" \
		XDG_RUNTIME_DIR="/run/user/$uid" \
		VMRUN_TEST_KERNEL_DEB="${VMRUN_TEST_KERNEL_DEB-$home/.cache/vmrun}" \
		sh "$self"
fi
. "${top_srcdir:?}/tests/vm/lib.sh"
[ -n "${TESTNET-}" ] || bail "to be run by root, as ./bootstrap check does"
# One that others of this user use is none of this test's.
mkdir -p "$tmp/run" && chmod 700 "$tmp/run"
XDG_RUNTIME_DIR=$tmp/run
export XDG_RUNTIME_DIR
mkdir -p "$XDG_CONFIG_HOME/vmrun/net" "$XDG_CONFIG_HOME/vmrun/profiles"
net=$XDG_CONFIG_HOME/vmrun/net
{ cat "$top_srcdir/rulesets/web.nft" && echo "tcp dport 8081 accept"; } >"$net/web.nft"
echo 'tcp dport { 22, 8080 } accept' >"$net/other.nft"
printf 'tcp dport 80 accept\n\ntcp dprot 81 accept\n' >"$net/broken.nft"
