#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A VM that starts while `reclaim` or `gc --deep` look: what it has is left to it.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"

HOME=$tmp/home # --deep looks through all of it
export HOME
own_uids "$HOME" "$(id -un)" 8000
mkdir -p "$HOME/d" "$HOME/other" "$HOME/.local"
echo x >"$HOME/d/file"; chmod 600 "$HOME/d/file"
VMRUN_LIBEXECDIR=$tmp/libexec
first=$(sed -n "s/^$(id -un):\([0-9]*\):.*/\1/p" /etc/subuid | head -n 1)
mkfifo "$tmp/go"

# Begins a VM with d, which makes a file there.
cat >"$tmp/begin" <<END
rm -f "$tmp/down"; : >"$tmp/up"
{
	vmrun -q --json-status-fd 3 \$(cat "$tmp/options") --rw "$HOME/d" -- \
		sh -c "echo x >$HOME/d/made; echo up; read x" \
		3>"$tmp/json" <"$tmp/go" >"$tmp/up" 2>&1
	: >"$tmp/down"
} &
i=0
until grep -q up "$tmp/up"; do
	i=\$((i + 1)); [ \$i -lt 600 ] || exit 1
	sleep 0.1
done
END
# Runs vmrunctl; when it is about to list DIRECTORY first, the VM begins.
meanwhile() { # meanwhile OPTIONS DIRECTORY VMRUNCTL-ARGUMENT...
	echo "$1" >"$tmp/options"
	dir=$2
	shift 2
	rm -f "$tmp/calls"
	exec 7<>"$tmp/go"
	"$top_builddir/tests/fault/fail-at" 1 "run:sh '$tmp/begin'" "list:$dir" \
		"$tmp/calls" vmrunctl "$@" >"$tmp/out" 2>"$tmp/err"
	st=$?
	[ $st != 77 ] || bail "fail-at does not know this machine"
	uid=$(sed -n 's/.*"uid":\([0-9]*\).*/\1/p' "$tmp/json")
	has "$tmp/up" up "($* while a VM begins)"
}
left_alone() { # left_alone TEXT: then the VM ends
	getfacl -n "$HOME/d/file" 2>/dev/null | grep -q "^user:$uid:rw"
	ok $? "$1: its entries are left"
	is "$(stat -c %u "$HOME/d/made")" "$uid" "$1: and its files"
	echo >&7
	wait_for 60 test -e "$tmp/down"
	exec 7>&-
	rm "$HOME/d/made"
}

vmrun -q -- true </dev/null # the first one looks through the home directory before
meanwhile "" "$HOME/d" reclaim --all "$HOME/d"
is $st 0 "reclaim --all"
has "$tmp/err" "what VMs have that are running was left" "this is said"
left_alone "a VM that is new"

vmrun -q --alias web --rw "$HOME/d" -- true </dev/null
meanwhile "--alias web" "$HOME/d" reclaim "$HOME/d"
is $st 0 "reclaim"
has "$tmp/err" "what alias web has was left: .*running" "this is said, too"
left_alone "an alias"
meanwhile "" "$HOME/d" reclaim "$HOME/d"
left_alone "a new VM, without --all"
vmrunctl alias forget web >&2

# A UID that is free, though something has its entry, is the only one that is
# left to hand out.
setfacl -Rb "$HOME/d"
vmrun -q --json-status-fd 3 -- true 3>"$tmp/json" </dev/null
free=$(sed -n 's/.*"uid":\([0-9]*\).*/\1/p' "$tmp/json")
python3 -c 'import sqlite3, sys
d = sqlite3.connect(sys.argv[1])
d.execute("UPDATE identities SET status=? WHERE uid=?", ("free", sys.argv[2]))
d.commit()' "$tmp/state/vmrun/state.db" "$free"
sed -i "s/^\([0-9][0-9]*\) [0-9]*$/\1 $((first + 65536))/" "$tmp/state/vmrun/highwater" \
	"$HOME/.local/state/vmrun/highwater"
setfacl -m "u:$free:rwx" "$HOME/other"
meanwhile "" "$HOME" gc --deep
is "$uid" "$free" "(the UID is used again)"
is $st 1 "gc --deep says that not all is clean"
has "$tmp/out" "a VM that began meanwhile has UID $uid: .*, e.g. $HOME/" "why, and where"
left_alone "a UID that is used again"
vmrunctl gc --deep >"$tmp/out" 2>"$tmp/err"
getfacl -cn "$HOME/other" 2>/dev/null | grep -q "^user:$free"
is $? 1 "later what it left is cleaned"
plan_done
