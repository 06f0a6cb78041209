#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A terminal: job control, resizing, restored on every way out.
. "${top_srcdir:?}/tests/vm/lib.sh"
export tmp
python3 - <<'P' >"$tmp/tap" 2>"$tmp/err"
import os, pty, re, select, signal, struct, fcntl, termios, time, sys
def spawn(*argv):
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 31, 97, 0, 0))
        os.execvp(argv[0], argv)
    return pid, fd
def expect(fd, what, seconds=90):
    got, end = b"", time.time() + seconds
    while time.time() < end:
        if select.select([fd], [], [], 0.5)[0]:
            try: chunk = os.read(fd, 65536)
            except OSError: break
            if not chunk: break
            got += chunk
            if re.search(what, got): return got
    sys.stderr.write("wanted %r, got %r\n" % (what, got[-2000:]))
    return None
def report(good, text): print(("1" if good else "0") + " " + text, flush=True)
pid, fd = spawn("vmrun", "-q", "--", "bash", "--norc", "-i")
before = None
report(expect(fd, rb"[$#] $"), "bash shows a prompt")
before = termios.tcgetattr(fd)
report(not before[3] & termios.ICANON, "the host's terminal is raw meanwhile")
os.write(fd, b"tty; stty size; echo $TERM\n")
report(expect(fd, rb"/dev/pts/\d+\r\n31 97\r\n"), "a pty of the same size")
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
os.kill(pid, signal.SIGWINCH)
os.write(fd, b"sleep 0.5; stty size\n")
report(expect(fd, rb"50 120\r\n"), "resizing")
os.write(fd, b"sleep 500\n"); time.sleep(1); os.write(fd, b"\x1a")
report(expect(fd, rb"Stopped"), "^Z stops a job")
os.write(fd, b"fg\n"); time.sleep(1); os.write(fd, b"\x03")
os.write(fd, b"echo st=$?\n")
report(expect(fd, rb"st=130\r\n"), "fg, ^C")
os.write(fd, b"exit 17\n")
expect(fd, rb"\bexit", 5)
_, st = os.waitpid(pid, 0)
report(os.WIFEXITED(st) and os.WEXITSTATUS(st) == 17, "the shell's exit status")
pid, fd = spawn("sh", "-c", "vmrun -q --timeout 9s -- sleep 100; stty -a; echo over")
out = expect(fd, rb"over\r\n", 120) or b""
report(b" icanon" in out and b" echo " in out, "the terminal is restored after a timeout")
os.waitpid(pid, 0)
pid, fd = spawn("sh", "-c", "vmrun -q -T -- tty; echo over")
report(b"not a tty" in (expect(fd, rb"over\r\n", 120) or b""), "-T: no terminal")
os.waitpid(pid, 0)
P
oks "$tmp/tap"
is "$(wc -l <"$tmp/tap")" 9 "all of them were tried"
plan_done
