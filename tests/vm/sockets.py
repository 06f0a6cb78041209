# SPDX-License-Identifier: GPL-3.0-or-later
"""Both ends of tests/vm/sockets.sh: a service on the host, clients in a guest.

The first byte of a connection says what the service does with it:
e  sends everything back until the client's end, then ends
h  reads to the client's end, then answers with the SHA-256 of it
s  reads nothing, for ever
l  reads to the client's end, answers with LATE bytes, ends
a  answers when an `l` has ended
k  reads slowly, and notes in the file `got` beside the socket how much there was
w  answers with LATE bytes, and waits
q  answers with LATE bytes, and ends without reading
p  says something, then reads and says nothing until its client is gone
"""
import hashlib
import os
import select
import socket
import sys
import threading
import time


LATE = bytes(i * i >> 8 & 255 for i in range(600 << 10))
ended = threading.Event()


def serve_one(c, path):
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
    elif what == b"l":
        read_all(c)
        c.sendall(LATE)
        c.close()
        ended.set()
    elif what == b"a":
        ended.wait()
        c.sendall(b"yes")
    elif what == b"k":
        n = 0
        while data := c.recv(32768):
            n += len(data)
            time.sleep(0.01)
        with open(os.path.dirname(path) + "/got", "w", encoding="ascii") as f:
            f.write("%d\n" % n)
    elif what == b"w":
        c.sendall(LATE)
        threading.Event().wait()
    elif what == b"q":
        c.sendall(LATE)
    elif what == b"p":
        c.sendall(b"x")
        gone = select.poll()
        gone.register(c, 0)
        gone.poll()
    c.close()


def serve(path, backlog, answer):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen(backlog)
    while True:
        c, _ = s.accept()
        answer(c, path)


def at_once(c, path):
    threading.Thread(target=serve_one, args=(c, path), daemon=True).start()


def one_by_one(c, path):
    """Takes a tenth of a second for each."""
    time.sleep(0.1)
    serve_one(c, path)


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
    sys.exit(good != n)


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


def late(path):
    """Reads an answer only when others came and went after its end."""
    c = connect(path, b"l")
    c.shutdown(socket.SHUT_WR)
    others = [read_all(connect(path, b"a")) for _ in range(20)]
    got = read_all(c)
    print(others.count(b"yes"), "others", len(got),
          "same" if got == LATE else "differs")


def leave(path):
    """Sends 2 MiB, and is gone."""
    c = connect(path, b"k")
    c.sendall(bytes(2 << 20))
    os.kill(os.getpid(), 9)


def used():
    """Ticks of a processor that PID 1 has used."""
    with open("/proc/1/stat", encoding="ascii") as f:
        return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))


def shut(path):
    """Shuts down, without a close, what has more to be read than fits."""
    c = connect(path, b"w")
    c.recv(1)
    time.sleep(1)
    c.shutdown(socket.SHUT_RDWR)
    time.sleep(0.5)
    before = used()
    time.sleep(3)
    ticks = used() - before
    print("idle" if ticks < 100 else "%d ticks" % ticks)


def early(path):
    """Goes on sending to who has answered, and ended; then reads."""
    c = connect(path, b"q")
    try:
        for _ in range(16):
            c.sendall(bytes(1 << 20))
    except OSError:
        pass
    got = b""
    try:
        while data := c.recv(65536):
            got += data
    except ConnectionResetError:
        pass
    print("same" if got == LATE else len(got))


def gone(path, n):
    """n clients, one after another, that leave a service that waits for it."""
    for _ in range(n):
        c = connect(path, b"p")
        c.settimeout(60)
        c.recv(1)
        c.close()
    c = connect(path, b"e")
    c.settimeout(60)
    c.sendall(b"hello")
    c.shutdown(socket.SHUT_WR)
    print(read_all(c).decode())


def main():
    what, path = sys.argv[1:3]
    if what == "serve":
        serve(path, 128, at_once)
    elif what == "busy":
        serve(path, 1, one_by_one)
    elif what == "parallel":
        parallel(path, int(sys.argv[3]))
    elif what == "half":
        half(path, int(sys.argv[3]))
    elif what == "stall":
        stall(path)
    elif what == "late":
        late(path)
    elif what == "leave":
        leave(path)
    elif what == "shut":
        shut(path)
    elif what == "gone":
        gone(path, int(sys.argv[3]))
    elif what == "early":
        early(path)


main()
