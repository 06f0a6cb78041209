#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# P1, P3, P9: every process of a running VM, seen from the host's /proc; with
# an ordinary process as the control that must fail.
. "${top_srcdir:?}/tests/vm/lib.sh"
audit=$top_srcdir/tests/vm/audit.py

bad=
for p in vmrun vmrunctl vmrun-net vmrun-stage vmrun-mux vmrun-switch \
	vmrun-wayland vmrun-init; do
	f=$top_builddir/$p
	[ -x "$f" ] && [ ! -u "$f" ] && [ ! -g "$f" ] &&
		! python3 -c 'import os,sys; os.getxattr(sys.argv[1], "security.capability")' \
			"$f" 2>/dev/null || bad="$bad $p"
done
is "$bad" "" "none of our programs is set-user-id or has capabilities"

mkdir "$tmp/ro" "$tmp/rw"
echo x >"$tmp/ro/f"
# With windows: to be looked at, all that is wanted is a compositor without
# globals, which only answers wl_display.sync.
python3 -c 'import socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
while True:
    c = s.accept()[0]
    while data := c.recv(4096):
        while data:
            obj, op = struct.unpack_from("=II", data)
            if obj == 1 and op & 0xffff == 0:
                new = struct.unpack_from("=I", data, 8)[0]
                c.send(struct.pack("=III", new, 12 << 16, 0))
            data = data[op >> 16:]' "$tmp/display" &
display=$!
wait_for 100 test -S "$tmp/display"
export WAYLAND_DISPLAY="$tmp/display"
SECRET=leak vmrun -q --socket wayland --ro "$tmp/ro" --rw "$tmp/rw" --tmp /scratch:32M \
	--json-status-fd 3 -- sh -c 'echo up; read x' \
	3>"$tmp/json" >"$tmp/out" 2>"$tmp/err" </dev/zero &
pid=$!
wait_for 600 grep -q up "$tmp/out"
ok $? "a VM runs"
u=$(sed -n 's/.*"uid":\([0-9]*\).*/\1/p' "$tmp/json" | head -n 1)
stage=$(pgrep -P "$pid" vmrun-stage)
# Shares come first in the tree, in order: /0 is --ro, /1 is --rw.
RW="/1 /tree/1" python3 "$audit" "$stage" "$u" >"$tmp/tap" 2>"$tmp/why"
is $? 0 "the audit ran"
sed 's/^/# /' "$tmp/why"
oks "$tmp/tap"
is "$(grep -c ' stage: no_new_privs\| virtiofsd: uids\| qemu: sockets\| mux: no network\| waypipe: nosuid\| wayland: uids' "$tmp/tap")" \
	7 "all six were looked at"
grep ' - /[01] ' "/proc/$stage/mountinfo" >/dev/null 2>&1
ok $((! $?)) "the stage itself has no share left"

# The control: an ordinary process, by the rules for QEMU.
(cd "$tmp" && exec sleep 300) <"$tmp/ro/f" &
control=$!
python3 "$audit" "$stage" "$u" control=$control >"$tmp/control" 2>/dev/null
for p in uids gids 'no groups' uid_map gid_map CapBnd no_new_privs \
	'filter and no capabilities in each thread' 'no other mounts' 'no writable mounts' nosuid \
	'nothing of the person.s environment' 'working directory' \
	'no undeclared descriptors' sockets 'no standard input'; do
	has "$tmp/control" "^0 control: $p$" "control fails: $p"
done
kill $control $pid $display
wait $pid
plan_done
