#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers of testnet.sh: HTTP that says who asked, and a resolver."""
import errno
import http.server
import os
import socket
import struct
import subprocess
import sys
import threading

WHERE, FOLDER = sys.argv[1:]


# What tests have done here, by root.
DEEDS = {
    "private": ("ip addr add 169.254.9.9/16 dev v0",
                "ip addr add 192.168.99.1/24 dev v0",
                "ip addr add fd99::1/64 dev v0 nodad"),
    "public": ("ip addr add 198.51.100.3/24 dev v0",),
    "only6": ("ip route del default",),
    "unroute": ("ip -6 route del default",),
    "route": ("ip route add default via 198.51.100.1",
              "ip -6 route add default via 2001:db8::1"),
    "untap": ("ip link del vt0",),
    "tap": ("ip tuntap add dev vt0 mode tap user " +
            os.environ.get("VMRUN_USER", ""),
            "ip addr add 203.0.113.1/24 dev vt0", "ip link set vt0 up"),
}


def do(word):
    for command in DEEDS[word]:
        subprocess.run(command.split(), check=True)
    return b"done\n"


def ask(how, host, port):
    """/tcp/HOST/PORT and /udp/HOST/PORT: what is there, as seen from here."""
    try:
        if how == "tcp":
            s = socket.create_connection((host, int(port)), 30)
            s.sendall(b"hello\n")
        else:
            s = socket.socket(socket.AF_INET6 if ":" in host else
                              socket.AF_INET, socket.SOCK_DGRAM)
            s.settimeout(30)
            s.connect((host, int(port)))
            s.send(b"hello")
        return s.recv(1000)
    except socket.timeout:
        return b"silent"
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e)).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # a connection may stay for another one

    def do_GET(self):
        if self.path == "/big":
            body = bytes(16 << 20)
        elif self.path.startswith("/do/") and WHERE == "here":
            body = do(self.path[4:])
        elif self.path.count("/") == 3:
            body = ask(*self.path.split("/")[1:])
        else:
            body = ("%s port %d to %s\n" % (
                WHERE, self.server.server_address[1],
                self.client_address[0])).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True


def address(name, mine):
    if name != "moved.example":
        return mine
    with open(os.path.join(FOLDER, "moved"), encoding="ascii") as f:
        return f.read().strip()


def question(packet):
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels), packet[at + 1:at + 3], at + 5


def resolve(packet, mine):
    name, kind, end = question(packet)
    head = packet[:2] + b"\x81\x80\0\1"
    if kind != b"\0\1":
        return head + b"\0\0\0\0\0\0" + packet[12:end]
    return (head + b"\0\1\0\0\0\0" + packet[12:end] +
            b"\xc0\x0c\0\1\0\1\0\0\0\2\0\4" + socket.inet_aton(address(name, mine)))


def serve_names(at, mine):
    dns = socket.socket(socket.AF_INET6 if ":" in at else socket.AF_INET,
                        socket.SOCK_DGRAM)
    dns.bind((at, 53))
    while True:
        packet, who = dns.recvfrom(1500)
        try:
            dns.sendto(resolve(packet, mine), who)
        except (IndexError, OSError, struct.error, UnicodeError) as e:
            print(e, flush=True)


def serve_unasked():
    """Before its answer, datagrams that only a full cone lets through: from
    another address, and from another port of the same one."""
    asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asked.bind(("198.51.100.7", 443))
    others = []
    for address in "198.51.100.1", "198.51.100.7":
        others.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        others[-1].bind((address, 0))
    while True:
        _, who = asked.recvfrom(100)
        for s in others:
            s.sendto(b"unasked", who)
        asked.sendto(b"end", who)


def main():
    for port in (80, 8080, 22) if WHERE == "there" else (9000,):
        server = Server(("::", port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("up", flush=True)
    if WHERE == "here":
        threading.Event().wait()
    threading.Thread(target=serve_unasked, daemon=True).start()
    for names in (("198.51.100.1", "198.51.100.1"),
                  ("2001:db8::7", "198.51.100.66")):
        threading.Thread(target=serve_names, args=names, daemon=True).start()
    serve_names("198.51.100.7", "198.51.100.7")


main()
