#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers of testnet.sh: HTTP that says who asked, and a resolver."""
import http.server
import os
import socket
import struct
import sys
import threading

WHERE, FOLDER = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/big":
            body = bytes(16 << 20)
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


def address(name):
    if name != "moved.example":
        return "198.51.100.7"
    with open(os.path.join(FOLDER, "moved"), encoding="ascii") as f:
        return f.read().strip()


def question(packet):
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels), packet[at + 1:at + 3], at + 5


def resolve(packet):
    name, kind, end = question(packet)
    head = packet[:2] + b"\x81\x80\0\1"
    if kind != b"\0\1":
        return head + b"\0\0\0\0\0\0" + packet[12:end]
    return (head + b"\0\1\0\0\0\0" + packet[12:end] +
            b"\xc0\x0c\0\1\0\1\0\0\0\2\0\4" + socket.inet_aton(address(name)))


def main():
    for port in (80, 8080, 22) if WHERE == "there" else (9000,):
        server = Server(("::", port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("up", flush=True)
    if WHERE == "here":
        threading.Event().wait()
    dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dns.bind(("198.51.100.7", 53))
    while True:
        packet, who = dns.recvfrom(1500)
        try:
            dns.sendto(resolve(packet), who)
        except (IndexError, OSError, struct.error, UnicodeError) as e:
            print(e, flush=True)


main()
