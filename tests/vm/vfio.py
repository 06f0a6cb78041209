#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A firewall VM whose outer card is a PCI device.  Usage: vfio.py ADDRESS HOW

refused  it does not get as far as QEMU, or that ends
start    it runs until it ends; its number is printed
ping     10.213.1.9 on its inner side asks 10.0.2.2 on its outer one
"""
import json
import os
import socket
import struct
import subprocess
import sys
import time

ADDRESS, HOW = sys.argv[1:]
ME, GATEWAY = bytes.fromhex("020000000009"), bytes.fromhex("020000000001")
MINE, THERE = bytes((10, 213, 1, 9)), bytes((10, 0, 2, 2))
RULES = b"""table inet x {
	chain n {
		type nat hook postrouting priority 100;
		oifname "outer" masquerade
	}
}
"""


def start(theirs, status):
    rules, w = os.pipe()
    os.write(w, RULES)
    os.close(w)
    return subprocess.Popen(
        ["vmrun", "-v", "--firewall", str(rules),
         "--nic", "%d,mac=02:00:00:00:00:01,ip=10.213.1.1/24" % theirs,
         "--nic", "pci:%s,ip=10.0.2.20/24,gw=10.0.2.2" % ADDRESS,
         "--json-status-fd", str(status)],
        pass_fds=[theirs, status, rules], stdin=subprocess.DEVNULL)


def checksum(b):
    s = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    s = (s >> 16) + (s & 0xffff)
    return struct.pack("!H", ~(s + (s >> 16)) & 0xffff)


def echo_request():
    icmp = struct.pack("!BBHHH", 8, 0, 0, 7, 1) + b"vmrun" * 6
    icmp = icmp[:2] + checksum(icmp) + icmp[4:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(icmp), 1, 0, 64, 1, 0,
                     MINE, THERE)
    ip = ip[:10] + checksum(ip) + ip[12:]
    return GATEWAY + ME + b"\x08\x00" + ip + icmp


def answer_arp(sock, frame):
    """Who asks for us is told."""
    if frame[12:14] == b"\x08\x06" and frame[38:42] == MINE:
        sock.send(frame[6:12] + ME + frame[12:20] + b"\0\2" + ME + MINE +
                  frame[22:32])


def is_reply(frame):
    return (frame[12:14] == b"\x08\x00" and frame[23] == 1 and
            frame[26:30] == THERE and frame[30:34] == MINE and frame[34] == 0)


def ping(sock):
    """A request a minute, three at most: the first may be lost to ARP."""
    sock.settimeout(1)
    end = 0
    for _ in range(3):
        sock.send(echo_request())
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                frame = sock.recv(2000)
            except socket.timeout:
                continue
            answer_arp(sock, frame)
            if is_reply(frame):
                return True
    return False


def main():
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    r, w = os.pipe()
    began = time.monotonic()
    vm = start(theirs.fileno(), w)
    print(vm.pid, flush=True)
    theirs.close()
    os.close(w)
    ready = False
    for line in os.fdopen(r):
        ready = "ready" in json.loads(line)
        if ready:
            print("ready after %d s" % (time.monotonic() - began), flush=True)
            break
    good = HOW != "ping" or (ready and ping(mine))
    if ready:
        vm.terminate()
    vm.wait()
    return not good


sys.exit(main())
