#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two rulesets through one net VM, in the world of testnet.sh.

One line for each property: 1 or 0, then the property.
"""
import os
import re
import signal
import sys

from netrig import (Machine, as_root, ctl, from_there, kill_helper, parent,
                    processes, runs, say, service, show, wait_for)

VM = "vmrun-netvm-home-vm"
THERE = "198.51.100.7"


def works(vm, port, name):
    """Not asking before there is somebody to ask saves waiting."""
    return wait_for(lambda: "\nuplink " in show(name) and
                    vm.tcp(THERE, port).startswith("there"))


def passts():
    """Of this user's networks."""
    mine = {pid for name in ("web", "other", "vm:home")
            for pid in service(name)}
    return [pid for pid in processes("/passt ") if parent(parent(pid)) in mine]


def number(alias):
    """Of the run that has this alias."""
    found = [row[0] for row in runs() if alias in row]
    return found[0] if found else None


def outer(name):
    """Of that firewall, the address before the net VM."""
    found = re.search(r"client    (10\.215\.1\.\d+)  %s " % name,
                      show("vm:home"))
    return found and found.group(1)


def test_chain(web, other):
    got = web.tcp(THERE, 80)
    say(got == "there port 80 to ::ffff:198.51.100.2",
        "IPv4 through firewall and net VM", (got, web.err, show("web")))
    got = web.tcp("2001:db8::7", 80)
    say(got == "there port 80 to 2001:db8::2", "IPv6", got)
    got = web.tcp("x.example", 80)
    say(got.startswith("there"), "names", got)
    got = web.tcp(THERE, 8080), other.tcp(THERE, 80)
    say(got == ("ECONNREFUSED", "ECONNREFUSED"),
        "each ruleset refuses what it does not allow", got)
    got = other.tcp(THERE, 8080)
    say(got.startswith("there"), "and allows what it does", got)
    for host, what in (("198.51.100.2", "this machine's own address"),
                       ("10.214.0.1", "passt's gateway"),
                       ("192.168.7.7", "a private network")):
        got = other.tcp(host, 8080)
        say(got == "ECONNREFUSED", "%s is refused" % what, got)
    say(len(passts()) == 1, "one passt for both", passts())
    got = web.tcp(outer("other"), 80)
    say(got == "EHOSTUNREACH",
        "the other ruleset's firewall is out of reach, where ours lets it be",
        (got, show("vm:home")))


def test_show():
    said = show("vm:home")
    say("net VM    up" in said and "uplink    passt  IPv4  IPv6" in said and
        said.count("client    10.215.1.") == 2,
        "net show: the net VM, two firewalls", said)
    said = show("web")
    say("firewall  up" in said and "uplink    vm:home" in said,
        "net show: the firewall's way out", said)
    said = ctl("net", "log", "web").stdout
    say("vm:home forwards" in said and "vmrun-deny" in said, "net log", said)


def test_kills(web, other):
    firewalls = number("vmrun-net-web-firewall"), \
        number("vmrun-net-other-firewall")
    home = service("vm:home")
    say(len(home) == 1, "one service for the net VM", home)
    web.mark()
    other.mark()
    ctl("kill", number(VM))
    say(wait_for(lambda: web.heard("nothing passes: vm:home: ")),
        "the net VM is killed: that is said", web.err)
    say(works(web, 80, "web") and works(other, 8080, "other"), "another one comes",
        (web.err, show("web"), show("vm:home")))
    say(wait_for(lambda: other.heard("it works again")), "and that is said",
        other.err)
    say(kill_helper(home[0], "/vmrun-switch") and works(web, 80, "web"),
        "its switch is killed: another one comes", show("vm:home"))
    say(kill_helper(home[0], "/passt ") and works(other, 8080, "other"),
        "passt is killed: another one comes", show("vm:home"))
    os.kill(home[0], signal.SIGKILL)
    say(works(web, 80, "web") and works(other, 8080, "other"),
        "its service is killed: another one comes",
        (web.err, show("web"), show("vm:home")))
    say(len(service("vm:home")) == 1 and service("vm:home") != home,
        "one, and not the same")
    say(firewalls == (number("vmrun-net-web-firewall"),
                      number("vmrun-net-other-firewall")),
        "the firewalls are the ones they were", (firewalls, runs()))
    ctl("kill", firewalls[0])
    say(works(web, 80, "web") and number("vmrun-net-web-firewall") != firewalls[0],
        "a firewall is killed: another one comes", show("web"))


def test_stop(web, other):
    say(ctl("net", "stop", "vm:home").returncode == 0, "net stop")
    say(wait_for(lambda: "vm:home: it was stopped" in web.err),
        "machines are told", web.err)
    got = web.tcp(THERE, 80)
    say(not got.startswith("there") and
        "nothing passes: vm:home: it was stopped" in show("web"),
        "and nothing passes any more", (got, show("web")))
    say(not passts(), "the way out is gone", passts())
    ctl("kill", number("vmrun-net-web-firewall"))
    say(wait_for(lambda: "firewall  off" in show("web") and
                 "nothing passes: vm:home: it was stopped" in show("web")) and
        not service("vm:home"),
        "a firewall that comes back does not bring it back",
        (show("web"), service("vm:home")))
    ports = [word for n in range(7002, 7018)
             for word in ("--publish", "198.51.100.2:%d:8081" % n)]
    more = Machine("--net", "web", *ports)
    say(more.here() and works(more, 80, "web") and works(web, 80, "web"),
        "the next machine brings it back", (more.err, show("web")))
    say(all(wait_for(lambda n=n: from_there(
        "tcp", "198.51.100.2", n).startswith("agent")) for n in (7002, 7017)),
        "and its published ports are open, through all of them",
        (show("web"), show("vm:home")))
    much = Machine("-q", "--net", "web", "--publish", "198.51.100.2:7018:8081")
    say(much.p.wait() == 125 and wait_for(
        lambda: "this network has at most 16 published ports" in much.err, 100),
        "a seventeenth is too many before a net VM", much.err)
    last = Machine("--net", "other")
    say(last.here() and works(other, 8080, "other"),
        "the other ruleset has it again with its next machine",
        (other.err, show("other")))
    return more, last


def test_tap():
    bad = Machine("--net", "notap")
    say(bad.here() and "the TAP v0: Invalid argument" in bad.err,
        "what is no TAP of this person's: that is said", bad.err)
    bad.end()
    vm = Machine("--net", "tap")
    got = (vm.here() and wait_for(lambda: vm.tcp(
        "203.0.113.1", 9000).startswith("here")) and
           vm.tcp("203.0.113.1", 9000))
    say(got == "here port 9000 to ::ffff:203.0.113.2",
        "a TAP by its name, which was made for this person",
        (got, vm.err, show("tap")))
    vm.mark()
    as_root("untap")
    say(wait_for(lambda: vm.heard("nothing passes: the TAP is gone")),
        "it is deleted: that is said", (vm.err, show("tap")))
    as_root("tap")
    say(wait_for(lambda: vm.heard("it works again")) and
        vm.tcp("203.0.113.1", 9000).startswith("here"),
        "it is made again: the next firewall has it", (vm.err, show("tap")))
    vm.end()


def main():
    web = Machine("--net", "web")
    other = Machine("--net", "other")
    if not (web.here() and other.here()):
        say(False, "two machines", (web.err, other.err))
        sys.exit(1)
    if not (works(web, 80, "web") and works(other, 8080, "other")):
        say(False, "they have a network", (web.err, other.err, show("web"),
                                           ctl("net", "log", "vm:home")))
        sys.exit(1)
    test_chain(web, other)
    test_show()
    test_kills(web, other)
    for vm in (*test_stop(web, other), web, other):
        vm.end()
    say(wait_for(lambda: not service("web") and not service("other") and
                 not service("vm:home")),
        "after the last machine all of it ends")
    test_tap()
    say(wait_for(lambda: not runs()), "no run is left", runs())


main()
