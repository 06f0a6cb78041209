#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A --rw directory is a file system to work with, within the fence that the
# stage puts around virtiofsd: each kind of call, judged from both sides.
. "${top_srcdir:?}/tests/vm/lib.sh"

mkdir "$tmp/w"
cat >"$tmp/w/work.py" <<'P'
import ctypes, errno, fcntl, mmap, os, sys
os.chdir(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
def write(name, data, mode=0o644):
    fd = os.open(name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)
    os.write(fd, data)
    os.close(fd)
def refused(name, f, *want):
    try:
        f()
        print("not refused:", name)
    except OSError as e:
        print("refused" if e.errno in want else "odd", name, errno.errorcode[e.errno])
def fallocate(fd, mode, off, n):
    if libc.fallocate(fd, mode, ctypes.c_long(off), ctypes.c_long(n)):
        raise OSError(ctypes.get_errno(), "fallocate")
# names
os.mkdir("many")
for i in range(3000):
    os.close(os.open("many/%04d" % i, os.O_CREAT | os.O_WRONLY, 0o600))
assert len(os.listdir("many")) == 3000
for i in range(0, 3000, 3):
    os.unlink("many/%04d" % i)
for i in range(1, 3000, 3):
    os.rename("many/%04d" % i, "many/r%04d" % i)
print("many", len(os.listdir("many")))
write("a", b"a"); write("b", b"b")
os.rename("a", "b")
print("replaced", open("b").read(), os.path.exists("a"))
write("a", b"one")
if libc.renameat2(-100, b"a", -100, b"b", 2):  # RENAME_EXCHANGE
    print("exchange", errno.errorcode[ctypes.get_errno()])
print("exchanged", open("a").read(), open("b").read())
os.mkdir("d1"); os.mkdir("d1/in"); os.rename("d1", "d2"); print("moved", os.listdir("d2"))
os.link("a", "hard"); print("links", os.stat("a").st_nlink)
os.symlink("a", "soft"); print("soft", open("soft").read())
write("n" * 255, b"x"); print("long", os.path.exists("n" * 255))
write("sp ace\n\xff\x01".encode("latin-1"), b"x")
# bytes
fd = os.open("alloc", os.O_CREAT | os.O_RDWR, 0o644)
os.posix_fallocate(fd, 0, 1 << 20)
fallocate(fd, 1, 1 << 20, 1 << 20)           # keep the size
print("allocated", os.fstat(fd).st_size, os.fstat(fd).st_blocks * 512 >= 2 << 20)
os.pwrite(fd, b"x" * 8192, 0)
fallocate(fd, 3, 0, 4096)                     # punch a hole
print("punched", os.pread(fd, 1, 0), os.pread(fd, 1, 4096))
os.ftruncate(fd, 100); print("cut", os.fstat(fd).st_size)
os.ftruncate(fd, 1 << 16)
m = mmap.mmap(fd, 1 << 16)
m[0:6] = b"mapped"; m.flush(); m.close()
os.fsync(fd); print("mapped", os.pread(fd, 6, 0)); os.close(fd)
with open("log", "a") as f: f.write("1\n")
with open("log", "a") as f: f.write("2\n")
src, dst = os.open("log", os.O_RDONLY), os.open("copy", os.O_CREAT | os.O_WRONLY, 0o640)
os.copy_file_range(src, dst, 100); print("copied", open("copy").read().split())
f = open("lock", "w"); fcntl.flock(f, fcntl.LOCK_EX); fcntl.lockf(f, fcntl.LOCK_EX); print("locked")
# attributes
os.chmod("copy", 0o1700); print("mode", oct(os.stat("copy").st_mode))
os.utime("copy", ns=(10**18, 10**18 + 1)); print("time", os.stat("copy").st_mtime_ns)
os.utime("soft", ns=(1, 1), follow_symlinks=False)
os.setxattr("copy", "user.note", b"kept" * 200)
print("xattr", "user.note" in os.listxattr("copy"), len(os.getxattr("copy", "user.note")))
os.removexattr("copy", "user.note"); print("gone", "user.note" in os.listxattr("copy"))
os.setxattr("copy", "user.stays", b"here")
os.setxattr("d2", "user.dir", b"d")
os.statvfs(".")
os.mkfifo("pipe"); r = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
w = os.open("pipe", os.O_WRONLY); os.write(w, b"through"); print("fifo", os.read(r, 7))
import socket
s = socket.socket(socket.AF_UNIX); s.bind("sock"); s.listen(1)
c = socket.socket(socket.AF_UNIX); c.connect("sock"); c.send(b"here")
print("socket", s.accept()[0].recv(4))
# what the fence is for
refused("suid", lambda: os.chmod("copy", 0o4755), errno.EPERM)
refused("sgid", lambda: os.chmod("copy", 0o2755), errno.EPERM)
refused("suid-new", lambda: os.open("new", os.O_CREAT | os.O_WRONLY, 0o4755), errno.EPERM)
refused("whiteout", lambda: os.mknod("hide", 0o20000, 0), errno.EPERM)
refused("device", lambda: os.mknod("null", 0o20666, os.makedev(1, 3)), errno.EPERM)
refused("fd-suid", lambda: os.fchmod(os.open("copy", os.O_RDONLY), 0o4711), errno.EPERM)
print("end", oct(os.stat("copy").st_mode))
P
vm --rw "$tmp/w" -- python3 "$tmp/w/work.py" "$tmp/w"
is $st 0 "all of it works"
for line in 'many 2000' 'replaced a False' 'exchanged a one' "moved \['in'\]" \
	'links 2' 'soft a' 'long True' 'allocated 1048576 True' \
	"punched b'.x00' b'x'" 'cut 100' "mapped b'mapped'" \
	"copied \['1', '2'\]" locked 'mode 0o101700' 'time 1000000000000000001' \
	"xattr True 800" 'gone False' "fifo b'through'" \
	"socket b'here'"; do
	has "$tmp/out" "^$line\$" "in the VM: $line"
done
for what in suid sgid suid-new whiteout device fd-suid; do
	has "$tmp/out" "^refused $what EPERM" "refused: $what"
done
has "$tmp/out" '^end 0o101700$' "and the mode is as it was"

w=$tmp/w
is "$(find "$w/many" -type f | wc -l)" 2000 "afterwards: many files"
is "$(cat "$w/a" "$w/b" "$w/log" "$w/copy")" \
	"$(printf 'aone1\n2\n1\n2')" "their contents"
is "$(head -c 6 "$w/alloc")" mapped "what was written through a map"
is "$(stat -c %h "$w/a")" 2 "hard links"
is "$(getfattr --only-values -n user.stays "$w/copy" 2>/dev/null)" here "attributes"
is "$(find "$w" \( ! -uid "$(id -u)" -o -perm /6000 -o -type p -o -type s \) -print)" "" \
	"all of it is the person's, no set-ID bits, FIFOs and sockets"
plan_done
