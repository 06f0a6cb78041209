#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Bad input: one clear message, status 125, nothing left behind.
. "${top_srcdir:?}/tests/vm/lib.sh"

mkdir -p "$tmp/d/sub" "$tmp/real"
ln -s real "$tmp/link"
refused() { # refused PATTERN DESCRIPTION vmrun-arguments...
	pattern=$1 text=$2
	shift 2
	vm "$@"
	[ $st = 125 ] && grep -q -e "$pattern" "$tmp/err" &&
		[ "$(grep -c '^vmrun: ' "$tmp/err")" -le 2 ]
	ok $? "$text"
}
facl "$tmp/d" >"$tmp/before"
refused 'no-such' "a missing source" --ro "$tmp/no-such" -- true
refused 'symbolic link' "a symlink source" --ro "$tmp/link" -- true
refused "$tmp/d" "the same source twice" --ro "$tmp/d" --ro "$tmp/d" -- true
refused "$tmp/d/sub" "a source inside another" --ro "$tmp/d" --rw "$tmp/d/sub" -- true
refused '/x' "the same destination twice" --ro "$tmp/d:/x" --ro "$tmp/real:/x" -- true
refused '/proc' "/proc as destination" --ro "$tmp/d:/proc/x" -- true
refused 'relative\|absolute' "a relative destination" --ro "$tmp/d:x" -- true
for bad in / "$HOME" /proc /sys /dev /tmp /var/tmp /run; do
	refused "$bad" "$bad as source" --ro "$bad" -- true
done
refused 'not yours\|belongs to\|owned' "a directory of somebody else, to write" --rw /usr -- true
refused 'no-such-option' "an unknown option" --no-such-option -- true
refused 'image' "an image that is not there" --image nothere -- true
refused '--mem' "a nonsensical size" --mem lots -- true
refused 'COMMAND\|command' "no command" --ro "$tmp/d"
XDG_STATE_HOME=$tmp/d refused "state" "vmrun's own state as source" --rw "$tmp/d" -- true
rm -rf "$tmp/d/vmrun"
facl "$tmp/d" >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "nothing was changed by any of these"
VMRUN_QEMU=/nonexistent refused 'VMRUN_QEMU' "no QEMU" -- true
VMRUN_VIRTIOFSD=/nonexistent refused 'VIRTIOFSD' "no virtiofsd" -- true
vm --dry-run --rw "$tmp/d" --ro "$tmp/real" -- true
is $st 0 "--dry-run"
has "$tmp/out" 'qemu-system' "shows QEMU's command line"
has "$tmp/out" 'virtiofsd' "and virtiofsd's"
has "$tmp/out" "$tmp/d" "and the grants"
facl "$tmp/d" >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "and changes nothing"
vm --dry-run --format json --rw "$tmp/d" -- true
python3 -m json.tool <"$tmp/out" >/dev/null 2>"$tmp/err"
ok $? "--dry-run --format json is JSON"
# sqlite3 is not needed for this: ps lists what lives
is "$(vmrunctl ps | wc -l)" 1 "no VM is left in the list"
plan_done
