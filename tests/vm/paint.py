# SPDX-License-Identifier: GPL-3.0-or-later
"""A Wayland client without any library: one window of one colour.

Orange at first, green after a key was pressed, purple after a button of the
mouse was; each change is printed.  Ends with status 0 when its window is
closed.
"""
import array
import mmap
import os
import socket
import struct
import sys

ORANGE, GREEN, PURPLE = 0xFFFF8000, 0xFF00A040, 0xFF8000C0


class Client:
    def __init__(self):
        name = os.environ["WAYLAND_DISPLAY"]
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.path.join(os.environ["XDG_RUNTIME_DIR"], name))
        self.data = b""
        self.last = 1
        self.names = {}
        self.colour = ORANGE
        self.size = (320, 240)
        self.buffers = {}

    def new(self):
        self.last += 1
        return self.last

    def send(self, obj, opcode, fmt="", *args, fd=None):
        body = b""
        for kind, a in zip(fmt, args):
            if kind == "s":
                text = a.encode() + b"\0"
                body += struct.pack("=I", len(text)) + text
                body += bytes(-len(text) % 4)
            else:
                body += struct.pack("=" + kind, a)
        head = struct.pack("=IHH", obj, opcode, len(body) + 8)
        fds = [] if fd is None else [(
            socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        self.sock.sendmsg([head + body], fds)

    def event(self):
        while True:
            if len(self.data) >= 8:
                obj, op, n = struct.unpack_from("=IHH", self.data)
                if len(self.data) >= n:
                    body, self.data = self.data[8:n], self.data[n:]
                    return obj, op, body
            got, fds, _, _ = socket.recv_fds(self.sock, 65536, 16)
            self.take(fds)
            if not got:
                sys.exit("the compositor is gone")
            self.data += got

    def take(self, fds):
        for fd in fds:
            os.close(fd)

    def bind(self, interface, version):
        obj = self.new()
        self.send(self.registry, 0, "IsII", self.names[interface], interface,
                  version, obj)
        return obj

    def globals(self):
        self.registry = self.new()
        self.send(1, 1, "I", self.registry)
        done = self.new()
        self.send(1, 0, "I", done)
        while True:
            obj, op, body = self.event()
            if obj == done:
                return
            if obj == self.registry and op == 0:
                name, n = struct.unpack_from("=II", body)
                self.names[body[8:8 + n - 1].decode()] = name

    def window(self, name):
        compositor = self.bind("wl_compositor", 4)
        self.shm = self.bind("wl_shm", 1)
        self.base = self.bind("xdg_wm_base", 1)
        self.seat = self.bind("wl_seat", 5)
        self.keyboard = self.mouse = 0
        self.surface = self.new()
        self.send(compositor, 0, "I", self.surface)
        self.xdg = self.new()
        self.send(self.base, 2, "II", self.xdg, self.surface)
        self.top = self.new()
        self.send(self.xdg, 1, "I", self.top)
        self.send(self.top, 2, "s", name)
        self.send(self.top, 3, "s", name)
        self.send(self.surface, 6)

    def buffer(self):
        key = (self.size, self.colour)
        if key not in self.buffers:
            w, h = self.size
            fd = os.memfd_create("paint")
            os.ftruncate(fd, w * h * 4)
            with mmap.mmap(fd, w * h * 4) as m:
                m[:] = struct.pack("=I", self.colour) * (w * h)
            pool, buf = self.new(), self.new()
            self.send(self.shm, 0, "Ii", pool, w * h * 4, fd=fd)
            self.send(pool, 0, "IiiiiI", buf, 0, w, h, w * 4, 0)
            self.send(pool, 1)
            os.close(fd)
            self.buffers[key] = buf
        return self.buffers[key]

    def draw(self):
        self.send(self.surface, 1, "Iii", self.buffer(), 0, 0)
        self.send(self.surface, 2, "iiii", 0, 0, *self.size)
        self.send(self.surface, 6)

    def on_seat(self, op, body):
        if op:
            return
        # One that comes back is another one.
        has = struct.unpack("=I", body)[0]
        if not has & 1:
            self.mouse = 0
        elif not self.mouse:
            self.mouse = self.new()
            self.send(self.seat, 0, "I", self.mouse)
        if not has & 2:
            self.keyboard = 0
        elif not self.keyboard:
            self.keyboard = self.new()
            self.send(self.seat, 1, "I", self.keyboard)

    def paint(self, colour):
        self.colour = colour
        self.draw()

    def on_mouse(self, op, body):
        if op == 0:
            # no cursor: it would hide some of the colour
            self.send(self.mouse, 0, "IIii", *struct.unpack_from("=I", body),
                      0, 0, 0)
        elif op == 3 and struct.unpack("=IIII", body)[3]:
            self.paint(PURPLE)
            print("button", flush=True)

    def on_event(self, obj, op, body):
        if obj == 1 and op == 0:
            sys.exit("error: %r" % body)
        elif obj == self.base:
            self.send(self.base, 3, "I", *struct.unpack("=I", body))
        elif obj == self.seat:
            self.on_seat(op, body)
        elif obj == self.top and op == 0:
            w, h = struct.unpack_from("=ii", body)
            if w and h:
                self.size = (w, h)
        elif obj == self.top and op == 1:
            print("closed", flush=True)
            sys.exit(0)
        elif obj == self.xdg:
            self.send(self.xdg, 4, "I", *struct.unpack("=I", body))
            self.draw()
            print("drawn", *self.size, flush=True)
        elif obj == self.keyboard and op == 3:
            if struct.unpack("=IIII", body)[3]:
                self.paint(GREEN)
                print("key", flush=True)
        elif obj == self.mouse:
            self.on_mouse(op, body)

    def run(self, name):
        self.globals()
        self.window(name)
        while True:
            self.on_event(*self.event())


if __name__ == "__main__":
    Client().run("paint")
