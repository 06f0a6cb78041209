# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes to who sends a datagram to 198.51.100.7 port 443 in the world of
testnet.sh: from this machine, and from behind passt without a firewall."""
import shutil
import socket
import struct
import subprocess

US, GATE = "10.77.2.2", "10.77.2.1"
OURS, THEIRS = b"\x52\x54\0\x77\2\2", b"\x52\x54\0\x77\2\1"
PORT = 4000


def heard_here():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(60)
    s.sendto(b"hello", ("198.51.100.7", 443))
    said = []
    while said[-1:] != ["end"]:
        said.append(s.recv(100).decode())
    return said


def checksum(head):
    n = sum(struct.unpack(">%dH" % (len(head) // 2), head))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return n ^ 0xffff


def question():
    udp = struct.pack(">HHHH", PORT, 443, 13, 0) + b"hello"
    addresses = socket.inet_aton(US) + socket.inet_aton("198.51.100.7")
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0)
    head = head[:10] + struct.pack(">H", checksum(head + addresses))
    return THEIRS + OURS + b"\x08\0" + head + addresses + udp


def frames(s):
    """Of a stream, each behind its length."""
    have = b""
    while True:
        while len(have) < 4 or len(have) < 4 + struct.unpack(">I", have[:4])[0]:
            piece = s.recv(65536)
            if not piece:
                return
            have += piece
        n = struct.unpack(">I", have[:4])[0]
        yield have[4:4 + n]
        have = have[4 + n:]


def heard_through_passt():
    """And whether this version passes on what comes from anybody: newer ones
    may not."""
    options = subprocess.run(["passt", "--help"], capture_output=True,
                             text=True, check=False)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ours.settimeout(60)
    p = subprocess.Popen(
        [shutil.which("passt"), "-f", "-q", "-F", str(theirs.fileno()), "-M",
         ":".join("%02x" % b for b in THEIRS), "--no-map-gw", "--no-dhcp",
         "--no-dhcpv6", "--no-ra", "--no-dhcp-dns", "-t", "none", "-u", "none",
         "-a", US, "-n", "24", "-g", GATE, "-4"],
        pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    theirs.close()
    ours.sendall(struct.pack(">I", len(question())) + question())
    said = []
    try:
        for f in frames(ours):
            if f[12:14] == b"\x08\0" and f[23] == 17 and \
                    f[36:38] == struct.pack(">H", PORT):
                n = struct.unpack(">H", f[38:40])[0]
                said.append(f[42:34 + n].decode())
            if said[-1:] == ["end"]:
                break
    except socket.timeout:
        said.append("silent")
    ours.close()
    p.wait()
    return said, "--map-host-loopback" not in options.stdout + options.stderr
