# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rules a network's service has.  Usage: netservice.py FOLDER VMRUN-NET FILE

FILE is the ruleset.  One line for each property: 1 or 0, then the property.
"""
import fcntl
import glob
import os
import signal
import socket
import struct
import subprocess
import sys
import time

FOLDER, SERVICE, FILE = sys.argv[1:]
ATTACH, RELOAD, LOADED, PORT, FAILED, DONE, UP = 1, 4, 5, 32, 33, 34, 36
ALL, NONE = 1, 2


def say(good, what, seen=""):
    print(int(bool(good)), what, flush=True)
    if not good:
        print(what, seen, log(), file=sys.stderr)


def wait_for(what):
    until = time.monotonic() + 60
    while not what() and time.monotonic() < until:
        time.sleep(0.05)
    return what()


def places(name):
    return glob.glob(os.path.join(FOLDER, "run/**/net-web", name),
                     recursive=True)


def log():
    return "".join(read(p) for p in places("log"))


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def vmrunctl(*words):
    return subprocess.run(["vmrunctl", *words], capture_output=True, text=True,
                          check=False)


class Client:
    def __init__(self):
        path, = places("ctl")
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.s.settimeout(60)
        self.s.connect(path)

    def ask(self, kind, value=0, fds=()):
        socket.send_fds(self.s, [struct.pack("=4I1376s", 2, kind, value, 0,
                                             b"")], fds)
        return self.hear()

    def hear(self):
        got, fds, _, _ = socket.recv_fds(self.s, 2000, 4)
        _, kind, value, _, _, text, hint = struct.unpack("=4I352s512s512s", got)
        self.text = (text.rstrip(b"\0") + b" " + hint.rstrip(b"\0")).decode()
        self.rules = ""
        for fd in fds:
            with os.fdopen(fd) as f:
                f.seek(0)
                self.rules = f.read()
        return kind, value


def start():
    fds = [os.open(os.path.join(FOLDER, name), os.O_RDWR | os.O_CREAT, 0o600)
           for name in ("report", "lock")]
    p = subprocess.Popen(
        ["sh", "-c", 'exec "$@" 3<&%d 4<&%d' % tuple(fds), "sh", SERVICE,
         "web", os.path.join(FOLDER, "firewall")], pass_fds=fds,
        env=dict(os.environ, VMRUN_NET_LINGER="300s"))
    if not wait_for(lambda: places("ctl") or p.poll() is not None):
        print(read(os.path.join(FOLDER, "report")), file=sys.stderr)
    return p


def number():
    return int(read(os.path.join(FOLDER, "n")))


def ports(n):
    """By which of them the rules of the n-th firewall can be told."""
    text = read(os.path.join(FOLDER, "rules.%d" % n))
    return [p for p in range(1001, 1010) if "dport %d accept" % p in text]


def rules(port):
    write(FILE, "tcp dport %d accept\n" % port)


def next_firewall(kill=True):
    """The rules that the next one begins with."""
    n = number()
    if kill:
        os.kill(int(read(os.path.join(FOLDER, "pid"))), signal.SIGKILL)
    wait_for(lambda: number() > n)
    # The service has read that it is up.
    wait_for(lambda: "\nfirewall  up  VM %d\n" % number() in
             vmrunctl("net", "show", "web").stdout)
    return ports(number())


def test_reload(client):
    rules(1002)
    r = vmrunctl("net", "reload", "web")
    say(r.returncode == 125 and "%d" % number() in r.stderr,
        "rules that the firewall did not take", r)
    say(next_firewall() == [1001], "are not the next one's", ports(number()))
    other = Client()
    kind, value = client.ask(RELOAD)
    say((kind, value) == (DONE, number()) and "dport 1002" in client.rules,
        "a firewall that is up gets them handed", (kind, value, client.text))
    say(other.ask(RELOAD)[0] == FAILED and "just now" in other.text and
        other.ask(LOADED, ALL)[0] == FAILED, "by one at a time", other.text)
    say(client.ask(LOADED, NONE)[0] == DONE and next_firewall() == [1001],
        "a no leaves the old ones", ports(number()))
    client.ask(RELOAD)
    say(client.ask(LOADED, ALL)[0] == DONE and next_firewall() == [1002],
        "those that it has are the next one's", ports(number()))
    say(client.ask(LOADED, ALL)[0] == FAILED, "and that is said once")
    rules(1003)
    other.ask(RELOAD)
    n = number()
    other.s.close()
    say(next_firewall(kill=False) == [1003] and number() == n + 1,
        "nobody says what it has: it is started anew", ports(number()))


def test(service):
    client, control = Client(), Client()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    say(client.ask(ATTACH, 0, [theirs.fileno()])[0] == PORT and
        client.text == " ", "a client", client.text)
    say(client.hear()[0] == UP and ports(number()) == [1001],
        "its firewall has the rules of the file", client.text)
    test_reload(control)
    ours.close()
    service.terminate()
    say(service.wait(60) == 0, "it ends")


def machine():
    vm = subprocess.Popen(
        ["vmrun", "--net", "web", "--", "sh", "-c", "echo up; exec sleep 1000"],
        env=dict(os.environ, VMRUN_LIBEXECDIR=os.path.join(FOLDER, "libexec")),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=open(os.path.join(FOLDER, "vm"), "w", encoding="utf-8"),
        text=True)
    said = vm.stdout.readline()
    say(said == "up\n", "a machine", (said, read(os.path.join(FOLDER, "vm"))))
    return vm


def show_says(what):
    return what in vmrunctl("net", "show", "web").stderr


def test_stopped(service):
    rules(1002)
    vm = machine()
    said = read(os.path.join(FOLDER, "vm"))
    say("network web: its firewall goes by older rules" in said and
        "hint: vmrunctl net reload web" in said,
        "a newcomer is told that its file has changed", said)
    vmrunctl("net", "stop", "web")
    service.wait()
    say(wait_for(lambda: show_says("nobody uses")),
        "who was told that its network is stopped does not wait for it")
    vm.terminate()
    vm.wait()


def test_waiting(service):
    """A machine stays when the service cannot come back."""
    vm = machine()
    write(FILE, "accept\n}\n")
    service.kill()
    service.wait()
    wait_for(lambda: "nothing passes" in read(os.path.join(FOLDER, "vm")))
    for word in "show", "reload", "stop":
        r = vmrunctl("net", word, "web")
        say(r.returncode == 1 and "machines wait for it" in r.stderr and
            'web.nft:2: "}" without' in r.stderr,
            "net %s: it waits for its service, and what for" % word, r)
    vm.terminate()
    vm.wait()
    r = vmrunctl("net", "show", "web")
    say("nobody uses" in r.stderr, "nobody uses it after that", r)
    rules(1001)
    folder = os.open(os.path.dirname(places("log")[0]), os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_SH) # as one that waits
    r = vmrunctl("net", "show", "web")
    say("wait for it" in r.stderr and "within a minute" in r.stderr,
        "if nothing is wrong with its files it comes back", r)
    os.close(folder)


def main():
    lent = os.path.join(FOLDER, "lent")
    lender = subprocess.Popen(
        ["vmrunctl", "net", "tap", "--listen", lent, "--vnet-hdr", "--ip",
         "198.51.100.1/24", "--", "sleep", "1000"])
    wait_for(lambda: os.path.exists(lent))
    services = []
    try:
        for what in (test, test_stopped, test_waiting):
            rules(1001)
            services.append(start())
            what(services[-1])
    finally:
        services[-1].terminate()
        services[-1].wait(60)
        lender.terminate()
        lender.wait()


main()
