#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames at both cards of a bridge, and which of them come out.

One line for each property: 1 or 0, then the property.  Usage:

    bridge.py veth MODE          the rules are loaded here, at `inner` and `outer`,
                                 whose other ends are `i1` and `o1`
    bridge.py vm MODE RULES      a VM with these rules

MODE is that of bridge-tool: two machines before a gateway, or one before any.

Each frame is followed by one that passes: what has not come before that one
does not come.
"""
import json
import os
import signal
import socket
import struct
import subprocess
import sys

HOW, MODE = sys.argv[1:3]
ALL = b"\xff" * 6


def mac(n):
    return bytes((2, 0x76, 0x6d, 0, 0, n))


def ip4(text):
    return socket.inet_pton(socket.AF_INET, text)


def ip6(text):
    return socket.inet_pton(socket.AF_INET6, text)


A, B, GATE = mac(2), mac(3), mac(1)
A4, B4, GATE4, FAR4 = map(ip4, ("10.213.1.2", "10.213.1.3", "10.213.1.1",
                                "198.51.100.7"))
A6, B6, GATE6, FAR6 = map(ip6, ("fd76:6d00:0:1::2", "fd76:6d00:0:1::3",
                                "fd76:6d00:0:1::1", "2001:db8::7"))
LOCAL6 = ip6("fe80::76:6dff:fe00:2")
OTHER = b"\x02\xaa\0\0\0\x09"


def ether(to, by, kind, data):
    return to + by + struct.pack(">H", kind) + data


def arp(to, by, sender, sender4, target4, op=1, hlen=6, hard=1):
    return ether(to, by, 0x806, struct.pack(
        ">HHBBH", hard, 0x800, hlen, 4, op) + sender + sender4 +
        b"\0" * 6 + target4)


def v4(to, by, source, target, version=4, data=b""):
    return ether(to, by, 0x800, bytes((version << 4 | 5, 0)) + struct.pack(
        ">HHHBBH", 28 + len(data), 7, 0, 64, 17, 0) + source + target +
        struct.pack(">HHHH", 1000, 2000, 8 + len(data), 0) + data)


def v6(to, by, source, target, data=b"\x03\xe8\x07\xd0\0\x08\0\0", proto=17,
       hops=64, version=6):
    return ether(to, by, 0x86dd, struct.pack(
        ">IHBB", version << 28, len(data), proto, hops) + source + target +
        data)


def icmp6(to, by, source, target, kind, body=b"\0" * 20, hops=255, code=0):
    return v6(to, by, source, target, bytes((kind, code, 0, 0)) + body, 58,
              hops)


def group(address):
    """Of those who may have it: MAC and IPv6 address."""
    return (b"\x33\x33\xff" + address[-3:],
            ip6("ff02::1:ff00:0")[:13] + address[-3:])


def ask6(by, source, wanted, kind=135, **more):
    to, target = group(wanted)
    return icmp6(to, by, source, target, kind, b"\0" * 4 + wanted, **more)


# From the machines.  At `any`, who is above is anybody else.
UP = (
    ("ARP asks everybody", arp(ALL, A, A, A4, GATE4)),
    ("ARP asks the gateway", arp(GATE, A, A, A4, GATE4)),
    ("ARP answers", arp(GATE, A, A, A4, GATE4, 2)),
    ("IPv4", v4(GATE, A, A4, FAR4)),
    ("IPv6", v6(GATE, A, A6, FAR6)),
    ("IPv6 of the segment", v6(GATE, A, LOCAL6, GATE6)),
    ("IPv6 asks who has an address", ask6(A, A6, GATE6)),
    ("IPv6 asks the gateway", icmp6(GATE, A, A6, GATE6, 135,
                                    b"\0" * 4 + GATE6)),
    ("IPv6 answers", icmp6(GATE, A, A6, GATE6, 136, b"\x60\0\0\0" + A6)),
    ("an IPv6 echo", icmp6(GATE, A, A6, FAR6, 128)),
)
NOT_UP = (
    ("another MAC", v4(GATE, OTHER, A4, FAR4)),
    ("another's address", v4(GATE, A, B4, FAR4)),
    ("the gateway's address", v4(GATE, A, GATE4, FAR4)),
    ("an address from elsewhere", v4(GATE, A, FAR4, FAR4)),
    ("another's MAC", v4(GATE, B, A4, FAR4)),
    ("to a neighbour", v4(B, A, A4, B4) if MODE == "two" else
     v4(A, A, A4, FAR4)),
    ("to a neighbour's address", v4(GATE, A, A4, B4 if MODE == "two" else A4)),
    ("to a neighbour by IPv6", v6(GATE, A, A6, B6 if MODE == "two" else A6)),
    ("IPv4 to everybody", v4(ALL, A, A4, b"\xff" * 4)),
    ("IPv4 to a group", v4(b"\1\0\x5e\0\0\xfb", A, A4, ip4("224.0.0.251"))),
    ("ARP with another's address", arp(ALL, A, A, B4, GATE4)),
    ("ARP with the gateway's address", arp(ALL, A, A, GATE4, A4, 2)),
    ("ARP with another MAC inside", arp(ALL, A, OTHER, A4, GATE4)),
    ("ARP with another MAC outside", arp(ALL, OTHER, A, A4, GATE4)),
    ("ARP of no kind", arp(ALL, A, A, A4, GATE4, 3)),
    ("ARP with long addresses", arp(ALL, A, A, A4, GATE4, hlen=8)),
    ("ARP of other hardware", arp(ALL, A, A, A4, GATE4, hard=6)),
    ("ARP about itself", arp(ALL, A, A, A4, A4)),
    ("ARP to a group", arp(b"\1\0\x5e\0\0\1", A, A, A4, GATE4)),
    ("ARP that ends early", arp(ALL, A, A, A4, GATE4)[:34]),
    ("IPv4 that ends early", v4(GATE, A, A4, FAR4)[:29]),
    ("an IPv4 address that ends early", v4(GATE, A, A4, FAR4)[:31]),
    ("IPv6 that ends early", v6(GATE, A, A6, FAR6)[:40]),
    ("IPv4 of another version", v4(GATE, A, A4, FAR4, 6)),
    ("IPv6 of another version", v6(GATE, A, A6, FAR6, version=4)),
    ("IPv6 by another's address", v6(GATE, A, B6, FAR6)),
    ("IPv6 by no address", v6(GATE, A, b"\0" * 16, FAR6)),
    ("IPv6 to a group", v6(b"\x33\x33\0\0\0\xfb", A, A6, ip6("ff02::fb"))),
    ("a router's advert", icmp6(GATE, A, LOCAL6, GATE6, 134)),
    ("a router's advert to all", icmp6(b"\x33\x33\0\0\0\1", A, LOCAL6,
                                       ip6("ff02::1"), 134)),
    ("a question for routers", icmp6(b"\x33\x33\0\0\0\2", A, LOCAL6,
                                     ip6("ff02::2"), 133)),
    ("a redirect", icmp6(GATE, A, LOCAL6, GATE6, 137, b"\0" * 36)),
    ("a report of groups", icmp6(b"\x33\x33\0\0\0\x16", A, LOCAL6,
                                 ip6("ff02::16"), 143)),
    ("IPv6 answers for another", icmp6(GATE, A, A6, GATE6, 136,
                                       b"\x60\0\0\0" + B6)),
    ("IPv6 answers for the gateway", icmp6(GATE, A, A6, GATE6, 136,
                                           b"\x60\0\0\0" + GATE6)),
    ("IPv6 asks from afar", ask6(A, A6, GATE6, hops=64)),
    ("IPv6 asks by another's address", ask6(A, B6, GATE6)),
    ("IPv6 asks with a code", ask6(A, A6, GATE6, code=1)),
    ("a VLAN", GATE + A + b"\x81\0\0\1" + v4(GATE, A, A4, FAR4)[12:]),
    ("a VLAN without a number",
     GATE + A + b"\x81\0\0\0" + v4(GATE, A, A4, FAR4)[12:]),
    ("a VLAN in a VLAN", GATE + A + b"\x88\xa8\0\1\x81\0\0\2" +
     v4(GATE, A, A4, FAR4)[12:]),
    ("spanning tree", ether(b"\1\x80\xc2\0\0\0", A, 38, b"BB\3" + b"\0" * 35)),
    ("LLDP", ether(b"\1\x80\xc2\0\0\x0e", A, 0x88cc, b"\0" * 46)),
    ("EAPOL", ether(b"\1\x80\xc2\0\0\3", A, 0x888e, b"\0" * 46)),
    ("PPPoE", ether(GATE, A, 0x8863, b"\0" * 46)),
    ("MPLS", ether(GATE, A, 0x8847, b"\0" * 46)),
    ("a type without a name", ether(GATE, A, 0x88b5, b"\0" * 46)),
    ("802.3", ether(GATE, A, 20, b"\xaa\xaa\3" + b"\0" * 17)),
    ("a header that ends early", ether(GATE, A, 0x800, b"")),
)
# From above.
DOWN = (
    ("ARP asks everybody", arp(ALL, GATE, GATE, GATE4, A4)),
    ("ARP asks", arp(A, GATE, GATE, GATE4, A4)),
    ("ARP answers", arp(A, GATE, GATE, GATE4, A4, 2)),
    ("IPv4", v4(A, GATE, FAR4, A4)),
    ("IPv6", v6(A, GATE, FAR6, A6)),
    ("IPv6 asks who has an address", ask6(GATE, GATE6, A6)),
    ("IPv6 asks who has one of the segment", ask6(GATE, GATE6, LOCAL6)),
    ("IPv6 answers", icmp6(A, GATE, GATE6, A6, 136, b"\x60\0\0\0" + GATE6)),
)
NOT_DOWN = (
    ("another machine's address", v4(A, GATE, FAR4, FAR4)),
    ("another machine's MAC", v4(OTHER, GATE, FAR4, A4)),
    ("a machine's address for a source", v4(A, GATE, A4, A4)),
    ("a machine's MAC for a source", v4(A, A, FAR4, A4)),
    ("a machine's IPv6 address for a source", v6(A, GATE, A6, A6)),
    ("IPv4 to everybody", v4(ALL, GATE, FAR4, b"\xff" * 4)),
    ("IPv6 to all", v6(b"\x33\x33\0\0\0\1", GATE, GATE6, ip6("ff02::1"))),
    ("ARP about others", arp(ALL, GATE, GATE, GATE4, ip4("10.213.1.99"))),
    ("ARP with a machine's address", arp(ALL, GATE, GATE, A4, A4)),
    ("ARP with a machine's MAC", arp(A, GATE, A, GATE4, A4, 2)),
    ("a router's advert", icmp6(A, GATE, GATE6, A6, 134)),
    ("a router's advert to all", icmp6(b"\x33\x33\0\0\0\1", GATE,
                                       GATE6, ip6("ff02::1"), 134)),
    ("a redirect", icmp6(A, GATE, GATE6, A6, 137, b"\0" * 36)),
    ("a question for groups", icmp6(A, GATE, GATE6, A6, 130)),
    ("IPv6 asks about others", ask6(GATE, GATE6, ip6("fd76:6d00:0:1::99"))),
    ("IPv6 asks from afar", ask6(GATE, GATE6, A6, hops=254)),
    ("IPv4 that ends early", v4(A, GATE, FAR4, A4)[:32]),
    ("a VLAN", A + GATE + b"\x81\0\0\1" + v4(A, GATE, FAR4, A4)[12:]),
    ("spanning tree", ether(b"\1\x80\xc2\0\0\0", GATE, 38,
                            b"BB\3" + b"\0" * 35)),
    ("LLDP", ether(b"\1\x80\xc2\0\0\x0e", GATE, 0x88cc, b"\0" * 46)),
)
# For the bridge itself; its cards have these in a VM.
OWN = b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02"
ITSELF = tuple(
    (what, frame) for own in OWN for what, frame in (
        ("an echo for its card", v4(own, A, A4, ip4("10.213.1.254"))),
        ("ARP for its card", arp(own, A, A, A4, ip4("127.0.0.1"))),
        ("IPv6 for its card", icmp6(own, A, A6, ip6("ff02::1"), 128)),
        ("an echo for all", icmp6(b"\x33\x33\0\0\0\1", A, A6, ip6("ff02::1"),
                                  128)),
        ("who has its own address", ask6(A, A6, ip6("fe80::ff:fe00:1")))))


def say(good, what, why=""):
    print("%d %s" % (bool(good), what), flush=True)
    if not good:
        print("# %s: %s" % (what, str(why)[-1500:]), file=sys.stderr,
              flush=True)


def whole(frame):
    """As long as QEMU makes it from version 8 on."""
    return frame.ljust(60, b"\0")


class Wire:
    """The other end of a card."""

    def __init__(self, s):
        self.s = s
        self.s.settimeout(60)

    def send(self, frame):
        self.s.send(frame)

    def next(self):
        while True:
            frame, who = self.s.recvfrom(65536)
            # A packet socket hears what it says.
            if HOW == "vm" or who[2] != socket.PACKET_OUTGOING:
                return whole(frame)


def packets(card):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind((card, 0))
    return Wire(s)


class Pair:
    """Both cards; marks are frames that pass."""

    def __init__(self, inner, outer):
        self.inner, self.outer = inner, outer
        self.n = 0
        self.strange = []  # what nobody has sent

    def mark(self, up):
        self.n += 1
        number = struct.pack(">I", self.n) + b"mark"
        return v4(GATE, A, A4, FAR4, data=number) if up else v4(
            A, GATE, FAR4, A4, data=number)

    def try_one(self, up, *frames):
        """What came out before the mark."""
        by, at = (self.inner, self.outer) if up else (self.outer, self.inner)
        mark = self.mark(up)
        for frame in (*frames, mark):
            by.send(frame)
        sent, came, mark = [whole(f) for f in frames], [], whole(mark)
        try:
            while (frame := at.next()) != mark:
                (came if frame in sent else self.strange).append(frame)
        except socket.timeout:
            sys.exit("%r: %r, and no mark" % (frames, self.strange))
        return came


def test(pair):
    for up, good, bad in ((True, UP, NOT_UP), (False, DOWN, NOT_DOWN)):
        way = "up" if up else "down"
        for what, frame in good:
            came = pair.try_one(up, frame)
            say(came == [whole(frame)], "%s: %s" % (way, what), came)
        for what, frame in bad:
            if HOW == "vm" and " early" in what:
                continue  # QEMU may make it whole
            came = pair.try_one(up, frame)
            say(came == [], "not %s: %s" % (way, what), came)
    for what, frame in ITSELF:
        came, back = pair.try_one(True, frame), pair.try_one(False)
        # It may be for somebody above.
        passes = MODE == "any" or "who has" in what
        say(came in ([], [whole(frame)] if passes else []) and back == [],
            "no answer: " + what, (came, back))
    if MODE == "any":
        up = v4(OTHER, A, A4, FAR4), v4(A, OTHER, FAR4, A4)
        came = pair.try_one(True, up[0]), pair.try_one(False, up[1])
        say(came == ([whole(up[0])], [whole(up[1])]), "anybody is above",
            came)
    else:
        came = (pair.try_one(True, v4(OTHER, A, A4, FAR4)),
                pair.try_one(False, v4(A, OTHER, FAR4, A4)))
        say(came == ([], []), "only the gateway is above", came)


class Vm:
    def __init__(self, path):
        self.wires, fds, cards = [], [], []
        for n in (1, 2):
            ours, theirs = socket.socketpair(socket.AF_UNIX,
                                             socket.SOCK_SEQPACKET)
            self.wires.append(Wire(ours))
            fds.append(theirs)
            cards += ["--nic", "%d,mac=02:00:00:00:00:%02x" % (
                theirs.fileno(), n)]
        status, theirs = os.pipe()
        self.err = ""
        with open(path, "rb") as rules:
            keep = [rules.fileno(), theirs] + [s.fileno() for s in fds]
            self.p = subprocess.Popen(
                ["vmrun", "--firewall", str(rules.fileno()), *cards,
                 "--json-status-fd", str(theirs)], pass_fds=keep,
                stderr=subprocess.PIPE, text=True)
        os.close(theirs)
        for s in fds:
            s.close()
        self.ready = False
        for line in os.fdopen(status):
            said = json.loads(line)
            if "exit-code" in said or said.get("ready"):
                self.ready = said.get("ready", False)
                break

    def end(self):
        self.p.send_signal(signal.SIGTERM)
        self.err = self.p.communicate()[1]
        return self.p.returncode


def test_vm(path):
    vm = Vm(path)
    if not vm.ready:
        status = vm.end()
        print(vm.err, file=sys.stderr)
        sys.exit(status)
    pair = Pair(*vm.wires)
    test(pair)
    say(vm.end() == 0, "it ends when it is told to", vm.err)
    say("vmrun-deny IN=inner" in vm.err, "what it refuses is told", vm.err)
    for wire in vm.wires:
        try:
            while left := wire.s.recv(65536):
                pair.strange.append(left)
        except OSError:
            pass
    say(pair.strange == [], "it has said nothing of its own", pair.strange)


def main():
    # Frames of one processor keep their order.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if HOW == "vm":
        test_vm(sys.argv[3])
    else:
        test(Pair(packets("i1"), packets("o1")))


main()
