#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""vmrun --firewall between two network namespaces, joined to it by TAPs.

One line for each property: 1 or 0, then the property.  Usage: firewall.py
FOLDER, where the folder has NAME.out, what nft is given for ruleset NAME.
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RULES = sys.argv[1]
INNER = "mac=02:76:6d:00:01:01,ip=10.213.1.1/24,ip=fd76::1/64"
OUTER = ("mac=02:76:6d:00:01:02,ip=192.0.2.2/24,gw=192.0.2.1,"
         "ip=2001:db8:2::2/64,gw=2001:db8:2::1")
no = "ECONNREFUSED"


def say(good, what, why=""):
    print("%d %s" % (bool(good), what), flush=True)
    if not good:
        print("# %s: %s" % (what, str(why)[-1500:]), file=sys.stderr)


class End:
    """A namespace with a TAP, and who answers there."""

    def __init__(self, *words):
        self.boss, theirs = socket.socketpair(socket.AF_UNIX,
                                              socket.SOCK_SEQPACKET)
        self.child = subprocess.Popen(
            ["unshare", "-Urn", sys.executable, HERE + "/firewall-end.py",
             *words], stdin=theirs)
        theirs.close()
        self.boss.settimeout(60)
        _, fds, _, _ = socket.recv_fds(self.boss, 1, 1)
        self.tap = fds[0]

    def ask(self, line):
        self.boss.send(line.encode())
        said, ms = self.boss.recv(4096).decode().rsplit(" ", 1)
        return said, int(ms)

    def stop(self):
        self.boss.close()
        self.child.wait()


class Firewall:
    """A run of vmrun; ready when this returns, or over."""

    def __init__(self, rules, inner, outer):
        r, w = os.pipe()
        rd, rw = os.pipe()
        os.write(rw, rules.encode())
        os.close(rw)
        self.errors = open(RULES + "/vmrun.err", "w+", encoding="utf-8")
        self.vm = subprocess.Popen(
            ["vmrun", "-v", "--firewall", str(rd),
             "--nic", "%d,%s" % (inner, INNER),
             "--nic", "%d,%s" % (outer, OUTER), "--json-status-fd", str(w)],
            pass_fds=[rd, w, inner, outer], stdin=subprocess.DEVNULL,
            stderr=self.errors, stdout=subprocess.DEVNULL)
        os.close(rd)
        os.close(w)
        self.status = os.fdopen(r)
        self.said = []
        for line in self.status:
            self.said.append(json.loads(line))
            if "ready" in self.said[-1] or "exit-code" in self.said[-1]:
                break
        self.ready = {"ready": True} in self.said

    def stderr(self):
        with open(self.errors.name, encoding="utf-8") as f:
            return f.read()

    def reload(self, rules):
        return subprocess.run(
            ["vmrunctl", "exec", str(self.said[0]["vm"]), "--", "rules"],
            input=rules, capture_output=True, text=True, check=False,
            timeout=300)

    def stop(self):
        if self.vm.poll() is None:
            self.vm.send_signal(signal.SIGTERM)
        return self.vm.wait()


def rules(name):
    with open("%s/%s.out" % (RULES, name), encoding="utf-8") as f:
        return f.read()


def expect(end, line, want, what, fast=False):
    """A busy machine may be late: asked again.  What is closed stays closed."""
    for _ in range(5):
        said, ms = end.ask(line)
        if want == "silent" or said == want and (not fast or ms < 3000):
            break
    say(said == want and (not fast or ms < 3000), what,
        "%s: %s after %d ms" % (line, said, ms))


def test_closed(client, world):
    fw = Firewall("table inet vmrun {\n\tnonsense\n}\n", client.tap, world.tap)
    status = fw.stop()
    say(status == 125 and "nft refused the rules, line 2:" in fw.stderr(),
        "input that nft refuses: the start fails, and says why",
        (status, fw.stderr()))
    say(fw.said[-1] == {"exit-code": 125, "reason": "setup"} and
        not fw.ready, "and it never was ready", fw.said)
    expect(client, "tcp,198.51.100.7,80", "EHOSTUNREACH",
           "nobody answered the clients meanwhile")


def test_rules(client, world):
    fw = Firewall(rules("web"), client.tap, world.tap)
    say(fw.ready, "it is ready", (fw.said, fw.stderr()))
    if not fw.ready:
        fw.stop()
        return
    for a in ("198.51.100.7", "2001:db8:7::7"):
        expect(client, "tcp,%s,80" % a, "ok", "an allowed port: " + a)
        expect(client, "tcp,%s,8080" % a, no,
               "a refused port fails at once: " + a, True)
    expect(client, "udp,198.51.100.7,443", "ok", "allowed datagrams")
    expect(client, "udp,198.51.100.53,53", "EHOSTUNREACH",
           "another resolver is refused", True)
    expect(client, "dns,10.213.1.1,a.example,A", "198.51.100.7",
           "names by the resolver that it was given")
    expect(client, "tcp,203.0.113.9,80", no, "this machine is refused")
    expect(client, "tcp,10.9.9.9,80", no, "private networks are refused")
    expect(client, "tcp,10.213.1.1,80", "silent",
           "the firewall itself says nothing")
    expect(world, "tcp,192.0.2.2,22", "silent", "nor to the outside")
    said = fw.stderr()
    say("vmrun-deny IN=inner OUT=outer" in said and "DPT=8080" in said,
        "what was denied is told", said)
    test_publish(client, world)
    test_reload(fw, client)
    say(fw.stop() == 0, "it ends when it is told to", fw.stderr())


def test_publish(client, world):
    expect(world, "tcp,192.0.2.2,8081", "ok", "a published port")
    expect(world, "udp,192.0.2.2,8082", "ok", "and one of datagrams")
    expect(world, "tcp,2001:db8:2::2,8083", "ok", "and one by IPv6")
    expect(world, "tcp,192.0.2.2,8080", "silent", "others are closed")
    expect(world, "tcp,10.213.1.10,80", "silent",
           "as is the client's own address")
    expect(client, "tcp,192.0.2.2,8081", "silent",
           "from inside nothing is published")


def test_reload(fw, client):
    expect(client, "open,198.51.100.7,80", "ok", "a connection")
    r = fw.reload("table inet vmrun {\n")
    say(r.returncode == 1 and "nft refused the rules" in r.stderr,
        "rules that nft refuses are not taken", r)
    expect(client, "tcp,198.51.100.7,80", "ok", "the old ones stay")
    r = fw.reload(rules("drop"))
    say(r.returncode == 0, "new rules are taken", r)
    expect(client, "tcp,198.51.100.7,8080", "silent",
           "what they drop is silent")
    expect(client, "again", "again", "the connection goes on")
    r = subprocess.run(["vmrunctl", "exec", str(fw.said[0]["vm"]), "--", "sh"],
                       capture_output=True, text=True, check=False)
    say(r.returncode == 127, "there is no other command in it", r)


def test_names(client, world):
    fw = Firewall(rules("names"), client.tap, world.tap)
    say(fw.ready, "rules with names: it is ready", (fw.said, fw.stderr()))
    if not fw.ready:
        fw.stop()
        return
    web = "tcp,198.51.100.7,443"
    expect(client, web, no, "an address is closed until it was asked for")
    expect(client, "dns,10.213.1.1,a.example,A", "198.51.100.7", "a name")
    expect(client, web, "ok", "then its address is open")
    expect(client, "tcp,198.51.100.7,8080", "ok",
           "for each rule that has the name")
    expect(client, "tcp,198.51.100.7,80", no, "and for nothing else")
    expect(client, "dns,10.213.1.1,c.example,A", "code 3",
           "another name does not exist", True)
    expect(client, "dns,10.213.1.1,a.example,TXT", "code 0",
           "nothing but addresses is asked for")
    expect(client, "raw,10.213.1.1,0001", "silent", "rubbish has no answer")
    expect(client, "dns,198.51.100.53,a.example,A", "EHOSTUNREACH",
           "other resolvers are closed")
    expect(client, "dns,fd76::1,X.b.ExAmple,AAAA", "2001:db8:7::7",
           "a name below one, by IPv6, in any letters")
    expect(client, "tcp,2001:db8:7::7,8080", "ok", "and its address is open")
    expect(client, "dns,10.213.1.1,in.b.example,A", "10.9.9.9",
           "a name of a private address")
    expect(client, "tcp,10.9.9.9,80", no, "does not open that")
    world.ask("set,a.example,198.51.100.8")
    expect(client, "dns,10.213.1.1,a.example,A", "198.51.100.8",
           "the record changed")
    expect(client, "tcp,198.51.100.8,443", "ok", "and the rule follows")
    said = world.ask("asked")[0]
    say(set(said.lower().split()) == {"a.example", "x.b.example",
                                      "in.b.example"},
        "the other resolver heard of no other name", said)
    say("vmrun-deny NAME=c.example SRC=10.213.1.10" in fw.stderr(),
        "a refused name is told", fw.stderr())
    test_names_reload(fw, client)
    test_resolvers(fw, client)
    test_untold(fw, client)
    fw.stop()


def test_names_reload(fw, client):
    expect(client, "open,198.51.100.8,443", "ok", "a connection")
    r = fw.reload("#@ name a.example\ntable inet vmrun {\n}\n")
    say(r.returncode == 1 and "no resolver" in r.stderr,
        "names without a resolver are not taken", r)
    r = fw.reload(rules("more"))
    say(r.returncode == 0, "rules with another name are taken", r)
    expect(client, "again", "again", "the connection goes on")
    expect(client, "tcp,198.51.100.8,443", "ok",
           "what was given out before stays open")
    expect(client, "dns,10.213.1.1,c.example,A", "198.51.100.7",
           "the other name exists now")
    r = fw.reload(rules("less"))
    say(r.returncode == 0, "rules without the first name are taken", r)
    expect(client, "tcp,198.51.100.8,443", no, "its address is closed")
    said = client.ask("again")[0]
    say(said != "again", "and its connection ends", said)


def test_resolvers(fw, client):
    r = fw.reload(rules("six"))
    say(r.returncode == 0, "rules with a resolver of IPv6", r)
    expect(client, "dns,10.213.1.1,a.example,A", "198.51.100.8",
           "names by that one, asked for by IPv4")
    expect(client, "tcp,198.51.100.8,443", "ok", "their addresses are open")
    r = fw.reload(rules("mute"))
    say(r.returncode == 0, "with two, the first of which is out of reach", r)
    expect(client, "dns,10.213.1.1,in.b.example,A", "10.9.9.9",
           "names by the second")


def test_untold(fw, client):
    """Until the firewall was quick enough to be told of too many."""
    end = time.monotonic() + 200
    while "more were not told" not in fw.stderr() and time.monotonic() < end:
        client.ask("many,10.213.1.1,c.example,198.51.100.7")
        time.sleep(1)
        client.ask("udp,198.51.100.7,8080")
    said = fw.stderr()
    say("vmrun-deny " in said and re.search(r"[1-9]\d* more were not told", said),
        "denials past a rate are counted", said)


def main():
    client = End("10.213.1.10/24", "fd76::a/64", "via=10.213.1.1",
                 "via=fd76::1")
    world = End("192.0.2.1/24", "198.51.100.7/32", "198.51.100.8/32",
                "198.51.100.53/32", "203.0.113.9/32", "10.9.9.9/32",
                "2001:db8:2::1/64", "2001:db8:7::7/128",
                "2001:db8:7::53/128", "mute=198.51.100.99/32", "via=192.0.2.2",
                "via=2001:db8:2::2")
    try:
        test_closed(client, world)
        test_rules(client, world)
        test_names(client, world)
    finally:
        client.stop()
        world.stop()


main()
