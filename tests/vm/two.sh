#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Two VMs at once cannot touch each other; one leaving disturbs nothing.
. "${top_srcdir:?}/tests/vm/lib.sh"

mkdir "$tmp/a" "$tmp/b" "$tmp/both"
echo a >"$tmp/a/f"; echo b >"$tmp/b/f"; echo both >"$tmp/both/f"
chmod 700 "$tmp/a" "$tmp/b" "$tmp/both"
facl "$tmp/a" "$tmp/b" "$tmp/both" >"$tmp/before"
mkfifo "$tmp/go"
vmrun -q --rw "$tmp/a" --rw "$tmp/both" --json-status-fd 3 -e T="$tmp" -- sh -c '
	echo up; read x; cat "$T/b/f" 2>&1; cat "$T/both/f"; ps ax | grep -c [q]emu; echo last >"$T/both/g"' \
	<"$tmp/go" >"$tmp/out1" 2>"$tmp/err" 3>"$tmp/j1" &
p1=$!
exec 8>"$tmp/go"
vmrun -q --rw "$tmp/b" --ro "$tmp/both" --json-status-fd 3 -e T="$tmp" -- sh -c '
	echo up; cat "$T/a/f" 2>&1; (echo x >"$T/both/f") 2>&1; cat "$T/both/f"' \
	</dev/null >"$tmp/out2" 2>>"$tmp/err" 3>"$tmp/j2"
is $? 0 "the second ends"
wait_for 600 grep -q up "$tmp/out1"
u1=$(sed -n 's/.*"uid":\([0-9]*\).*/\1/p' "$tmp/j1" | head -n 1)
u2=$(sed -n 's/.*"uid":\([0-9]*\).*/\1/p' "$tmp/j2" | head -n 1)
[ -n "$u1" ] && [ -n "$u2" ] && [ "$u1" != "$u2" ]
ok $? "each has a UID of its own ($u1, $u2)"
has "$tmp/out2" "a/f: No such file" "the second does not see the first one's grant"
has "$tmp/out2" "Read-only\|Permission denied" "--ro stays --ro while another VM has it --rw"
has "$tmp/out2" '^both$' "and can be read"
getfacl -n "$tmp/both" 2>/dev/null >"$tmp/acl"
has "$tmp/acl" "user:$u1:rwx" "the first one's grant survives the second one's end"
hasnt "$tmp/acl" "user:$u2" "the second one's is gone"
exec 7>&8
echo go >&8
exec 8>&- 7>&-
wait $p1
is $? 0 "the first ends"
has "$tmp/out1" "b/f: No such file" "it does not see the second one's grant either"
is "$(cat "$tmp/both/g")" last "it could still write"
is "$(stat -c %u "$tmp/both/g")" "$(id -u)" "and the file is the person's"
rm "$tmp/both/g"
facl "$tmp/a" "$tmp/b" "$tmp/both" >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "modes and ACLs are as before"
plan_done
