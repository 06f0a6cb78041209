#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A walk under attack: a directory of the tree and a symbolic link to the
# outside change places all the time.  Nothing outside may get an entry.  The
# control is `setfacl -R -P`, which the same attack leads outside.
#
# In trees of thousands of names, which second threads go through, see race.c:
# VMRUN_RACE_WALKS walks (120; 10,000 with VMRUN_LONG=1).

walks=40
long=${VMRUN_RACE_WALKS:-120}
[ -z "$VMRUN_LONG" ] || long=${VMRUN_RACE_WALKS:-10000}
control_tries=1000
uid=104711
top=${top_builddir:-.}
case $top in
/*) ;;
*) top=$PWD/$top ;;
esac
tool=$top/tests/sys/grant-tool
dir=$(mktemp -d "${TMPDIR:-/var/tmp}/vmrun-race-XXXXXX") || exit 99
swapper=
n=0

clean() {
	[ -z "$swapper" ] || kill -KILL "$swapper" 2>/dev/null
	rm -rf "$dir"
}
trap clean EXIT
trap 'exit 99' INT TERM HUP

ok() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
	fi
}

skip() {
	if [ -n "$VMRUN_MUST_WORK" ]; then
		ok 1 "$1 (skipped: $2)"
		return
	fi
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

skip_all() {
	if [ -n "$VMRUN_MUST_WORK" ]; then
		echo "not ok 1 - grants under attack: $1"
		echo "1..1"
		exit 1
	fi
	echo "1..0 # SKIP $1"
	exit 0
}

make_tree() {
	mkdir -p "$dir/tree/in" "$dir/out"
	i=0
	while [ $i -lt 64 ]; do
		: >"$dir/tree/in/$i"
		: >"$dir/out/$i"
		i=$((i + 1))
	done
	# Work between the listing of a name and its turn: time to be attacked.
	i=0
	while [ $i -lt 200 ]; do
		: >"$dir/tree/filler$i"
		i=$((i + 1))
	done
	chmod -R go= "$dir/tree" "$dir/out"
	ln -s ../out "$dir/tree/link"
}

start_swapping() {
	"$tool" swap "$dir/tree/in" "$dir/tree/link" &
	swapper=$!
}

stop_swapping() {
	kill -KILL "$swapper"
	wait "$swapper" 2>/dev/null
	swapper=
}

entries() {
	getfacl -R -P -n -p "$1" 2>/dev/null | grep -c ":$uid:"
}

command -v setfacl >/dev/null && command -v getfacl >/dev/null ||
	skip_all "setfacl and getfacl are not installed"
[ -x "$tool" ] || skip_all "$tool is not built"
make_tree
setfacl -m "u:$uid:r" "$dir/out/0" 2>/dev/null ||
	skip_all "no ACLs in ${TMPDIR:-/var/tmp}"
setfacl -b "$dir/out/0"

"$tool" apply rw $uid "$dir/tree" >/dev/null
[ "$(entries "$dir/tree")" -gt 64 ]
ok $? "without the attack, the tree is granted"
"$tool" revoke rw $uid "$dir/tree" >/dev/null
[ "$(entries "$dir/tree")" -eq 0 ]
ok $? "and revoked"

# Walks of one kind, under attack.  Sets `failed`.
walk() {
	start_swapping
	failed=0
	i=0
	while [ $i -lt "$walks" ]; do
		"$tool" "$1" rw $uid "$dir/tree" >/dev/null ||
			failed=$((failed + 1))
		i=$((i + 1))
	done
	kill -0 "$swapper" 2>/dev/null
	ok $? "$walks times $1: the attack ran all the time"
	stop_swapping
	[ $failed -eq 0 ]
	ok $? "$walks times $1: no walk failed"
}

walk apply
[ "$(entries "$dir/out")" -eq 0 ]
ok $? "nothing outside got an entry"

setfacl -m "u:$uid:r" "$dir/out" "$dir/out"/*
before=$(entries "$dir/out")
walk revoke
[ "$before" -eq 65 ] && [ "$(entries "$dir/out")" -eq "$before" ]
ok $? "nothing outside lost an entry"
"$tool" revoke rw $uid "$dir/tree" >/dev/null &&
	[ "$(entries "$dir/tree")" -eq 0 ]
ok $? "one more, in peace, leaves nothing in the tree"

mkdir "$dir/large"
"$top/tests/sys/race" "$dir/large" "$long"
ok $? "$long walks with threads: nothing outside got or lost an entry"

rm -rf "$dir/tree" "$dir/out"
make_tree
start_swapping
i=0
while [ $i -lt $control_tries ] && [ "$(entries "$dir/out")" -eq 0 ]; do
	setfacl -R -P -m "u:$uid:rX" "$dir/tree" 2>/dev/null
	i=$((i + 1))
done
stop_swapping
if [ "$(entries "$dir/out")" -gt 0 ]; then
	ok 0 "control: setfacl -R -P was led outside (try $i)"
else
	skip "control: setfacl -R -P is led outside" \
		"not in $control_tries tries; the attack proves less"
fi
echo "1..$n"
