# SPDX-License-Identifier: GPL-3.0-or-later
"""One side of a firewall, in a user and network namespace of its own.

Makes a TAP with the addresses and routes of its command line, gives it away by
the socket at standard input, then serves: TCP and UDP on some ports (what comes
goes back), DNS for names of `records`, and questions of the other end of that
socket, one line each, answered by one line.

    tcp,HOST,PORT   connects: ok, an error's name, or silent; milliseconds
    udp,HOST,PORT   sends and waits for an answer
    dns,SERVER,NAME,TYPE[,udp|tcp]  the addresses of the answer, or its code
    open,HOST,PORT  a connection that stays; `again` sends through it
    set,NAME,ADDRESS changes a record
    raw,SERVER,HEX  a datagram to port 53; the answer in hex
    many,SERVER,NAME,HOST  as many questions and datagrams at once as make the
                    firewall tell no more of them

An address behind `mute=` answers no datagrams.
"""
import errno
import fcntl
import os
import selectors
import socket
import struct
import subprocess
import sys
import time

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
PORTS = (22, 53, 80, 443, 8080)
records = {"a.example": "198.51.100.7", "c.example": "198.51.100.7",
           "x.b.example": "2001:db8:7::7", "in.b.example": "10.9.9.9"}
asked = []
kept = []


def make_tap(addresses, routes):
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"tap0", 0x1002))
    lines = ["link set lo up", "link set tap0 up"]
    for a in addresses:
        lines.append("addr add %s dev tap0%s" % (a, ":" in a and " nodad" or ""))
    for r in routes:
        lines.append("route add default via " + r)
    for line in lines:
        subprocess.run(["ip", *line.split()], check=True)
    return tun


def family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def name_of(b, at):
    words = []
    while b[at]:
        words.append(b[at + 1:at + 1 + b[at]].decode())
        at += 1 + b[at]
    return ".".join(words), at + 1


def answer_dns(q):
    name, at = name_of(q, 12)
    kind = struct.unpack(">H", q[at:at + 2])[0]
    asked.append(name)
    found = records.get(name.lower())
    data = b""
    if found and kind == (28 if ":" in found else 1):
        data = socket.inet_pton(family(found), found)
    head = q[:2] + struct.pack(">HHHHH", 0x8180 | (0 if found else 3), 1,
                               bool(data), 0, 0)
    return head + q[12:at + 4] + (data and struct.pack(
        ">HHHIH", 0xc00c, kind, 1, 30, len(data)) + data)


def serve(key):
    s, what = key.fileobj, key.data
    if what == "listen":
        c = s.accept()[0]
        key_set.register(c, selectors.EVENT_READ,
                         "dns" if s.getsockname()[1] == 53 else "echo")
    elif what in ("echo", "dns"):
        try:
            got = s.recv(4096)
        except OSError:
            got = b""
        if not got:
            key_set.unregister(s)
            s.close()
        elif what == "dns" and len(got) > 14:
            a = answer_dns(got[2:])
            s.send(struct.pack(">H", len(a)) + a)
        else:
            s.send(got)
    elif what == "udp":
        got, peer = s.recvfrom(4096)
        try:
            dns = s.getsockname()[1] == 53 and len(got) > 12
            s.sendto(answer_dns(got) if dns else got, peer)
        except OSError:
            pass


def connect(how, host, port):
    s = socket.socket(family(host), TCP if how == "tcp" else UDP)
    s.settimeout(4)
    try:
        s.connect((host, int(port)))
        s.send(b"x")
        return s, "ok" if s.recv(100) else "closed"
    except socket.timeout:
        return s, "silent"
    except OSError as e:
        return s, errno.errorcode[e.errno]


def query(name, kind):
    words = b"".join(bytes([len(w)]) + w.encode() for w in name.split("."))
    return (struct.pack(">HHHHHH", 0x1234, 0x100, 1, 0, 0, 0) + words +
            struct.pack(">BHH", 0, {"A": 1, "AAAA": 28, "TXT": 16}[kind], 1))


def ask_dns(server, name, kind, how="udp"):
    s = socket.socket(family(server), UDP if how == "udp" else TCP)
    s.settimeout(8)
    q = query(name, kind)
    try:
        s.connect((server, 53))
        s.send(q if how == "udp" else struct.pack(">H", len(q)) + q)
        a = s.recv(4096)
        if how == "tcp":
            a = a[2:] or s.recv(4096)
    except socket.timeout:
        return "silent"
    except OSError as e:
        return errno.errorcode[e.errno]
    n = struct.unpack(">H", a[6:8])[0]
    if not n:
        return "code %d" % (a[3] & 15)
    size = struct.unpack(">H", a[-6:-4])[0] if kind == "A" else 16
    return socket.inet_ntop(family("::" if size == 16 else ""), a[-size:])


def ask_many(server, name, host):
    """Of questions the kernel keeps ten, of datagrams nft logs twenty."""
    with socket.socket(family(server), UDP) as s:
        for _ in range(40):
            s.sendto(query(name, "A"), (server, 53))
            s.sendto(b"x", (host, 8080))


def obey(line):
    word, *args = line.split(",")
    began = time.monotonic()
    if word in ("tcp", "udp"):
        s, said = connect(word, *args)
        s.close()
    elif word == "open":
        s, said = connect("tcp", *args)
        kept.append(s)
    elif word == "again":
        try:
            kept[-1].send(b"again")
            said = kept[-1].recv(100).decode()
        except OSError as e:
            said = str(e)
    elif word == "dns":
        said = ask_dns(*args)
    elif word == "many":
        ask_many(*args)
        said = "done"
    elif word == "asked":
        said = " ".join(asked)
    elif word == "set":
        records[args[0]] = args[1]
        said = "done"
    elif word == "raw":
        s = socket.socket(family(args[0]), UDP)
        s.settimeout(1)
        s.sendto(bytes.fromhex(args[1]), (args[0], 53))
        try:
            said = s.recv(4096).hex()
        except OSError:
            said = "silent"
    return "%s %d" % (said, (time.monotonic() - began) * 1000)


def main():
    routes = [w[4:] for w in sys.argv[1:] if w.startswith("via=")]
    tun = make_tap([w.replace("mute=", "") for w in sys.argv[1:]
                    if not w.startswith("via=")], routes)
    for host in ("0.0.0.0", "::"):
        for port in PORTS:
            s = socket.socket(family(host), TCP)
            if ":" in host:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind((host, port))
            s.listen()
            key_set.register(s, selectors.EVENT_READ, "listen")
    # A datagram is to be answered from the address that it came to.
    for word in sys.argv[1:]:
        for port in PORTS:
            if not word.startswith(("via=", "mute=")):
                host = word.split("/")[0]
                s = socket.socket(family(host), UDP)
                s.bind((host, port))
                key_set.register(s, selectors.EVENT_READ, "udp")
    boss = socket.socket(fileno=0)
    socket.send_fds(boss, [b"t"], [tun])
    os.close(tun)
    key_set.register(boss, selectors.EVENT_READ, "boss")
    while True:
        for key, _ in key_set.select():
            if key.data != "boss":
                serve(key)
                continue
            line = boss.recv(4096).decode()
            if not line:
                return
            boss.send(obey(line).encode())


key_set = selectors.DefaultSelector()
main()
