#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Published ports, in the world of testnet.sh.

One line for each property: 1 or 0, then the property.  Usage: publish.py FOLDER
UDP, an address of this machine whose clients on it get answers to datagrams.
"""
import errno
import os
import signal
import socket
import sys
import time

from netrig import (FOLDER, Machine, ctl, from_there, kill_helper, processes,
                    runs, say, service, show, wait_for, works)

UDP = sys.argv[2]
HERE, HERE6 = "198.51.100.2", "2001:db8::2"
A = ("--publish", "7001:8081", "--publish", HERE + ":7002:8081",
     "--publish", "[%s]:7003:80" % HERE6,
     "--publish", HERE + ":7004:8082/udp", "--publish", UDP + ":7006:8082/udp")


def ask(host, port, kind=socket.SOCK_STREAM):
    """From this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    s = socket.socket(family, kind)
    s.settimeout(60)
    try:
        s.connect((host, port))
        s.send(b"hello")
        return s.recv(100).decode().strip()
    except socket.timeout:
        return "silent"
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e))
    finally:
        s.close()


def is_open(host, port):
    return wait_for(lambda: ask(host, port).startswith("agent"))


def is_closed(host, port):
    return wait_for(lambda: ask(host, port) == "ECONNREFUSED", 60)


def test_open(a):
    say(is_open("127.0.0.1", 7001), "a port of this machine alone",
        (a.err, show("web")))
    got = from_there("tcp", HERE, 7002)
    say(got in ("agent to ::ffff:198.51.100.1", "agent to ::ffff:198.51.100.7"),
        "one for others, whose addresses the guest sees", got)
    got = from_there("tcp", HERE6, 7003), ask(HERE6, 7003)
    say(got[0].startswith("agent to 2001:db8::") and
        got[1].startswith("agent"), "one by IPv6, which leads to a low "
        "one", got)
    got = from_there("udp", HERE, 7004)
    say(got.startswith("agent to "), "one for datagrams", got)
    got = ask(UDP, 7006, socket.SOCK_DGRAM)
    say(got.startswith("agent to "), "and from this machine", got)
    said, me = show("web"), a.ask("me")
    say("publish   127.0.0.1:7001/tcp leads to %s port 8081" % me in said and
        "publish   198.51.100.2:7004/udp leads to %s port 8082" % me in said,
        "net show has them", said)


def test_closed():
    got = ask(HERE, 7001), ask("127.0.0.1", 7002), from_there("tcp", HERE, 7001)
    say(got == ("ECONNREFUSED",) * 3, "at another address there is nothing",
        got)
    got = [from_there("tcp", HERE, p) for p in (8081, 7003, 7004, 22)]
    say(set(got) == {"ECONNREFUSED"}, "nor at another port", got)
    got = from_there("udp", HERE, 7002)
    say(got == "ECONNREFUSED", "nor by another protocol", got)


def test_neighbours(a, b, other):
    mine = a.ask("me")
    for vm, whose in ((b, "this"), (other, "another")):
        got = (vm.tcp(HERE, 7002), vm.tcp(HERE6, 7003),
               vm.tcp("10.214.0.1", 7001))
        say(got == ("ECONNREFUSED",) * 3,
            "a machine of %s network does not reach them" % whose, got)
    got = b.tcp(mine, 8081)
    say(got == "EHOSTUNREACH", "nor the machine itself", got)


def test_taken():
    for net, why in (("web", "is published by another VM"),
                     ("other", "is in use on this machine")):
        c = Machine("-q", "--net", net, "--publish", "127.0.0.1:7001:80")
        say(c.p.wait() == 125 and wait_for(lambda c=c, w=why: w in c.err, 100),
            "a second machine, in network %s, cannot have it" % net, c.err)


def ports(first, n=16):
    return [word for i in range(n)
            for word in ("--publish", "%d:8081" % (first + i))]


def test_limits():
    """Five are open."""
    c = Machine("-q", "--net", "web", *ports(7100))
    say(c.here() and is_open("127.0.0.1", 7100) and
        is_open("127.0.0.1", 7115), "sixteen more", (c.err, show("web")))
    d = Machine("-q", "--net", "web", *ports(7200, 12))
    say(d.p.wait() == 125 and wait_for(
        lambda: "this network has at most 32 published ports" in d.err and
        "with another ruleset" in d.err, 100), "twelve more are too many", d.err)
    say(c.end() == 0 and is_closed("127.0.0.1", 7115),
        "after the machine's end they are closed", show("web"))


def test_come_and_go(a):
    with open(os.path.join(FOLDER, "config/vmrun/profiles/port.conf"), "w",
              encoding="ascii") as f:
        f.write("net = web\npublish = 127.0.0.1:7005:8081\n")
    # Else there is no news: it is still waiting for the last restart's end.
    say(is_open("127.0.0.1", 7001), "the network is there again", show("web"))
    a.mark()
    c = Machine("--profile", "port")
    say(c.here() and is_open("127.0.0.1", 7005),
        "another machine publishes another port, by its profile",
        (c.err, show("web")))
    say(is_open("127.0.0.1", 7001), "the first one's is still there", a.err)
    say(a.heard("a machine that publishes ports came or went") and
        wait_for(lambda: a.heard("it works again")),
        "which was told why nothing passed meanwhile", a.err)
    say("nothing passes" not in c.err, "the new one just had to wait", c.err)
    c.p.kill()
    c.p.wait()
    say(is_closed("127.0.0.1", 7005), "its vmrun is killed: it is closed",
        show("web"))
    say(is_open("127.0.0.1", 7001) and "7005" not in show("web"),
        "the first one's is still there", show("web"))


def test_service(a, b):
    r = ctl("net", "reload", "web")
    say(r.returncode == 0 and is_open("127.0.0.1", 7001),
        "new rules leave it open", r)
    old = service("web")
    os.kill(old[0], signal.SIGKILL)
    # The old one's passt may be there for a moment yet.
    say(wait_for(lambda: service("web") not in ([], old) and
                 ask("127.0.0.1", 7001).startswith("agent") and
                 from_there("tcp", HERE, 7002).startswith("agent")),
        "the service is killed: another one publishes them",
        (a.err, show("web")))
    say(b.tcp("198.51.100.7", 80).startswith("there"), "its neighbour has the "
        "network, too", b.err)


def take(port):
    """As soon as it is free."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    def taken():
        try:
            s.bind(("127.0.0.1", port))
            s.listen()
            return True
        except OSError:
            return False
    end = time.monotonic() + 60
    while not taken() and time.monotonic() < end:
        time.sleep(0.001)
    return s


def test_lost(b):
    """Somebody takes a port while there is no passt."""
    kill_helper(service("web")[0], "/passt ")
    s = take(7001)
    why = "not published: 127.0.0.1:7001/tcp is in use on this machine"
    say(wait_for(lambda: why in ctl("net", "log", "web").stdout),
        "a port that somebody else has taken is not published", show("web"))
    say(works(b), "the network is there all the same", show("web"))
    say(from_there("tcp", HERE, 7002).startswith("agent"),
        "so are the other ports", show("web"))
    s.close()
    say(is_open("127.0.0.1", 7001), "it is, when it is free again",
        show("web"))


def test_end(a, b, other):
    say(a.end() == 0 and is_closed("127.0.0.1", 7001) and
        from_there("tcp", HERE, 7002) == "ECONNREFUSED",
        "after the machine's end all is closed", show("web"))
    c = Machine("--net", "other", *A[:2])
    say(c.here() and is_open("127.0.0.1", 7001),
        "another network's machine can have the port", c.err)
    c.end()
    d = Machine("--net", "other", *A[:2])
    say(d.here() and is_open("127.0.0.1", 7001), "and the next one at once",
        d.err)
    d.end()
    b.end()
    other.end()
    say(wait_for(lambda: not service("web") and not service("other")) and
        wait_for(lambda: not runs()) and not processes("/passt "),
        "nothing is left", runs())


def main():
    a = Machine("--net", "web", *A)
    other = Machine("--net", "other")
    b = Machine("-q", "--net", "web")
    if not (a.here() and b.here() and other.here()):
        say(False, "three machines", (a.err, b.err, other.err))
        sys.exit(1)
    if not (works(b) and wait_for(lambda: "\nuplink " in show("other"))):
        say(False, "they have a network", (b.err, show("web"), show("other")))
        sys.exit(1)
    test_open(a)
    test_closed()
    test_neighbours(a, b, other)
    test_taken()
    test_limits()
    test_come_and_go(a)
    test_service(a, b)
    test_lost(b)
    test_end(a, b, other)


main()
