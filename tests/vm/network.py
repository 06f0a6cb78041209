#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines in networks, in the world of testnet.sh.

One line for each property: 1 or 0, then the property.
"""
import os
import signal
import subprocess
import sys
import threading
import time

FOLDER = sys.argv[1]
os.environ["VMRUN_NET_LINGER"] = "3s"
# In the guest: a line in, a line out.
AGENT = r"""
import errno, socket, sys, threading
def listen():
    s = socket.create_server(("::", 8081), family=socket.AF_INET6,
                             dualstack_ipv6=True)
    while True:
        c = s.accept()[0]
        c.recv(100)
        c.close()
threading.Thread(target=listen, daemon=True).start()
def tcp(host, port):
    try:
        s = socket.create_connection((host, int(port)), 60)
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        said = b""
        while piece := s.recv(65536):
            said += piece
        return said.decode().split("\n")[-2 if said else 0]
    except socket.timeout:
        return "silent"
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e))
def me():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("192.0.2.1", 9))
    return s.getsockname()[0]
print("here", flush=True)
for line in sys.stdin:
    words = line.split()
    print(me() if words[0] == "me" else tcp(*words[1:]), flush=True)
"""


def say(good, what, why=""):
    print("%d %s" % (bool(good), what), flush=True)
    if not good:
        print("# %s: %s" % (what, str(why)[-1500:]), file=sys.stderr,
              flush=True)


def wait_for(what, seconds=200):
    """Ten times a second, until it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.1)
    return False


class Machine:
    def __init__(self, *options):
        self.err = ""
        self.p = subprocess.Popen(
            ["vmrun", *options, "--", "python3", "-c", AGENT],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.p.stderr:
            self.err += line

    def here(self):
        return self.p.stdout.readline() == "here\n"

    def ask(self, words):
        self.p.stdin.write(words + "\n")
        self.p.stdin.flush()
        return self.p.stdout.readline().strip()

    def tcp(self, host, port):
        return self.ask("tcp %s %d" % (host, port))

    def end(self):
        self.p.stdin.close()
        return self.p.wait()


def processes(word):
    """Of all whose command line begins with it: pid."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
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


def kill_helper(of, word):
    """Of this service; its sandbox's first process, which is the person's."""
    for pid in processes(word):
        if parent(parent(pid)) == of:
            os.kill(parent(pid), signal.SIGKILL)
            return True
    return False


def service(name):
    path = os.path.join(os.environ["VMRUN_LIBEXECDIR"], "vmrun-net")
    return [p for p in processes(path + " " + name + " ")]


def works(vm):
    return wait_for(lambda: vm.tcp("198.51.100.7", 80).startswith("there"))


ALLOWED = (("198.51.100.7", "there port 80 to ::ffff:198.51.100.2"),
           ("2001:db8::7", "there port 80 to 2001:db8::2"),
           ("x.example", "there port 80 to ::ffff:198.51.100.2"))
REFUSED = (("198.51.100.7", 8080, "another port"),
           ("2001:db8::7", 8080, "another port by IPv6"),
           ("198.51.100.2", 9000, "this machine's own address"),
           ("2001:db8::2", 9000, "this machine's own address by IPv6"),
           ("192.168.7.7", 80, "a private network"),
           ("10.214.0.1", 80, "passt's gateway"))


def test_rules(a, b, other):
    for host, want in ALLOWED:
        got = a.tcp(host, 80)
        say(got == want, "web: %s answers" % host, (got, a.err))
    for host, port, what in REFUSED:
        got = a.tcp(host, port)
        say(got == "ECONNREFUSED", "web: %s is refused at once" % what, got)
    neighbour = b.ask("me")
    say(neighbour.startswith("10.213.1.") and neighbour != a.ask("me"),
        "two machines have an address each", neighbour)
    got = b.tcp(neighbour, 8081), a.tcp(neighbour, 8081)
    say(got == ("", "EHOSTUNREACH"),
        "a neighbour is out of reach, on a port that the ruleset allows", got)
    got = b.tcp("198.51.100.7", 80)
    say(got.startswith("there"), "it has the network too", got)
    got = other.tcp("198.51.100.7", 8080), other.tcp("198.51.100.7", 80)
    say(got[0].startswith("there") and got[1] == "ECONNREFUSED",
        "another ruleset beside it allows something else", got)


def test_show():
    said = show("web")
    say("firewall  up" in said and said.count("client    10.213.1.") == 2,
        "net show: up, two clients", said)
    said = ctl("net", "log", "web").stdout
    say("vmrun-deny" in said and "DPT=8080" in said,
        "net log: what was refused", said)


def rules(name, text):
    path = os.path.join(FOLDER, "config/vmrun/net/%s.nft" % name)
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def test_reload(a, other):
    rules("other", "tcp dport 22 accept\ntcp dprot 80 accept\n")
    r = ctl("net", "reload", "other")
    say(r.returncode == 125 and "other.nft:2: " in r.stderr,
        "net reload: an error has its line", r)
    say(other.tcp("198.51.100.7", 8080).startswith("there"),
        "and the old rules stay")
    rules("other", "tcp dport 80 accept\n")
    r = ctl("net", "reload", "other")
    got = other.tcp("198.51.100.7", 8080), other.tcp("198.51.100.7", 80)
    say(r.returncode == 0 and got[0] == "ECONNREFUSED" and
        got[1].startswith("there"), "net reload: the new rules", (r, got))
    rules("other", "tcp dport 8080 accept\n")
    say(ctl("net", "reload", "other").returncode == 0 and
        a.tcp("198.51.100.7", 8080) == "ECONNREFUSED",
        "the other network has its own")


def test_stuck(a, of):
    """Asked to end, this firewall does not; it has 20 s for that."""
    stuck = [int(row[3]) for row in runs() if "vmrun-net-web-firewall" in row]
    os.kill(stuck[0], signal.SIGSTOP)
    kill_helper(of, "/passt ")
    say(wait_for(lambda: not os.path.exists("/proc/%d" % stuck[0]), 60),
        "a firewall that does not end is ended", show("web"))
    say(works(a), "and another one comes", (a.err, show("web")))


def test_kills(a, b, other):
    old = service("web")
    say(len(old) == 1, "one service for two machines", old)
    say(kill_helper(old[0], "/vmrun-switch") and works(a) and works(b),
        "the switch is killed: another one comes", (a.err, show("web")))
    kill_firewall("web")
    say(wait_for(lambda: "nothing passes" in a.err),
        "the firewall is killed: that is said", a.err)
    say(works(a) and works(b), "another one comes", show("web"))
    say(wait_for(lambda: "it works again" in a.err), "and that is said", a.err)
    say(kill_helper(old[0], "/passt ") and works(a),
        "passt is killed: another one comes", (a.err, show("web")))
    test_stuck(a, old[0])
    for pid in service("web"):
        os.kill(pid, signal.SIGKILL)
    say(works(a) and works(b), "the service is killed: another one comes",
        (a.err, show("web")))
    new = service("web")
    say(len(new) == 1 and new != old, "one, and not the same", (old, new))
    say(other.tcp("198.51.100.7", 8080).startswith("there"),
        "the other network has not noticed")
    b.p.kill()
    b.p.wait()
    say(wait_for(lambda: show("web").count("client ") == 1),
        "a machine's vmrun is killed: its port is gone", show("web"))
    say(works(a), "its neighbour goes on")


def test_end(a, other):
    c = Machine("--net", "web")
    say(c.here() and works(c), "the next machine has its place", c.err)
    say(ctl("net", "stop", "other").returncode == 0, "net stop")
    say(wait_for(lambda: "was stopped" in other.err),
        "machines are told", other.err)
    got = other.tcp("198.51.100.7", 8080)
    say(not got.startswith("there"), "and nothing passes any more", got)
    for vm in (a, c, other):
        vm.end()
    say(wait_for(lambda: not service("web") and not service("other")),
        "the service ends after the last machine")
    left = wait_for(lambda: not runs())
    say(left, "no run is left", runs())
    say(not processes("/passt ") and not processes("/vmrun-switch"),
        "no process is left")


def main():
    with open(os.path.join(FOLDER, "config/vmrun/profiles/net.conf"), "w",
              encoding="ascii") as f:
        f.write("net = web\n")
    # Ordered by how long they take: the first starts the service.
    a = Machine("--net", "web")
    other = Machine("--net", "other")
    b = Machine("-q", "--profile", "net")
    if not (a.here() and b.here() and other.here()):
        say(False, "three machines", (a.err, b.err, other.err))
        sys.exit(1)
    test_rules(a, b, other)
    test_show()
    test_reload(a, other)
    test_kills(a, b, other)
    test_end(a, other)


main()
