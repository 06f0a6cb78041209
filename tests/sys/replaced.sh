#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What has the name of a share at the end of a run is not what was granted: a new
# directory, or a link.  It is left alone, that is said, and gc --deep finds the
# entries where they went.
. "${top_srcdir:?}/tests/vm/lib.sh"
. "${top_srcdir:?}/tests/sys/dummy.sh"

HOME=$tmp/home
export HOME
own_uids "$HOME" "$(id -un)" 6000
VMRUN_LIBEXECDIR=$tmp/libexec
mkfifo "$tmp/go"
entries() { getfacl -Rn "$@" 2>/dev/null | grep -c '^user:[0-9]'; }

for how in directory link; do
	rm -rf "$HOME"
	mkdir -p "$HOME/d" "$HOME/elsewhere"
	echo x >"$HOME/d/file"; echo y >"$HOME/elsewhere/file"
	chmod 600 "$HOME/d/file" "$HOME/elsewhere/file"
	"$top_builddir/tests/sys/oracle" "$HOME/d" >"$tmp/before"
	rm -f "$tmp/up" # of the one before
	vmrun --rw "$HOME/d" -- sh -c "echo up; read x" <"$tmp/go" >"$tmp/up" 2>"$tmp/err" &
	pid=$!
	exec 7>"$tmp/go"
	wait_for 60 grep -q up "$tmp/up"
	mv "$HOME/d" "$HOME/away"
	if [ $how = link ]; then
		ln -s elsewhere "$HOME/d"
	else
		mkdir "$HOME/d"
		echo z >"$HOME/d/file"
	fi
	setfacl -m u:3000:r "$HOME/d/file"
	echo >&7; exec 7>&-
	wait $pid
	is $? 0 "a $how: the run ends well"
	has "$tmp/err" "is no longer what was granted" "a $how: this is said"
	is "$(entries "$HOME/d/")" 1 "a $how: what is there keeps its ACL"
	[ "$(entries "$HOME/away")" -gt 1 ]
	ok $? "a $how: what was granted has its entries where it is"
	vmrunctl gc --deep >"$tmp/out" 2>"$tmp/err"
	is $? 0 "a $how: gc --deep"
	"$top_builddir/tests/sys/oracle" "$HOME/away" >"$tmp/after"
	cmp "$tmp/before" "$tmp/after" >&2
	ok $? "a $how: finds them, and all is as before"
done
plan_done
