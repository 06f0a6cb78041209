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
def expect(fd, what, seconds=600):
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
os.write(fd, b"tty; stty size; stty -a | grep -ow -e '-*iutf8'; echo $TERM\n")
got = expect(fd, rb"/dev/pts/\d+\r\n31 97\r\n-*iutf8\r\n")
report(got, "a pty of the same size")
report(got and b"\niutf8" in got, "that erases characters, not bytes")
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
os.kill(pid, signal.SIGWINCH)
os.write(fd, b'until stty size | grep -x "50 120"; do sleep 0.2; done\n')
report(expect(fd, rb"50 120\r\n"), "resizing")
# When it says so it is in the foreground; its line, which is echoed, has not the word.
os.write(fd, b"sh -c 'trap \"echo a''gain\" CONT; echo re''ady; while :; do sleep 1; done'\n")
expect(fd, rb"ready\r\n"); os.write(fd, b"\x1a")
report(expect(fd, rb"Stopped"), "^Z stops a job")
os.write(fd, b"fg\n"); expect(fd, rb"again\r\n"); os.write(fd, b"\x03")
os.write(fd, b"echo st=$?\n")
report(expect(fd, rb"st=130\r\n"), "fg, ^C")
os.write(fd, b"exit 17\n")
expect(fd, rb"\bexit", 5)
_, st = os.waitpid(pid, 0)
report(os.WIFEXITED(st) and os.WEXITSTATUS(st) == 17, "the shell's exit status")
apart = os.environ["tmp"] + "/apart"
pid, fd = spawn("sh", "-c", """vmrun -q -- sh -c 'tty; tty <&2 >&2; echo apart >&2' 2>"$tmp/apart"; echo st=$?""")
out = expect(fd, rb"st=0\r\n") or b""
report(re.search(rb"/dev/pts/\d+\r\nst=", out) and open(apart).read() == "not a tty\napart\n",
       "a redirected stderr is apart from the terminal")
os.waitpid(pid, 0)
pid, fd = spawn("sh", "-c", "vmrun -q --timeout 9s -- sleep 100; stty -a; echo over")
out = expect(fd, rb"over\r\n", 600) or b""
report(b" icanon" in out and b" echo " in out, "the terminal is restored after a timeout")
os.waitpid(pid, 0)
# A stopped job that is ended ends, without a terminal to end in.
pid, fd = spawn("bash", "--norc", "-i")
os.write(fd, b"""vmrun -q -- sh -c 'trap "exit 9" TERM; echo re''ady; while :; do sleep 0.2; done'\n""")
expect(fd, rb"ready\r\n")
# ^Z would be the guest's.
with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
    child = int(f.read().split()[0])
os.kill(child, signal.SIGTSTP)
expect(fd, rb"Stopped")
os.write(fd, b"kill %1\n")
end = time.time() + 600
while os.path.exists("/proc/%d" % child) and time.time() < end: time.sleep(0.2)
os.write(fd, b"echo\n")
report(expect(fd, rb"Exit 9", 20), "a stopped job ends by SIGTERM")
os.write(fd, b"exit\n")
os.waitpid(pid, 0)
# Jobs of a shell: what is typed is theirs while they are in the foreground.
pid, fd = spawn("bash", "--norc", "-i")
def say(line, what):
    os.write(fd, line)
    return expect(fd, what)
lines = 0
def shell_reads():
    global lines
    for _ in range(10):
        lines += 1
        if not say(b"echo L$((%d * 1000))\n" % lines, rb"L%d000\r\n" % lines):
            return False
    return True
# The shell has read the line, and the terminal is as programs want it: what is typed
# before would be no line to them, see ICANON in the kernel's n_tty.c.
goes_on = rb"s/\^/.*\n"
def job(name, start, tag):
    report(say(start, rb"not a tty"), name + ": a job that starts in the background has no terminal")
    report(shell_reads(), name + ": and leaves the shell its input")
    report(say(b"fg\n", goes_on) and say(b"one\n", tag + rb"one\r\n"), name + ": fg")
    report(say(b"\x1a", rb"Stopped"), name + ": ^Z")
    report(shell_reads(), name + ": a stopped job does not read")
    report(say(b"bg\n", rb"&") and shell_reads(), name + ": nor one in the background")
    report(say(b"fg\n", goes_on) and say(b"two\n", tag + rb"two\r\n"), name + ": fg again")
run = b"sh -c 'tty; exec sed -u s/^/%s:/' &\n"
job("vmrun", b"vmrun -q -- " + run % b"guest", b"guest:")
report(say(b"\x1a", rb"Stopped") and say(b"bg\n", rb"&"), "vmrun: bg")
job("exec", b"vmrunctl exec sh -- " + run % b"exec", b"exec:")
os.write(fd, b"\x04")
report(say(b"echo st=$?\n", rb"st=0\r\n"), "exec: ^D")
say(b"fg\n", goes_on); time.sleep(1); os.write(fd, b"\x04")
report(say(b"echo st=$?\n", rb"st=0\r\n"), "vmrun: ^D")
os.write(fd, b"exit\n")
os.waitpid(pid, 0)
P
oks "$tmp/tap"
is "$(wc -l <"$tmp/tap")" 28 "all of them were tried"
plan_done
