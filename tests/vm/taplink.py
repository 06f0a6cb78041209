#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks behind a TAP that is lent.  Usage: taplink.py FOLDER TESTNET.PY

One line for each property: 1 or 0, then the property.
"""
import os
import subprocess
import sys

from netrig import (FOLDER, Machine, ctl, runs, say, service, show, wait_for)

THERE = "198.51.100.7"
LENT = os.path.join(os.path.realpath(FOLDER), "lent")


class Lender:
    def __init__(self):
        self.p = subprocess.Popen(
            ["vmrunctl", "net", "tap", "--listen", LENT, "--vnet-hdr", "--ip",
             THERE + "/24", "--", "sh", "-c",
             'ip addr add 198.51.100.1/24 dev "$VMRUN_TAP" && exec "$@"', "sh",
             sys.executable, sys.argv[2], "there", FOLDER],
            stdout=subprocess.PIPE, text=True)
        self.p.stdout.readline()

    def end(self):
        self.p.terminate()
        self.p.wait()


def test_none():
    vm = Machine("--net", "web")
    say(vm.here() and "nothing passes: the TAP of %s: No such file" % LENT in
        vm.err, "without a lender the machine starts, and nothing passes",
        vm.err)
    got = vm.tcp(THERE, 80)
    say(not got.startswith("there"), "that is so", got)
    return vm


def is_up(name):
    return wait_for(lambda: "\nuplink " in show(name))


def test_firewall(vm):
    lender = Lender()
    say(is_up("web"), "with a lender it is there", show("web"))
    got = vm.tcp(THERE, 80)
    say(got == "there port 80 to ::ffff:198.51.100.2", "out through the TAP",
        (got, show("web")))
    got = vm.tcp("x.example", 80)
    say(got.startswith("there"), "the resolver of dns=", got)
    got = vm.tcp(THERE, 8080)
    say(got == "ECONNREFUSED", "the ruleset refuses", got)
    say("uplink    tap:%s  IPv4\n" % LENT in show("web"), "net show",
        show("web"))
    lender.end()
    say(wait_for(lambda: "who lent the TAP is gone" in vm.err),
        "the lender ends: that is said", vm.err)
    lender = Lender()
    say(is_up("web") and vm.tcp(THERE, 80).startswith("there"),
        "another lender: it works again", show("web"))
    return lender


def test_net_vm(web):
    other = Machine("-q", "--net", "other")
    say(wait_for(lambda: "lent to somebody else" in show("vm:home")),
        "a TAP is one network's at a time", show("vm:home"))
    ctl("net", "stop", "web")
    web.end()
    say(other.here() and is_up("vm:home") and is_up("other"),
        "and the next one's then", (other.err, show("vm:home")))
    got = other.tcp(THERE, 8080)
    say(got == "there port 8080 to ::ffff:198.51.100.2",
        "firewall, net VM, TAP", (got, show("other")))
    got = other.tcp(THERE, 80)
    say(got == "ECONNREFUSED", "the firewall judges", got)
    return other


def main():
    web = test_none()
    lender = test_firewall(web)
    other = test_net_vm(web)
    other.end()
    say(wait_for(lambda: not runs() and not service("other") and
                 not service("vm:home")), "all of it ends", runs())
    lender.end()
    say(not os.path.exists(LENT), "the lender's socket is gone")


main()
