# SPDX-License-Identifier: GPL-3.0-or-later
"""Both ends of tests/vm/sockets.sh: a service on the host, clients in a guest.

The first byte of a connection says what the service does with it:
e  sends everything back until the client's end, then ends
h  reads to the client's end, then answers with the SHA-256 of it
s  reads nothing, for ever
"""
import hashlib
import os
import socket
import sys
import threading


def serve_one(c):
    what = c.recv(1)
    if what == b"e":
        while data := c.recv(65536):
            c.sendall(data)
    elif what == b"h":
        h = hashlib.sha256()
        while data := c.recv(65536):
            h.update(data)
        c.sendall(h.hexdigest().encode())
    elif what == b"s":
        threading.Event().wait()
    c.close()


def serve(path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen(128)
    while True:
        c, _ = s.accept()
        threading.Thread(target=serve_one, args=(c,), daemon=True).start()


def connect(path, what):
    c = socket.socket(socket.AF_UNIX)
    c.connect(path)
    c.sendall(what)
    return c


def read_all(c):
    got = b""
    while data := c.recv(65536):
        got += data
    return got


def parallel(path, n):
    """n connections open together, each with bytes of its own."""
    conns = [connect(path, b"e") for _ in range(n)]
    for i, c in enumerate(conns):
        c.sendall(b"%d " % i * 1000)
        c.shutdown(socket.SHUT_WR)
    good = sum(read_all(c) == b"%d " % i * 1000 for i, c in enumerate(conns))
    print(good, "of", n)


def half(path, n):
    """n MiB, then the end of our direction; the answer comes after it."""
    c = connect(path, b"h")
    h = hashlib.sha256()
    for _ in range(n):
        data = os.urandom(1 << 20)
        h.update(data)
        c.sendall(data)
    c.shutdown(socket.SHUT_WR)
    print("same" if read_all(c).decode() == h.hexdigest() else "differs")


def stall(path):
    """Fills a connection that nobody reads; another one goes on."""
    c = connect(path, b"s")
    c.settimeout(3)
    sent = 0
    try:
        while sent < 64 << 20:
            sent += c.send(bytes(65536))
    except TimeoutError:
        print("held back")
    other = connect(path, b"e")
    other.sendall(b"hello")
    other.shutdown(socket.SHUT_WR)
    print(read_all(other).decode())


def main():
    what, path = sys.argv[1:3]
    if what == "serve":
        serve(path)
    elif what == "parallel":
        parallel(path, int(sys.argv[3]))
    elif what == "half":
        half(path, int(sys.argv[3]))
    elif what == "stall":
        stall(path)


main()
