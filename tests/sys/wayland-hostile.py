#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that break the rules, one after another, at the filter of
$WAYLAND_DISPLAY with a real compositor behind it.  For each a line: "good",
if it was ended as it should be, or "bad", its number, what it did, and "ended:
TEXT" of its wl_display.error, or what came instead.
tests/unit/wayland-hostile-test has more of them, without a compositor."""
import array
import os
import re
import socket
import struct

DISPLAY, REGISTRY, CALLBACK, COMPOSITOR, SHM, BASE, SURFACE, NEXT = range(1, 9)
SERVER = 0xff000000


def words(*numbers):
    return struct.pack(f"={len(numbers)}I", *(n & 0xffffffff for n in numbers))


def text(s):
    b = s.encode("latin-1") + b"\0"
    return struct.pack("=I", len(b)) + b + bytes(-len(b) % 4)


def message(obj, opcode, body=b""):
    return words(obj, len(body) + 8 << 16 | opcode) + body


def memory(size):
    fd = os.memfd_create("hostile", os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    return fd


class Client:
    def __init__(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.environ["WAYLAND_DISPLAY"])
        self.sock.settimeout(120)
        self.names = {}
        self.send(message(DISPLAY, 1, words(REGISTRY)))
        self.sync(CALLBACK)
        self.bind("wl_compositor", 4, COMPOSITOR)
        self.bind("wl_shm", 1, SHM)
        self.bind("xdg_wm_base", 1, BASE)
        self.send(message(COMPOSITOR, 0, words(SURFACE)))
        self.sync(NEXT)

    def send(self, data, *fds):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                   array.array("i", fds))] if fds else []
        self.sock.sendmsg([data], rights)
        for fd in fds:
            os.close(fd)

    def bind(self, interface, version, new, name=None):
        self.send(message(REGISTRY, 0,
                          words(name or self.names[interface]) +
                          text(interface) + words(version, new)))

    def events(self):
        data = b""
        while True:
            try:
                got = self.sock.recv(65536)
            except ConnectionResetError:
                return
            if not got:
                return
            data += got
            while len(data) >= 8:
                obj, word = struct.unpack_from("=2I", data)
                if len(data) < word >> 16:
                    break
                yield obj, word & 0xffff, data[8:word >> 16]
                data = data[word >> 16:]

    def sync(self, new):
        self.send(message(DISPLAY, 0, words(new)))
        for obj, opcode, body in self.events():
            if obj == REGISTRY and opcode == 0:
                name, n = struct.unpack_from("=2I", body)
                self.names[body[8:7 + n].decode()] = name
            if obj == DISPLAY and opcode == 1:
                return

    def end(self):
        """How it was ended; a round trip later at the latest."""
        try:
            self.send(message(DISPLAY, 0, words(self.last)))
        except BrokenPipeError:
            pass
        for obj, opcode, body in self.events():
            if obj == DISPLAY and opcode == 0:
                return "ended: " + body[12:].split(b"\0")[0].decode()
            if obj == self.last:
                return "served"
        return "closed"

    last = 4000  # no new object: whoever is not ended before, is by this


def pool(c, size, *fds, new=NEXT):
    c.send(message(SHM, 0, words(new, size)), *fds)


def buffer(c, *numbers):
    pool(c, 4096, memory(4096))
    c.send(message(NEXT, 0, words(NEXT + 1, *numbers)))


def toplevel(c):
    c.send(message(BASE, 2, words(NEXT, SURFACE)) +
           message(NEXT, 1, words(NEXT + 1)))


def titled(body):
    def case(c):
        toplevel(c)
        c.send(message(NEXT + 1, 2, body))
    return case


def sends(data, *sizes):
    return lambda c: c.send(data, *map(memory, sizes))


def twice(c):
    c.send(message(COMPOSITOR, 1, words(NEXT)) + message(NEXT, 0) * 2)


def dying(c):
    c.send(message(COMPOSITOR, 1, words(NEXT)) + message(NEXT, 0) +
           message(COMPOSITOR, 1, words(NEXT)))


def as_argument(c):
    c.send(message(COMPOSITOR, 1, words(NEXT)) + message(NEXT, 0) +
           message(SURFACE, 4, words(NEXT)))


def pools(c):
    for i in range(600):
        pool(c, 4096, memory(4096), new=NEXT + i)


def shrinks(c):
    pool(c, 8192, memory(8192))
    c.send(message(NEXT, 2, words(4096)))


def grows(c):
    pool(c, 4096, memory(4096))
    c.send(message(NEXT, 2, words(1 << 20)))


def piped(c):
    read, write = os.pipe()
    os.close(read)
    pool(c, 4096, write)


def device(c):
    pool(c, 4096, os.open("/dev/zero", os.O_RDWR))


def hidden(c):
    c.bind("zwlr_screencopy_manager_v1", 1, NEXT, 1)


def guessed(c):
    for name in set(range(1, 80)) - set(c.names.values()):
        c.bind("zwlr_screencopy_manager_v1", 1, NEXT, name)


CASES = [
    ("a size below the header", "a message of", sends(words(1, 4 << 16))),
    ("no size", "a message of", sends(words(1, 0))),
    ("an odd size", "a message of", sends(words(1, 13 << 16, 9, 0))),
    ("an object that never was", "object 999", sends(message(999, 0))),
    ("object 0", "object 0 ", sends(message(0, 0, words(NEXT)))),
    ("a server's object", "object 42781", sends(message(SERVER, 0))),
    ("the last object", "object 4294967295", sends(message(0xffffffff, 0))),
    ("a high opcode", "no request 77", sends(message(SURFACE, 77))),
    ("the highest opcode", "no request 65535", sends(message(1, 0xffff))),
    ("a later version's request", "not in version 4",
     sends(message(SURFACE, 10, words(0, 0)))),
    ("bytes too many", "bad arguments", sends(message(1, 0, words(NEXT, 0)))),
    ("bytes too few", "bad arguments", sends(message(SURFACE, 2, words(0)))),
    ("a string that goes on", "bad arguments",
     sends(message(REGISTRY, 0, words(1, 400, 0)))),
    ("a string of 4 GiB", "bad arguments",
     sends(message(REGISTRY, 0, words(1, -1, 0, 0)))),
    ("a string without an end", "bad arguments",
     sends(message(REGISTRY, 0, words(1, 4, 0x41414141, 1, NEXT)))),
    ("a string with a NUL", "bad arguments",
     sends(message(REGISTRY, 0, words(1, 4, 0x4100, 1, NEXT)))),
    ("no string", "bad arguments",
     sends(message(REGISTRY, 0, words(1, 0, 1, NEXT)))),
    ("no title", "bad arguments", titled(words(0))),
    ("a title that goes on", "bad arguments", titled(words(100))),
    ("a title that padding overtakes", "bad arguments", titled(words(-3))),
    ("a used id", "no new object",
     sends(message(COMPOSITOR, 0, words(SURFACE)))),
    ("the display's id", "no new object", sends(message(1, 0, words(1)))),
    ("id 0", "no new object", sends(message(1, 0, words(0)))),
    ("a gap", "no new object", sends(message(1, 0, words(NEXT + 9)))),
    ("a server's id", "no new object", sends(message(1, 0, words(SERVER)))),
    ("an id that is dying", "no new object", dying),
    ("a second destroy", "is not there", twice),
    ("a destroyed argument", "is no wl_region", as_argument),
    ("another type", "is no wl_surface",
     sends(message(BASE, 2, words(NEXT, SHM)))),
    ("another type or none", "is no wl_buffer",
     sends(message(SURFACE, 1, words(SHM, 0, 0)))),
    ("no object", "without an object",
     sends(message(BASE, 2, words(NEXT, 0)))),
    ("an argument that never was", "is no wl_region",
     sends(message(SURFACE, 4, words(777)))),
    ("a hidden global as another", "global 1 ", hidden),
    ("a hidden global by guessing", "global ", guessed),
    ("a global that never was", "global 12345",
     lambda c: c.bind("wl_shm", 1, NEXT, 12345)),
    ("a global as another", "global ",
     lambda c: c.bind("wl_seat", 1, NEXT, c.names["wl_shm"])),
    ("the beginning of its name", "global ",
     lambda c: c.bind("wl_s", 1, NEXT, c.names["wl_shm"])),
    ("a version too high", "has version",
     lambda c: c.bind("wl_shm", 99, NEXT)),
    ("version 0", "has version", lambda c: c.bind("wl_shm", 0, NEXT)),
    ("a global with a used id", "no new object",
     lambda c: c.bind("wl_shm", 1, SHM)),
    ("no descriptor", "without a descriptor", lambda c: pool(c, 4096)),
    ("a pool of -1 bytes", "a pool of -1", lambda c: pool(c, -1, memory(9))),
    ("a pool of nothing", "a pool of 0", lambda c: pool(c, 0, memory(9))),
    ("a pool above the limit", "a pool of 2147483647",
     lambda c: pool(c, 0x7fffffff, memory(9))),
    ("a pool of a smaller file", "wl_shm_pool|pool|file",
     lambda c: pool(c, 8192, memory(4096))),
    ("a device as a pool", "pool|file", device),
    ("a pipe as a pool", "pool|file", piped),
    ("a pool that shrinks", "a pool of 4096", shrinks),
    ("a pool that outgrows its file", "pool|file", grows),
    ("pools without end", "pool", pools),
    ("a buffer beyond its pool", "buffer",
     lambda c: buffer(c, 0, 64, 64, 256, 0)),
    ("a buffer before its pool", "buffer",
     lambda c: buffer(c, -4096, 8, 8, 32, 0)),
    ("a stride of -1", "buffer", lambda c: buffer(c, 0, 8, 8, -1, 0)),
    ("a buffer that wraps", "buffer",
     lambda c: buffer(c, 0, 8, 0x10001, 0x10000, 0)),
    ("no height", "buffer", lambda c: buffer(c, 0, 8, 0, 32, 0)),
    ("too narrow a stride", "buffer", lambda c: buffer(c, 0, 64, 8, 32, 0)),
    ("descriptors without end", "too many descriptors",
     sends(words(1), *[9] * 200)),
    ("descriptors of no message", "object 999",
     sends(message(999, 0), 9, 9, 9)),
]

if __name__ == "__main__":
    for n, (what, wanted, case) in enumerate(CASES):
        client = Client()
        try:
            case(client)
        except (BrokenPipeError, ConnectionResetError):
            pass
        how = client.end()
        good = re.match("ended: .*(" + wanted + ")", how)
        print("good" if good else "bad", n, what, "-", how, flush=True)
