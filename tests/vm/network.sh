#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# --net with real machines, in a test network that nothing leaves: what a
# ruleset allows, what it does not, neighbours, and each part killed.
#
# Run by root (./bootstrap check does), with the name of an ordinary user in
# VMRUN_USER: only root can leave this machine's network.
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

vm --net nosuch -- true
is $st 125 "a ruleset that is not there: 125"
has "$tmp/err" 'there is no ruleset "nosuch"' "and why"
vm --net broken -- true
is $st 125 "a ruleset with an error: 125"
has "$tmp/err" 'broken.nft:3: ' "and its line"
vm --net ../web -- true
is $st 125 "a name that is a path: 125"
vmrunctl net show web >"$tmp/out" 2>"$tmp/err"
is $? 1 "net show: nobody uses it"
has "$tmp/err" 'nobody uses network web' "and that is said"

python3 "$top_srcdir/tests/vm/network.py" "$tmp" >"$tmp/tap" 2>"$tmp/why"
is $? 0 "it was played to its end"
sed 's/^/# /' "$tmp/why"
oks "$tmp/tap"
plan_done
