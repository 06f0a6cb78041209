#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Binary-safe pipes: 64 MiB of random bytes there and back.
. "${top_srcdir:?}/tests/vm/lib.sh"

head -c 67108864 /dev/urandom >"$tmp/in"
vmrun -q -- cat <"$tmp/in" >"$tmp/out" 2>"$tmp/err"
is $? 0 "cat ends well"
cmp "$tmp/in" "$tmp/out" >&2
ok $? "64 MiB come back as they went, files on both sides"
cat "$tmp/in" | vmrun -q -- sh -c 'tee /dev/stderr | cat' 2>"$tmp/two" |
	cat >"$tmp/out"
cmp "$tmp/in" "$tmp/out" >&2
ok $? "and through pipes"
cmp "$tmp/in" "$tmp/two" >&2
ok $? "on standard error at the same time"
: >"$tmp/err"
mkdir "$tmp/x" && echo text >"$tmp/x/file"
tar -C "$tmp" -c x | vmrun -q --ro "$tmp/x" -- gzip -c >"$tmp/out.gz" 2>"$tmp/err"
is "$(gzip -dc "$tmp/out.gz" | tar -xO x/file)" text "tar | vmrun gzip | tar"
# A reader that goes away ends the writer, as it would without a VM.
timeout 120 sh -c 'vmrun -q -- sh -c "yes; exit 3" 2>"$0" | head -n 1' "$tmp/err" >"$tmp/out"
is "$(cat "$tmp/out")" y "vmrun yes | head ends"
plan_done
