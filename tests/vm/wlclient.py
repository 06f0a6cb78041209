# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients in the guest that draw nothing.  With a number: so many at once, each
of which asks something and waits for the answer.  With "bad": one that asks for
what it was not offered, and says what it gets."""

import os
import socket
import struct
import sys

DISPLAY, REGISTRY, CALLBACK = 1, 2, 3


def send(s, data):
    try:
        s.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass  # the answer is there already, and the last that there is


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect(os.path.join(os.environ["XDG_RUNTIME_DIR"],
                           os.environ["WAYLAND_DISPLAY"]))
    s.settimeout(120)
    send(s, struct.pack("=6I", DISPLAY, 12 << 16 | 1, REGISTRY,
                        DISPLAY, 12 << 16, CALLBACK))
    return s


def messages(s):
    data = b""
    while True:
        try:
            got = s.recv(65536)
        except ConnectionResetError:
            return
        if not got:
            return
        data += got
        while len(data) >= 8:
            who, word = struct.unpack_from("=2I", data)
            if len(data) < word >> 16:
                break
            yield who, word & 0xffff, data[8:word >> 16]
            data = data[word >> 16:]


def answered(s):
    return any(who == CALLBACK for who, _, _ in messages(s))


if sys.argv[1] == "bad":
    client = connect()
    send(client, struct.pack("=4I12s2I", REGISTRY, 36 << 16, 12345, 12,
                             b"wl_anything\0", 1, 4))
    for who, opcode, body in messages(client):
        if who == DISPLAY and opcode == 0:
            print(body[12:].rstrip(b"\0").decode())
else:
    clients = [connect() for _ in range(int(sys.argv[1]))]
    print(sum(answered(c) for c in clients))
