#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines in networks, in the world of testnet.sh: what the tests share."""
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request

FOLDER = sys.argv[1]
os.environ["VMRUN_NET_LINGER"] = "3s"
# In the guest: a line in, a line out.  On ports 80, 8081 and 8082 (UDP) it says who
# asks.
AGENT = r"""
import errno, socket, sys, threading
def listen(port):
    s = socket.create_server(("::", port), family=socket.AF_INET6,
                             dualstack_ipv6=True)
    while True:
        c, who = s.accept()
        c.recv(100)
        c.sendall(("agent to %s\n" % who[0]).encode())
        c.close()
def answer():
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind(("::", 8082))
    while True:
        said, who = s.recvfrom(100)
        s.sendto(("agent to %s" % who[0]).encode(), who)
for port in 80, 8081:
    threading.Thread(target=listen, args=(port,), daemon=True).start()
threading.Thread(target=answer, daemon=True).start()
def speak(s):
    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
    said = b""
    while piece := s.recv(65536):
        said += piece
    return said.decode().split("\n")[-2 if said else 0]
def tcp(host, port):
    try:
        return speak(socket.create_connection((host, int(port)), 60))
    except socket.timeout:
        return "silent"
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e))
kept = []
def hold(host, port):
    s = socket.create_connection((host, int(port)), 60)
    # Debian 12's passt ends one after 24 s on which nobody has answered yet.
    s.sendall(b"GET / HTTP/1.1\r\n\r\n")
    said = b""
    while not said.endswith(b"\n") or b"there" not in said:
        said += s.recv(1000)
    kept.append(s)
    return "open"
def again():
    try:
        return speak(kept.pop())
    except OSError as e:
        return str(e)
def me():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("192.0.2.1", 9))
    return s.getsockname()[0]
def name(host):
    try:
        return socket.gethostbyname(host)
    except OSError as e:
        return str(e)
def udp(host, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(60)
    s.sendto(b"hello", (host, int(port)))
    said = []
    while not said or said[-1] not in ("end", "silent"):
        try:
            said.append(s.recv(100).decode())
        except socket.timeout:
            said.append("silent")
    return " ".join(said)
DO = {"me": me, "tcp": tcp, "name": name, "udp": udp, "open": hold,
      "again": again}
print("here", flush=True)
for line in sys.stdin:
    words = line.split()
    print(DO[words[0]](*words[1:]), flush=True)
"""


def say(good, what, why=""):
    print("%d %s" % (bool(good), what), flush=True)
    if not good:
        said = str(why)
        if len(said) > 3000: # what is asked first, and the end of the logs
            said = said[:1000] + " ... " + said[-2000:]
        print("# %s: %s" % (what, said), file=sys.stderr, flush=True)


def wait_for(what, seconds=200):
    """Ten times a second, until it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.1)
    return False


class Machine:
    def __init__(self, *options, program="vmrun"):
        self.err, self.seen = "", 0
        self.p = subprocess.Popen(
            [program, *options, "--", "python3", "-c", AGENT],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.p.stderr:
            self.err += line

    def mark(self):
        """heard() is about what comes from now on."""
        self.seen = len(self.err)

    def heard(self, words):
        return words in self.err[self.seen:]

    def here(self):
        return self.p.stdout.readline() == "here\n"

    def begin(self, words):
        self.p.stdin.write(words + "\n")
        self.p.stdin.flush()

    def said(self):
        return self.p.stdout.readline().strip()

    def ask(self, words):
        self.begin(words)
        return self.said()

    def tcp(self, host, port):
        return self.ask("tcp %s %d" % (host, port))

    def end(self):
        self.p.stdin.close()
        return self.p.wait()


def subids():
    """The range of this user's."""
    with open("/etc/subuid", encoding="ascii") as f:
        rows = [line.split(":") for line in f]
    first, n = [map(int, r[1:]) for r in rows if r[0] == os.environ["USER"]][0]
    return range(first, first + n)


def processes(word):
    """Of this user's and its range's whose command line begins with it: pid."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            uid = os.stat("/proc/" + pid).st_uid
            if uid != os.getuid() and uid not in subids():
                continue
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                line = f.read().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if line.startswith(word):
            found.append(int(pid))
    return found


def ctl(*words):
    return subprocess.run(["vmrunctl", *words], capture_output=True, text=True)


def runs():
    return [line.split() for line in ctl("ps").stdout.splitlines()[1:]]


def show(name):
    return ctl("net", "show", name).stdout


def kill_firewall(name):
    for row in runs():
        if "vmrun-net-%s-firewall" % name in row:
            ctl("kill", row[0])


def parent(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        return int(f.read().rsplit(")", 1)[1].split()[1])


def helper(of, word):
    """Of this service: its pid, or None."""
    found = [p for p in processes(word) if parent(parent(p)) == of]
    return found[0] if found else None


def kill_helper(of, word):
    """Its sandbox's first process, which is the person's."""
    pid = helper(of, word)
    if pid:
        os.kill(parent(pid), signal.SIGKILL)
    return bool(pid)


def stages(of):
    """Of the sandboxes of this process of ours."""
    path = os.path.join(os.environ["VMRUN_LIBEXECDIR"], "vmrun-stage")
    return [p for p in processes(path) if parent(p) == of]


def service(name):
    path = os.path.join(os.environ["VMRUN_LIBEXECDIR"], "vmrun-net")
    return [p for p in processes(path + " " + name + " ")]


def from_there(how, host, port):
    """What who is elsewhere has for an answer."""
    with urllib.request.urlopen("http://198.51.100.7/%s/%s/%d" % (
            how, host, port), timeout=60) as r:
        return r.read().decode().strip()


def as_root(word):
    """What testnet.py has under that word."""
    urllib.request.urlopen("http://198.51.100.2:9000/do/" + word,
                           timeout=60).close()


def works(vm):
    return wait_for(lambda: vm.tcp("198.51.100.7", 80).startswith("there"))
