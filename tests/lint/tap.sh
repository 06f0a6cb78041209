# shellcheck shell=sh
# SPDX-License-Identifier: GPL-3.0-or-later
# TAP for the lint tests.  Source it; call `plan_done` last.
set -u
: "${top_srcdir:?}" "${top_builddir:?}"
count=0 failed=0

ok() { # ok CONDITION-STATUS DESCRIPTION
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		failed=$((failed + 1))
	fi
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
none() { # none TEXT DESCRIPTION: TEXT is what was found wrong
	[ -z "$1" ]
	r=$?
	ok $r "$2"
	[ $r = 0 ] || printf '%s\n' "$1" | sed 's/^/# /'
}
# Tools whose releases disagree: one release of the distribution decides.
decided_elsewhere() {
	if [ -n "${VMRUN_TOOLS_ELSEWHERE-}" ]; then
		echo "1..0 # SKIP decided by the tools of Debian 12"
		exit 0
	fi
}
has_tool() { command -v "$1" >/dev/null 2>&1; }
plan_done() {
	echo "1..$count"
	[ $failed = 0 ]
	exit
}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
