#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What U can do: on the host, outside of the sandbox's mounts, as somebody who
# broke out of QEMU and of all of its mounts; and in the guest.
. "${top_srcdir:?}/tests/vm/lib.sh"
esc=$(printf '\033')

mkdir "$tmp/a" "$tmp/b" "$tmp/private" "$tmp/ro" "$tmp/ro/sub"
for d in a b private; do chmod 700 "$tmp/$d" && echo "secret $d" >"$tmp/$d/f"; done
chmod 600 "$tmp/private/f"
echo text >"$tmp/ro/f"
cp /bin/true "$tmp/ro/prog"
ln -s f "$tmp/ro/link"
ln -s "$tmp/private/f" "$tmp/a/planted"
state() { # all that a guest could change
	find "$tmp/ro" -printf '%P %y %m %u %g %s %T@ %n %l\n' | sort
	getfattr -R -d -m - "$tmp/ro" 2>/dev/null
	getfacl -Rnpc "$tmp/ro" 2>/dev/null
}
state >"$tmp/before"

# Two VMs at once.
vmrun -q --rw "$tmp/b" --json-status-fd 3 -- sh -c 'echo up; sleep 1000' \
	3>"$tmp/j2" >"$tmp/out2" 2>"$tmp/err2" </dev/null &
p2=$!
mkfifo "$tmp/go"
# Everything that a user can try on a read-only file, one word for each that
# worked; names and a symbolic link in what is writable; the console.
cat >"$tmp/a/attack.py" <<'P'
import ctypes, os, sys
ro, a, private = sys.argv[1:4]
f, n = ro + "/f", ro + "/new"
fd = os.open(f, os.O_RDONLY)
ways = {
    "write": lambda: open(f, "a"), "create": lambda: open(n, "w"),
    "trunc": lambda: os.truncate(f, 0), "chmod": lambda: os.chmod(f, 0o777),
    "chown": lambda: os.chown(f, os.getuid(), -1),
    "unlink": lambda: os.unlink(f), "rename": lambda: os.rename(f, n),
    "link": lambda: os.link(f, n), "linkout": lambda: os.link(f, a + "/hard"),
    "symlink": lambda: os.symlink("x", n), "mkdir": lambda: os.mkdir(n),
    "rmdir": lambda: os.rmdir(ro + "/sub"), "mkfifo": lambda: os.mkfifo(n),
    "mknod": lambda: os.mknod(n, 0o20666, os.makedev(1, 3)),
    "utime": lambda: os.utime(f), "utimelink": lambda: os.utime(ro + "/link", follow_symlinks=False),
    "setxattr": lambda: os.setxattr(f, "user.x", b"1"),
    "setcap": lambda: os.setxattr(a + "/attack.py", "security.capability", b"\1\0\0\2" + b"\xff" * 4 + bytes(12)),
    "acl": lambda: os.setxattr(f, "system.posix_acl_access", b"\2\0\0\0\1\0\6\0\xff\xff\xff\xff\4\0\6\0\xff\xff\xff\xff\x20\0\6\0\xff\xff\xff\xff"),
    "fchmod": lambda: os.fchmod(fd, 0o777), "futime": lambda: os.utime(fd),
    "reopen": lambda: os.open("/proc/self/fd/%d" % fd, os.O_WRONLY),
    "tmpfile": lambda: os.open(ro, os.O_TMPFILE | os.O_RDWR),
    "mknod2": lambda: os.mknod(a + "/dev", 0o60666, os.makedev(254, 0)),
    "private": lambda: open(private), "planted": lambda: open(a + "/planted"),
    "kmsg": lambda: open("/dev/kmsg", "w"), "mem": lambda: open("/dev/mem"),
    "ttyS0": lambda: open("/dev/ttyS0", "w"),
    "sysrq": lambda: open("/proc/sysrq-trigger", "w"),
    "core": lambda: open("/proc/sys/kernel/core_pattern", "w"),
    "init": lambda: os.kill(1, 9) or open("/proc/1/mem"),
}
libc = ctypes.CDLL(None, use_errno=True)
def remount():
    if libc.mount(b"none", ro.encode(), None, 32 | 4096, None):  # MS_REMOUNT | MS_BIND
        raise OSError(ctypes.get_errno(), "mount")
def userns():
    if libc.unshare(0x10020000) == 0:  # CLONE_NEWUSER | CLONE_NEWNS
        remount()
        os.utime(f)
    else:
        raise OSError(ctypes.get_errno(), "unshare")
ways["remount"] = remount
for name, way in ways.items():
    try:
        way()
        print("worked:", name)
    except OSError as e:
        print("refused:", name, e.strerror)
os.symlink("/etc/shadow", a + "/shadow")
try: print("shadow:", open(a + "/shadow").read())
except OSError as e: print("shadow refused:", e.strerror)
os.setxattr(a + "/attack.py", "user.note", b"1")
for name in (b"nl\nname", b"esc\x1b[31mred", b"bad\xff\xfe", b"n" * 255, b"-rf", b"*"):
    open(os.path.join(a.encode(), name), "w").write("x")
    os.mkfifo(os.path.join(a.encode(), b"p" + name[:200]))
deep = os.open(a, os.O_RDONLY)
for i in range(60):
    os.mkdir("d" * 200, dir_fd=deep)
    deep = os.open("d" * 200, os.O_RDONLY, dir_fd=deep)
if os.fork() == 0:  # the kernel prints the name of what crashes
    libc.prctl(15, b"\x1b[2J\x07x\ny", 0, 0, 0)
    ctypes.string_at(0)
os.wait()
try: userns(); print("worked: userns")
except OSError as e: print("refused: userns", e.strerror)
print("up", flush=True)
P
vmrun -v --rw "$tmp/a" --ro "$tmp/ro" --append loglevel=7 --json-status-fd 3 -- \
	sh -c 'python3 "$1/a/attack.py" "$1/ro" "$1/a" "$1/private/f"; read x' - "$tmp" \
	<"$tmp/go" >"$tmp/out" 2>"$tmp/err" 3>"$tmp/j1" &
p1=$!
exec 8>"$tmp/go"
wait_for 120 grep -q '^up' "$tmp/out" && wait_for 60 grep -q up "$tmp/out2"
ok $? "two VMs run"
u1=$(sed -n 's/.*"uid":\([0-9]*\).*/\1/p' "$tmp/j1" | head -n 1)
u2=$(sed -n 's/.*"uid":\([0-9]*\).*/\1/p' "$tmp/j2" | head -n 1)
vm1=$(sed -n 's/.*"vm":\([0-9]*\).*/\1/p' "$tmp/j1" | head -n 1)
s1=$(pgrep -P $p1 vmrun-stage)
s2=$(pgrep -P $p2 vmrun-stage)
as_u1() { nsenter -t "$s1" -U -S "$u1" -G "$u1" "$@" 2>/dev/null; }
sleep 1000 &
mine=$!

is "$(as_u1 id -u) $(as_u1 id -G)" "$u1 $u1" "on the host as U1, in no other group"
is "$(cd "$tmp/a" && as_u1 cat f)" "secret a" "(U1 reads its own grant there)"
is "$(cd "$tmp/b" && as_u1 cat f)" "" "but not the other VM's"
is "$(cd "$tmp/b" && as_u1 ls)" "" "nor the names in it"
is "$(cd "$tmp/private" && as_u1 cat f)" "" "nor what was not granted"
! (cd "$tmp/ro" && as_u1 sh -c 'echo x >>f || echo x >new || chmod 777 f')
ok $? "nor may U1 write what was granted with --ro: by mode and ACL alone"
! as_u1 ls "$XDG_STATE_HOME/vmrun"
ok $? "nor vmrun's database"
# (of this one, and of those of other state folders with its number)
sockets=$(ls -d "${XDG_RUNTIME_DIR:-/nonexistent}"/vmrun-*/"$vm1")
# shellcheck disable=SC2086 # several
[ -n "$sockets" ] && [ -z "$(as_u1 ls -d $sockets)" ]
ok $? "nor the sockets of running VMs"
as_u1 kill -0 "$(pgrep -P "$s1" virtiofsd)"
ok $? "(U1 may signal its own VM's server)"
alive=0 reached=
for p in $(pgrep -P "$s2") $s2 $p2 $p1 $s1 $mine; do
	as_u1 sh -c 'kill -9 $0 || cat /proc/$0/environ /proc/$0/mem ||
		ls -l /proc/$0/root/ /proc/$0/cwd/ || : </proc/$0/fd/0' "$p" |
		grep -q . && reached="$reached $p"
	kill -0 "$p" 2>/dev/null || [ -d "/proc/$p" ] && alive=$((alive + 1))
done
is "$reached $alive" " 8" "nor see, trace or kill the other VM's processes or the person's"
! as_u1 nsenter -t "$s2" -U -m true
ok $? "nor enter the other VM's namespaces"
kill $mine

worked=$(sed -n 's/^worked: //p' "$tmp/out" | tr '\n' ' ')
is "$worked" "" "nothing on a --ro share, no device and no namespace can be had in the guest"
is "$(grep -c '^refused: ' "$tmp/out")" 34 "all was tried"
hasnt "$tmp/out" 'shadow: .*root:\|secret' "a symbolic link leads nowhere but in the guest"
vmrunctl logs "$vm1" >"$tmp/logs"
has "$tmp/logs" 'segfault' "the guest's console has what a crashing process is called"
hasnt "$tmp/logs" "$esc\|$(printf '\a')" "logs does not print it raw"
has "$tmp/logs" '\\x1b\[2J' "but escaped"
vmrunctl ps >"$tmp/ps"
hasnt "$tmp/ps" "$esc" "ps too"
exec 8>&-
wait $p1
is $? 1 "the VM ends"
hasnt "$tmp/err" "$esc" "no name that the guest made is printed raw"
state >"$tmp/after"
cmp "$tmp/before" "$tmp/after" >&2
ok $? "the --ro tree is as before: names, times, attributes, ACLs"
is "$(readlink "$tmp/a/shadow")" /etc/shadow "the link is a link"
is "$(find "$tmp/a" ! -uid "$(id -u)" | wc -l)" 0 "strange names and deep trees are the person's"
getfacl -Rnp "$tmp/a" 2>/dev/null >"$tmp/acls"
hasnt "$tmp/acls" "user:$u1" "without the VM's entries"
is "$(find "$tmp/a" -type p -o -type b -o -type c | wc -l)" 0 "no FIFOs or devices are left"
kill -9 $p2
wait $p2 2>/dev/null

# Much on standard error; values that look like more.
: >"$tmp/err"
vm -e "A=x
B=injected" -e 'C=$(id) `id` %s' -- sh -c 'env; printf "%s\n" "$C"
	head -c 20000000 /dev/zero | tr "\0" e >&2'
is "$(wc -c <"$tmp/err")" 20000000 "20 MB on standard error arrive"
: >"$tmp/err"
is "$(grep -c '^B=injected' "$tmp/out")" 1 "a newline stays in the value"
has "$tmp/out" '^\$(id) `id` %s$' "nothing is expanded"
vm -e "LD_PRELOAD=/nonexistent.so" -e PATH=/bin -- sh -c '[ "$A" = "" ] && echo "$PATH"'
is "$(cat "$tmp/out")" /bin "PATH and LD_PRELOAD are the command's own"
plan_done
