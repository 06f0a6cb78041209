#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Descriptors of every kind, many and large arguments, strange paths.
. "${top_srcdir:?}/tests/vm/lib.sh"

vmrun -q -- sh -c 'echo x; echo y >&2; cat; exit 3' <&- >&- 2>&-
is $? 3 "closed standard streams, all three"
# What is opened later must not be in the place of a closed one: output of the
# application, and messages, would go there.
std_of() { # std_of PID: where standard input, output and error lead
	for fd in 0 1 2; do
		readlink "/proc/$1/fd/$fd"
	done | tr '\n' ' '
}
mkdir "$tmp/share"
vmrun -q --rw "$tmp/share" -- sleep 1000 <&- >&- 2>&- &
pid=$!
wait_for 300 vmrunctl exec sleep -- true
is "$(std_of $pid)" "/dev/full /dev/null /dev/null " "nothing else in their place"
vmrunctl exec sleep -- sh -c 'echo x; echo y >&2; cat; exit 3' <&- >&- 2>&-
is $? 3 "the same of exec"
vmrunctl exec sleep -- sh -c ': >"$0"; exec sleep 1000' "$tmp/share/up" <&- >&- 2>&- &
pid=$!
wait_for 60 test -e "$tmp/share/up"
is "$(std_of $pid)" "/dev/full /dev/null /dev/null " "nothing else in their place there"
vmrunctl ps 2>"$tmp/err" >&-
is "$? $(cat "$tmp/err")" "125 vmrunctl: cannot write standard output: Bad file descriptor" "ps says that it cannot"
vmrunctl kill sleep
wait
vmrun -q -- sh -c 'cat; echo x; echo e >&2; exit 4' <&- >"$tmp/out" 2>"$tmp/err"
is "$? $(cat "$tmp/out" "$tmp/err" | tr '\n' ' ')" "4 x e " "closed standard input: at its end at once"
python3 - >"$tmp/out" 2>"$tmp/err" <<'P'
import socket, subprocess
a, b = socket.socketpair()
p = subprocess.Popen(["vmrun", "-q", "--", "sh", "-c", "read x; echo got $x; cat"], stdin=b, stdout=b)
b.close()
a.sendall(b"line\nrest")
assert a.makefile("rb").readline() == b"got line\n"
a.shutdown(socket.SHUT_WR)
got = b""
while chunk := a.recv(100):
    got += chunk
assert got == b"rest", got
assert p.wait() == 0
P
ok $? "a socket for both directions, closed in one"
printf 'one\ntwo\n' >"$tmp/in"
: >"$tmp/both"
vmrun -q -- sh -c 'cat; echo err >&2; echo end' <"$tmp/in" >>"$tmp/both" 2>&1
is "$(sort "$tmp/both" | tr '\n' ' ')" "end err one two " "regular files, one for output and errors"
is "$(vmrun -q -- wc -c </dev/null 2>"$tmp/err")" 0 "/dev/null"
vmrun -q -- echo x >/dev/full 2>"$tmp/err"
s=$?
[ $s -lt 128 ]
ok $? "/dev/full is no hang ($s)"

# Many shares through --args; strange names; a time zone; large arguments.
i=0
while [ $i -lt 60 ]; do
	mkdir -p "$tmp/many/$i" && echo $i >"$tmp/many/$i/f"
	printf -- '--ro\0%s\0' "$tmp/many/$i:/m/$i"
	i=$((i + 1))
done >"$tmp/args"
odd=$tmp/$(printf 'odd\377\033[1m\nname:with \\ all')
mkdir "$odd" && echo odd >"$odd/f"
escaped=$(printf '%s' "$odd" | sed 's/\\/\\\\/g; s/:/\\:/g')
printf -- '--rw\0%s\0' "$escaped" >>"$tmp/args"
facl "$odd" "$tmp/many" >"$tmp/before"
big=$(head -c 100000 /dev/zero | tr '\0' b)
TZ=XYZ-5:30 vmrun -v --args 3 -e BIG="$big" -- sh -c '
	odd=$1; shift
	cat /m/*/f | sort -n | tail -n 1; ls /m | wc -l
	cat "$odd/f"; echo wrote >"$odd/g"; date +%z
	echo "$# ${#9} ${#BIG} $(echo "$*" | cksum)"' \
	- "$odd" "$big" "$big" "$big" "$big" "$big" "$big" "$big" "$big" "$big" '' 'last *' \
	3<"$tmp/args" >"$tmp/out" 2>"$tmp/err" </dev/null
is $? 0 "60 --ro directories, a strange --rw one, a megabyte of arguments"
set -- "$big" "$big" "$big" "$big" "$big" "$big" "$big" "$big" "$big" '' 'last *'
is "$(tr '\n' ' ' <"$tmp/out")" "59 60 odd +0530 11 100000 100000 $(echo "$*" | cksum) " "all arrive as they are"
hasnt "$tmp/err" "$(printf '\033')" "the strange name is not printed raw"
is "$(cat "$odd/g")" wrote "and can be written to"
rm "$odd/g"
facl "$odd" "$tmp/many" >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "all is as before"
vmrun --dry-run --args 3 -- true 3<"$tmp/args" >"$tmp/out" 2>"$tmp/err"
hasnt "$tmp/out" "$(printf '\033')" "nor raw in --dry-run"
vmrun --dry-run --format json --args 3 -- true 3<"$tmp/args" 2>"$tmp/err" |
	python3 -c 'import json,sys; json.load(sys.stdin)' 2>>"$tmp/err"
ok $? "JSON stays JSON"

refused() { # refused PATTERN DESCRIPTION COMMAND...
	pattern=$1 text=$2
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	[ $? = 125 ] && grep -q -e "$pattern" "$tmp/err"
	ok $? "$text"
}
refused 'args' "--args with a closed descriptor" vmrun --args 9 -- true
refused 'args' "--args with standard input" vmrun --args 0 -- true
printf -- '--ro' >"$tmp/args"
refused . "--args without the last NUL" sh -c 'vmrun --args 3 -- true 3<"$0"' "$tmp/args"
printf -- 'ls\0' >"$tmp/args"
refused . "--args with a command in it" sh -c 'vmrun --args 3 -- true 3<"$0"' "$tmp/args"
refused 'json-status-fd' "--json-status-fd with a closed descriptor" vmrun --json-status-fd 7 -- true
refused 'ready-fd' "--ready-fd too" vmrun --ready-fd 7 -- true
plan_done
