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
refused "$tmp/d" "the same source twice" --ro "$tmp/d" --rw "$tmp/d" -- true
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
mkdir -p "$tmp/conf/vmrun/profiles"
echo 'no-such-key = 1' >"$tmp/conf/vmrun/profiles/odd.conf"
XDG_CONFIG_HOME=$tmp/conf vmrun --json-status-fd 3 --profile odd -- true \
	2>"$tmp/err" 3>"$tmp/json"
is "$?:$(cat "$tmp/json")" '125:{"exit-code":125,"reason":"setup"}' \
	"a mistake in a profile is told as JSON, too"
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
# More shares than the soft limit of descriptors.
i=0
mkdir "$tmp/many"
while [ $i -lt 1100 ]; do
	mkdir "$tmp/many/$i" && printf -- '--ro\0%s\0' "$tmp/many/$i"
	i=$((i + 1))
done >"$tmp/args"
hard=$(prlimit --nofile --noheadings -o HARD | tr -d ' ')
if [ "$hard" != unlimited ] && [ "$hard" -lt 1300 ]; then
	skip "1100 shares" "the hard limit of descriptors is $hard"
else
	prlimit --nofile=1024: vmrun -q --dry-run --args 3 -- true 3<"$tmp/args" >"$tmp/out" 2>"$tmp/err"
	is $? 0 "1100 shares"
fi
rm -r "$tmp/many"
# shellcheck disable=SC2046 # words
vmrun --dry-run -- echo $(seq 70000) >"$tmp/out" 2>"$tmp/err"
is $? 125 "a command of 70001 words"
has "$tmp/err" 'more than 65536' "and that is said"
{ printf -- '-e\0BIG='; head -c 131072 /dev/zero | tr '\0' x; printf '\0'; } >"$tmp/args"
vmrun --dry-run --args 3 -- true 3<"$tmp/args" >"$tmp/out" 2>"$tmp/err"
is $? 125 "a variable that execve(2) does not take"
has "$tmp/err" 'the variable BIG, of 131076 bytes' "and that is said"
elsewhere=$(mktemp -d /tmp/vmrun-refuse.XXXXXX)
cp /usr/bin/true "$elsewhere/qemu"
VMRUN_QEMU=$elsewhere/qemu refused 'programs of /usr only' "QEMU at a place that the sandbox does not have" -- true
rm -r "$elsewhere"
# A home that is reached through a link.
mkdir -p "$tmp/real/proj/sub"
ln -s real "$tmp/home"
(cd "$tmp/home/proj" && HOME=$tmp/home vmrun -q --dry-run --rw sub -- ls sub) >"$tmp/out" 2>"$tmp/err"
has "$tmp/out" "in $tmp/home/proj," "the command starts where its share is, as the person calls that"
# sqlite3 is not needed for this: ps lists what lives
is "$(vmrunctl ps | wc -l)" 1 "no VM is left in the list"
# What cannot be written is said, whichever verb it is.
for words in "vmrun --help" "vmrun --version" "vmrunctl --help" \
	"vmrunctl --version" "vmrunctl ps" "vmrunctl ps --json" \
	"vmrunctl ps --help" "vmrunctl alias list --json" \
	"vmrunctl net list --json" \
	"vmrunctl image list" "vmrunctl gc --json" "vmrunctl grants --json"; do
	$words >/dev/full 2>"$tmp/err"
	is $? 125 "$words: output that is lost"
	has "$tmp/err" 'No space left on device' "and that is said"
done
for words in "revoke x" reclaim why "grants --path"; do
	# shellcheck disable=SC2086 # several words
	(cd "$tmp/d" && vmrunctl $words "") >"$tmp/out" 2>"$tmp/err"
	is $? 125 "${words% x} of no path is not the current directory"
done
vmrunctl grants --alias nobody 2>"$tmp/err"
is $? 125 "grants of an alias that there is not"
has "$tmp/err" 'there is no alias nobody' "and that is said"
plan_done
