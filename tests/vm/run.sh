#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Exit statuses, streams, environment and identity of a command in a VM.
. "${top_srcdir:?}/tests/vm/lib.sh"

reason() { # reason STATUS WORD: what --json-status-fd said last
	is "$(tail -n 1 "$tmp/json")" "{\"exit-code\":$1,\"reason\":\"$2\"}" "also in the JSON status"
}
vm --json-status-fd 3 -- sh -c 'exit 42' 3>"$tmp/json"
is $st 42 "the exit status is the command's"
reason 42 exit
vm --json-status-fd 3 -- sh -c 'kill -9 $$' 3>"$tmp/json"
is $st 137 "128+n if signal n ended it"
reason 137 signal
vm -- sh -c 'kill -TERM $$'
is $st 143 "SIGTERM too"
vm --json-status-fd 3 -- no-such-command 3>"$tmp/json"
is $st 127 "127 if the guest has no such command"
has "$tmp/err" "no-such-command" "the message names it"
reason 127 not-found
vm --json-status-fd 3 -- /etc/passwd 3>"$tmp/json"
is $st 126 "126 if it cannot be executed"
reason 126 not-executable
# One boot for many cases: what the command sees, then judged here.
HOST_SECRET=leak vm -e GIVEN=yes -e LANG=C -- sh -c '
	echo out; echo err >&2
	echo "uid $(id -u) $(id -g) $(id -G)"
	echo "env:"; env | sort; echo "."
	echo "home $HOME $(stat -c "%u %a" "$HOME")"
	echo "pwd $(pwd)"
	echo "dev $(ls /dev | tr "\n" " ")"
	echo "mounts:"; cat /proc/mounts; echo "."
	echo "nsw $(cat /etc/nsswitch.conf | head -n 1)"
	echo "passwd:"; cat /etc/passwd; echo "."
	echo "whoami $(id -un)"
	echo "host $(hostname) $(wc -c </etc/machine-id)"
	echo "net:"; cat /proc/net/dev; echo "."
	echo "caps $(grep -E "Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs" /proc/self/status | tr -s "\t\n" " ")"
	echo "rundir $XDG_RUNTIME_DIR $(stat -c "%u %a" "$XDG_RUNTIME_DIR")"
	touch /usr/x 2>/dev/null && echo "usr writable"
	touch /x 2>/dev/null && echo "root writable"
	echo t >/tmp/t && echo "tmp $(cat /tmp/t)"
	echo "shm $(stat -fc %T /dev/shm)"
	echo "clock $(date +%s)"
	echo "init $(cat /proc/1/comm)"
	cat /proc/cmdline'
is $st 0 "many things in one VM"
has "$tmp/out" '^out$' "standard output arrives"
hasnt "$tmp/out" '^err$' "standard error does not mix with it"
has "$tmp/err" '^err$' "standard error arrives by itself"
u=$(sed -n 's/^uid \([0-9]*\) .*/\1/p' "$tmp/out")
range=$(awk -F: -v u="$(id -un)" '$1 == u { print $2, $2 + $3 }' /etc/subuid | head -n 1)
[ "${u:-0}" -ge "${range% *}" ] && [ "$u" -lt "${range#* }" ]
ok $? "the UID ($u) is one of the person's subordinate ids"
is "$(sed -n 's/^uid [0-9]* \([0-9]*\) \([0-9 ]*\)$/\1=\2/p' "$tmp/out")" \
	"$u=$u" "its group is its own, and there are no others" 
is "$(sed -n 's/^whoami //p' "$tmp/out")" "$(id -un)" "it has the person's name"
has "$tmp/out" '^GIVEN=yes$' "-e reaches the command"
hasnt "$tmp/out" 'HOST_SECRET' "the rest of the environment does not"
has "$tmp/out" '^container=vmrun$' "container=vmrun is set"
has "$tmp/out" "^home $HOME $u 700$" "HOME is where the person's is, and its own"
has "$tmp/out" "^rundir /run/user/$u $u 700$" "XDG_RUNTIME_DIR is its own"
is "$(sed -n 's/^dev //p' "$tmp/out" | tr ' ' '\n' | sort | tr '\n' ' ')" \
	" fd full null ptmx pts random shm stderr stdin stdout tty urandom zero " \
	"/dev has the usual nodes and no others"
hasnt "$tmp/out" 'usr writable' "/usr is read-only"
hasnt "$tmp/out" 'root writable' "/ cannot be written by the command"
has "$tmp/out" '^tmp t$' "/tmp can"
has "$tmp/out" '^shm tmpfs$' "/dev/shm is there"
has "$tmp/out" 'NoNewPrivs: 1' "no new privileges in the guest either"
has "$tmp/out" 'CapBnd: 0000000000000000' "no capabilities in the guest either"
is "$(sed -n '/^net:/,/^\./p' "$tmp/out" | grep -c ': ')" 1 "no network but lo"
has "$tmp/out" '^init vmrun-init$' "PID 1 is vmrun-init"
c=$(sed -n 's/^clock //p' "$tmp/out")
now=$(date +%s)
[ "${c:-0}" -gt $((now - 120)) ] && [ "$c" -le $((now + 5)) ]
ok $? "the guest's clock is the host's"
vm -- sh -c 'readlink /var/run /var/lock /etc/mtab; stat -c %a /run/lock; hostname -f
	cat /proc/sys/net/ipv4/ping_group_range /proc/sys/fs/inotify/max_user_watches
	. /etc/os-release; echo "${ID:+has an id}"; grep -c " / " /etc/mtab'
is "$(tr '\n\t' '  ' <"$tmp/out")" \
	"../run ../run/lock ../proc/self/mounts 1777 sh 0 2147483647 524288 has an id 1 " \
	"what programs expect of any system"
printf 'hello' | vmrun -q -- cat >"$tmp/out" 2>"$tmp/err"
is "$(cat "$tmp/out")" hello "standard input arrives"
: >"$tmp/out"
vmrun -q -- sh -c 'echo gone' >&- 2>"$tmp/err" </dev/null
is $? 0 "a closed standard output is no error"
plan_done
