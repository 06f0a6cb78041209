#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""vmrun --nic against other ends that this program plays.

One line for each property: 1 or 0, then the property.  A peer is a host
10.213.1.1 and fd00::1 that answers ARP, neighbour solicitations, and any UDP
datagram that reaches its MAC by sending it back.
"""
import array
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading

VMRUN, SWITCH = sys.argv[1], sys.argv[2]
GUEST_MAC = bytes.fromhex("02766d00000a")
PEER_MAC = bytes.fromhex("02766d000001")
GUEST4, PEER4 = socket.inet_aton("10.213.1.10"), socket.inet_aton("10.213.1.1")
GUEST6 = socket.inet_pton(socket.AF_INET6, "fd00::a")
PEER6 = socket.inet_pton(socket.AF_INET6, "fd00::1")
LOCAL6 = socket.inet_pton(socket.AF_INET6, "fe80::76:6dff:fe00:a")
NIC = ("mac=02:76:6d:00:00:0a,ip=10.213.1.10/24,gw=10.213.1.1,ip=fd00::a/64,"
       "gw=fd00::1,dns=10.213.1.53,dns=fd00::53,mtu=1400")
# wire/switch.h
RECORD = struct.Struct("=IIIIiI6s2x4s4x16s16s18Q")
# Bash has UDP: a datagram there and back, or "silent".  Not by its read,
# which takes single bytes, and of a datagram only the first.
ECHO = ('echo_() { exec 3<>"/dev/udp/$1/7" && echo "ping $1" >&3 && '
        'x=$(timeout 120 head -n 1 <&3) && echo "back $x" || '
        'echo "silent $1"; }; ')


def say(good, what, why=""):
    print("%d %s" % (bool(good), what), flush=True)
    if not good:
        print("# %s: %s" % (what, str(why)[-1500:]), file=sys.stderr)


def icmp6_sum(src, dst, body):
    data = src + dst + struct.pack(">II", len(body), 58) + body
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Peer:
    """Frames in and out of a socket; `framed`: each behind its length."""

    def __init__(self, sock, framed=False):
        self.sock, self.framed, self.seen = sock, framed, []
        threading.Thread(target=self.run, daemon=True).start()

    def read(self):
        if not self.framed:
            return self.sock.recv(65536)
        head = self.sock.recv(4, socket.MSG_WAITALL)
        return head and self.sock.recv(struct.unpack(">I", head)[0],
                                       socket.MSG_WAITALL)

    def run(self):
        try:
            while frame := self.read():
                self.seen.append(frame)
                answer = self.answer(frame)
                if answer and self.framed:
                    answer = struct.pack(">I", len(answer)) + answer
                if answer:
                    self.sock.send(answer)
        except OSError:
            pass

    @staticmethod
    def answer(f):
        back = f[6:12] + PEER_MAC + f[12:14]
        kind = f[12:14].hex()
        if kind == "0806" and f[20:22] == b"\0\1" and f[38:42] == PEER4:
            return (back + f[14:20] + b"\0\2" + PEER_MAC + PEER4 + f[22:32])
        if kind == "86dd" and f[20] == 58 and f[54] == 135 and \
                f[62:78] == PEER6:
            body = b"\x88\0\0\0\x60\0\0\0" + PEER6 + b"\2\1" + PEER_MAC
            check = struct.pack(">H", icmp6_sum(PEER6, f[22:38], body))
            return (back + b"\x60\0\0\0\0\x20\x3a\xff" + PEER6 + f[22:38] +
                    body[:2] + check + body[4:])
        if f[:6] != PEER_MAC:
            return None
        # There and back the sums are the same.
        if kind == "0800" and f[23] == 17:
            return (back + f[14:26] + f[30:34] + f[26:30] + f[36:38] +
                    f[34:36] + f[38:])
        if kind == "86dd" and f[20] == 17:
            return (back + f[14:22] + f[38:54] + f[22:38] + f[56:58] +
                    f[54:56] + f[58:])
        return None


class Switch:
    """The real vmrun-switch; keeps a copy of each port."""

    def __init__(self):
        self.ports = []
        self.start()

    def start(self):
        self.ctl, theirs = socket.socketpair(socket.AF_UNIX,
                                             socket.SOCK_SEQPACKET)
        fd = theirs.fileno()
        # It wants its socket at 3.
        self.child = subprocess.Popen(
            ["sh", "-c", 'exec "$0" 3<&%d %d<&-' % (fd, fd) if fd != 3
             else 'exec "$0"', SWITCH], pass_fds=[fd])
        theirs.close()
        for port in self.ports:
            self.attach(*port)

    def command(self, record, fds=()):
        self.ctl.sendmsg([record], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                     array.array("i", fds))] if fds else [])
        return RECORD.unpack(self.ctl.recv(1024))

    def attach(self, port, role, mac, addresses, end):
        zeros = [0] * 18
        answer = self.command(RECORD.pack(1, 1, port, role, 0, 0, mac,
                                          *addresses, *zeros), [end.fileno()])
        assert answer[1] == 32, answer

    def port(self, port, role, mac, addresses):
        ours, theirs = socket.socketpair(socket.AF_UNIX,
                                         socket.SOCK_SEQPACKET)
        self.ports.append((port, role, mac, addresses, theirs))
        self.attach(*self.ports[-1])
        return ours

    def count(self, port):
        return self.command(RECORD.pack(1, 3, port, 1, 0, 0, bytes(6),
                                        bytes(4), bytes(16), bytes(16),
                                        *[0] * 18))

    def restart(self):
        self.child.kill()
        self.child.wait()
        self.ctl.close()
        self.start()


def vmrun(end, config, script):
    fd = end.fileno()
    return subprocess.Popen(
        [VMRUN, "-q", "--nic", "%d,%s" % (fd, config), "--",
         "bash", "-c", ECHO + script],
        pass_fds=[fd], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)


def test_switch():
    none = (bytes(4), bytes(16), bytes(16))
    s = Switch()
    peer = Peer(s.port(0, 2, PEER_MAC, none))
    end = s.port(5, 1, GUEST_MAC, (GUEST4, GUEST6, LOCAL6))
    vm = vmrun(end, NIC,
               'cat /etc/resolv.conf; cd /sys/class/net; echo * */mtu; '
               'cat */mtu; cat /proc/net/if_inet6; '
               'for a in 10.213.1.1 fd00::1 198.51.100.7 2001:db8::7; '
               'do echo_ $a; done; read x; echo_ 10.213.1.1; echo_ fd00::1')
    end.close()
    said = ""
    for line in vm.stdout:
        said += line
        if "2001:db8::7" in line:
            break
    say("nameserver 10.213.1.53\nnameserver fd00::53\n" in said,
        "resolv.conf names the resolvers", said)
    say("1400" in said and said.count("/mtu") == 2, "one card, its MTU", said)
    say("fd00000000000000000000000000000a" in said and
        "fe8000000000000000766dfffe00000a" in said,
        "it has its IPv6 addresses", said)
    for a in ("10.213.1.1", "fd00::1", "198.51.100.7", "2001:db8::7"):
        say("back ping %s\n" % a in said, "a datagram to %s comes back" % a,
            said)
    drops = s.count(5)[-14:]
    say(not any(drops), "the switch had nothing to object to", drops)
    say(s.count(5)[-17] and all(f[6:12] == GUEST_MAC for f in peer.seen),
        "all frames are from the card's MAC")
    s.restart()
    vm.stdin.write("\n")
    vm.stdin.flush()
    out, err = vm.communicate()
    say(out == "back ping 10.213.1.1\nback ping fd00::1\n" and
        vm.returncode == 0,
        "the switch was killed and another one started: the guest goes on",
        (out, err, vm.returncode))
    record = RECORD.unpack(s.ctl.recv(1024))
    say(record[1] == 35 and record[2] == 5,
        "the switch sees the end of the VM", record)
    s.child.kill()
    s.child.wait()


def test_stream():
    ours, end = socket.socketpair()
    Peer(ours, framed=True)
    vm = vmrun(end, "mac=02:76:6d:00:00:0a,ip=10.213.1.10/24",
               "cat /etc/resolv.conf; echo_ 10.213.1.1; "
               "echo_ 198.51.100.7 2>&1")
    end.close()
    out, err = vm.communicate()
    say("back ping 10.213.1.1\n" in out, "a stream socket, as passt has it",
        (out, err))
    say("nameserver" not in out, "no resolver that was not named", out)
    say("Network is unreachable" in out, "no route without a gateway", out)


# In a user and network namespace of its own: makes a TAP, gives it away by
# the socket at standard input, answers on UDP port 7.
TAP = """
import fcntl, os, socket, struct, subprocess, sys
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"tap0", 0x1002))
for words in ("addr add 10.213.1.1/24 dev tap0", "link set tap0 up"):
    subprocess.run(["ip", *words.split()], check=True)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.213.1.1", 7))
socket.send_fds(socket.socket(fileno=0), [b"t"], [tun])
os.close(tun)
while True:
    s.sendto(*s.recvfrom(2000))
"""


def test_tap():
    ours, theirs = socket.socketpair()
    holder = subprocess.Popen(["unshare", "-Urn", sys.executable, "-c", TAP],
                              stdin=theirs)
    theirs.close()
    _, fds, _, _ = socket.recv_fds(ours, 1, 1)
    if not fds:
        say(False, "a TAP in a namespace of one's own")
        return
    with open(fds[0], "r+b", buffering=0) as tap:
        vm = vmrun(tap, "mac=02:76:6d:00:00:0a,ip=10.213.1.10/24",
                   "echo_ 10.213.1.1")
        out, err = vm.communicate()
    say(out == "back ping 10.213.1.1\n", "a TAP of another namespace",
        (out, err))
    holder.kill()
    holder.wait()


# In the network of `net tap`: says that it is there, answers on UDP port 7.
ECHO_SERVER = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.213.1.1", 7))
print("up", flush=True)
while True:
    s.sendto(*s.recvfrom(2000))
"""


# Who has the TAP of `net tap` as descriptor 3: a server inside, a VM here.
BESIDE = """
import os, subprocess, sys
server = subprocess.Popen(
    ["nsenter", "-t", os.environ["VMRUN_TAP_PID"], "-U", "-n",
     "--preserve-credentials", sys.executable, "-c", sys.argv[1]],
    stdout=subprocess.PIPE)
server.stdout.readline()
subprocess.run(sys.argv[2:], pass_fds=[3])
server.kill()
server.wait()
"""


def test_net_tap():
    r = subprocess.run(
        ["vmrunctl", "net", "tap", "--ip", "10.213.1.1/24", "--vnet-hdr", "--",
         sys.executable, "-c", BESIDE, ECHO_SERVER, VMRUN, "-q", "--nic",
         "3,mac=02:76:6d:00:00:0a,ip=10.213.1.10/24", "--",
         "bash", "-c", ECHO + "echo_ 10.213.1.1"],
        capture_output=True, text=True)
    say(r.stdout == "back ping 10.213.1.1\n",
        "a TAP of vmrunctl net tap, with headers for offloads", r)


def main():
    test_switch()
    test_stream()
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        print("skip /dev/net/tun is closed to ordinary users", flush=True)
    elif not shutil.which("ip"):
        print("skip there is no ip(8)", flush=True)
    else:
        test_tap()
        test_net_tap()


main()
