#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Binary-safe pipes: 64 MiB of random bytes there and back.
. "${top_srcdir:?}/tests/vm/lib.sh"

head -c 67108864 /dev/urandom >"$tmp/in"
vmrun -q -- cat <"$tmp/in" >"$tmp/out" 2>"$tmp/err"
is $? 0 "cat ends well"
cmp "$tmp/in" "$tmp/out" >&2
ok $? "64 MiB come back as they went, files on both sides"
# The reader takes its time over the last of it, when the command has ended.
cat "$tmp/in" | { vmrun -q -- sh -c 'tee /dev/stderr | cat' 2>"$tmp/two"; echo $? >"$tmp/st"; } |
	{ head -c 67000000; sleep 20; cat; } >"$tmp/out"
is "$(cat "$tmp/st")" 0 "and through pipes, to a reader that pauses"
cmp "$tmp/in" "$tmp/out" >&2
ok $? "nothing of it is lost"
cmp "$tmp/in" "$tmp/two" >&2
ok $? "on standard error at the same time"
: >"$tmp/err"
mkdir "$tmp/x" && echo text >"$tmp/x/file"
tar -C "$tmp" -c x | vmrun -q --ro "$tmp/x" -- gzip -c >"$tmp/out.gz" 2>"$tmp/err"
is "$(gzip -dc "$tmp/out.gz" | tar -xO x/file)" text "tar | vmrun gzip | tar"
# A reader that goes away ends the writer, as it would without a VM.
timeout 600 sh -c 'vmrun -q -- sh -c "yes; exit 3" 2>"$0" | head -n 1' "$tmp/err" >"$tmp/out"
is "$(cat "$tmp/out")" y "vmrun yes | head ends"
mkfifo "$tmp/fifo"
exec 3<>"$tmp/fifo"; echo hi >&3; exec 4<"$tmp/fifo" 3>&-
timeout 600 vmrun -q -- cat <&4 >"$tmp/out" 2>"$tmp/err"
is "$? $(cat "$tmp/out")" "0 hi" "a named pipe whose writer has gone has an end"
exec 4<&-

# What cannot be written is not lost without a word; -q or not.
vmrun -q -- echo hi >/dev/full 2>"$tmp/err"
is "$?:$(head -n 1 "$tmp/err")" \
	"125:vmrun: cannot write standard output: No space left on device" \
	"lost output is an error"
vmrun -q --json-status-fd 3 -- sh -c 'echo hi >&2' 2>/dev/full 3>"$tmp/json"
is "$?:$(tail -n 1 "$tmp/json")" '125:{"exit-code":125,"reason":"output"}' \
	"standard error too, and its reason is told"
vmrun -q -- sh -c 'echo hi; exit 3' >/dev/full 2>"$tmp/err"
is "$?:$(grep -c 'cannot write standard output' "$tmp/err")" 3:1 \
	"another status than 0 stays"
# Nor is what cannot be read an end of file.
vmrun -q --json-status-fd 3 -- cat <"$tmp" 2>"$tmp/err" 3>"$tmp/json"
is "$?:$(cat "$tmp/err")" "125:vmrun: cannot read standard input: Is a directory" \
	"input that cannot be read is an error"
has "$tmp/json" '"exit-code":125,"reason":"input"' "and its reason is told"
plan_done
