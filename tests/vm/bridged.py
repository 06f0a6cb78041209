#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines in networks with bridge VMs, in the world of testnet.sh.

One line for each property: 1 or 0, then the property.
"""
import os
import re
import signal
import sys

from netrig import (Machine, ctl, from_there, kill_helper, processes, runs,
                    say, service, show, wait_for, works)

THERE = "198.51.100.7"


def number(part):
    """Of the run of that part of a network."""
    found = [row[0] for row in runs() if "vmrun-net" + part in row]
    return found[0] if found else None


def is_open(port):
    return wait_for(lambda: from_there("tcp", "198.51.100.2",
                                       port).startswith("agent"))


def test_chain(a, b):
    got = a.tcp(THERE, 80), a.tcp("2001:db8::7", 80), b.tcp("x.example", 80)
    say(got == ("there port 80 to ::ffff:198.51.100.2",
                "there port 80 to 2001:db8::2",
                "there port 80 to ::ffff:198.51.100.2"),
        "IPv4, IPv6 and names through two bridges", (got, a.err, show("web")))
    got = a.tcp(THERE, 8080), a.tcp("2001:db8::7", 8080)
    say(got == ("ECONNREFUSED",) * 2, "what is refused is refused at once", got)
    got = a.tcp(b.ask("me"), 8081)
    say(got == "EHOSTUNREACH", "a neighbour is out of reach", got)
    say(is_open(7002), "a published port", show("web"))
    got = a.ask("udp %s 443" % THERE)
    say(got == "end", "datagrams from whom was not asked do not come in", got)
    said = show("web")
    say(re.search(r"^bridge    inside  up  VM \d+$", said, re.M) and
        re.search(r"^bridge    outside  up  VM \d+$", said, re.M),
        "net show has both", said)
    said = ctl("net", "log", "web").stdout
    say("the bridge VM inside passes on" in said and
        "the bridge VM outside passes on" in said, "net log, too", said)


def test_inside(a, b):
    fw, old = number("-web-firewall"), number("-web-bridge-in")
    say(a.ask("open %s 80" % THERE) == "open", "a connection", a.err)
    a.mark()
    ctl("kill", old)
    say(wait_for(lambda: a.heard(
        "nothing passes: the bridge VM inside ended")), "the bridge inside is killed: that is said", a.err)
    say(works(a) and works(b) and
        number("-web-bridge-in") not in (None, old),
        "another one comes", (a.err, show("web")))
    say(wait_for(lambda: a.heard("it works again")), "and that is said", a.err)
    say(fw and number("-web-firewall") == fw, "the firewall is the one it was",
        (fw, number("-web-firewall"), ctl("net", "log", "web").stdout))
    got = a.ask("again")
    say(got.startswith("there"), "the connection has not noticed", got)


def test_outside(a, b):
    old = number("-web-bridge-out")
    ctl("kill", old)
    # Each end is seen by itself, in whichever order.
    say(wait_for(lambda: re.search("nothing passes: (the bridge VM outside|passt)"
                                   " ended", a.err)),
        "the bridge outside is killed: that is said", a.err)
    say(works(a) and works(b) and
        number("-web-bridge-out") not in (None, old),
        "all of it begins anew", (a.err, show("web")))
    say(is_open(7002), "with the published port", show("web"))


def test_others(a, b):
    bridges = number("-web-bridge-in"), number("-web-bridge-out")
    ctl("kill", number("-web-firewall"))
    say(wait_for(lambda: number("-web-bridge-in") not in (None, bridges[0])) and
        works(a), "the firewall is killed: another one comes, with bridges",
        (a.err, show("web")))
    old = service("web")
    say(kill_helper(old[0], "/vmrun-switch") and works(a) and works(b),
        "the switch is killed: another one comes", show("web"))
    say(kill_helper(old[0], "/passt ") and works(a),
        "passt is killed: another one comes", show("web"))
    os.kill(old[0], signal.SIGKILL)
    say(works(a) and works(b) and len(service("web")) == 1 and
        service("web") != old, "the service is killed: another one comes",
        (a.err, show("web")))
    here = [row for row in runs() if any("-bridge-" in w for w in row)]
    say(len(here) == 2, "there are two bridges, not four", here)


def test_passt():
    a = Machine("--net", "web", "--publish", "198.51.100.2:7002:8081")
    b = Machine("-q", "--net", "web")
    if not (a.here() and b.here() and works(a) and works(b)):
        say(False, "two machines with a network", (a.err, b.err, show("web")))
        sys.exit(1)
    test_chain(a, b)
    test_inside(a, b)
    test_outside(a, b)
    test_others(a, b)
    a.end()
    b.end()
    say(wait_for(lambda: not service("web") and not runs()) and
        not processes("/passt ") and not processes("/vmrun-switch"),
        "after the last machine all of it ends", runs())


def works_other(vm):
    return wait_for(lambda: "\nuplink " in show("other") and
                    vm.tcp(THERE, 8080).startswith("there"))


def test_net_vm():
    vm = Machine("--net", "other")
    if not (vm.here() and works_other(vm)):
        say(False, "a machine through a net VM", (vm.err, show("other"),
                                                  show("vm:home")))
        return
    got = vm.tcp("2001:db8::7", 8080), vm.tcp(THERE, 80)
    say(got == ("there port 8080 to 2001:db8::2", "ECONNREFUSED"),
        "firewall, bridge, switch, bridge, net VM", (got, vm.err))
    said = show("other"), show("vm:home")
    say("bridge    outside  up" in said[0] and "inside" not in said[0] and
        "bridge    inside  up" in said[1], "net show has each where it is",
        said)
    fw, home = number("-other-firewall"), number("vm-home-vm")
    say(vm.ask("open %s 8080" % THERE) == "open", "a connection", vm.err)
    for part in "-other-bridge-out", "vm-home-bridge-in":
        old = number(part)
        ctl("kill", old)
        say(wait_for(lambda p=part, o=old: number(p) not in (None, o)) and
            works_other(vm), part[1:] + " is killed: another one comes",
            (vm.err, show("other"), show("vm:home")))
    got = vm.ask("again")
    say(got.startswith("there") and number("-other-firewall") == fw and
        number("vm-home-vm") == home,
        "the connection, the firewall and the net VM have not noticed",
        (got, ctl("net", "log", "other").stdout,
         ctl("net", "log", "vm:home").stdout))
    vm.end()


def test_tap():
    vm = Machine("--net", "tap")
    got = vm.here() and wait_for(
        lambda: vm.tcp("203.0.113.1", 9000) ==
        "here port 9000 to ::ffff:203.0.113.2")
    say(got, "before a TAP", (vm.err, show("tap")))
    old = number("-tap-bridge-out")
    ctl("kill", old)
    say(wait_for(lambda: number("-tap-bridge-out") not in (None, old)) and
        wait_for(lambda: vm.tcp("203.0.113.1", 9000).startswith("here")),
        "it is killed: another one has the TAP", (vm.err, show("tap")))
    vm.end()


def main():
    test_passt()
    test_net_vm()
    test_tap()
    say(wait_for(lambda: not runs()), "no run is left", runs())


main()
