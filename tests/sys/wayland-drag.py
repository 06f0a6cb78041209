#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drags between windows, by a pointer that is not there.

    wayland-drag.py CLIPBOARD FROM TO [unseen|over]
    wayland-drag.py clicks

drags from a window that is "inside" (the filter, with that policy) or "outside"
of it to another one, which takes whatever it is, and prints in one line what
that one saw and what became of the drag.  With "unseen" it does not wait until
the drag was seen before it lets go; with "over" the drag is over another window
inside before.  With "clicks" it presses a button where each line of standard
input says, X Y.
"""
import contextlib
import json
import os
import queue
import re
import signal
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../vm"))
import paint  # noqa: E402

COPY, BUTTON = 1, 0x110


class Window(paint.Client):
    """Offers text where the button is pressed, takes what is dropped."""

    def __init__(self, name):
        super().__init__()
        self.name, self.fds, self.types = name, [], []
        self.pointer = self.source = self.offer = 0
        self.shown = self.entered = 0

    def say(self, *words):
        print(self.name, *words, flush=True)

    def take(self, fds):
        self.fds += fds

    def window(self, name):
        super().window(name)
        self.manager = self.bind("wl_data_device_manager", 3)
        self.device = self.new()
        self.send(self.manager, 1, "II", self.device, self.seat)

    def on_seat(self, op, body):
        if op == 0 and struct.unpack("=I", body)[0] & 1 and not self.pointer:
            self.pointer = self.new()
            self.send(self.seat, 0, "I", self.pointer)

    def drag(self, serial):
        self.source = self.new()
        self.send(self.manager, 0, "I", self.source)
        self.send(self.source, 0, "s", "text/plain")
        self.send(self.source, 2, "I", COPY)
        self.send(self.device, 0, "IIII", self.source, self.surface, 0, serial)

    def enter(self, body):
        serial, _, _, _, self.offer = struct.unpack("=5I", body)
        self.say("enter", *self.types)
        if self.offer:
            # whatever it is
            self.send(self.offer, 0, "Is", serial, self.types[0])
            self.send(self.offer, 4, "II", COPY, COPY)
        self.entered = self.new()
        self.send(1, 0, "I", self.entered)

    def drop(self):
        read, write = os.pipe()
        self.send(self.offer, 1, "s", self.types[0], fd=write)
        os.close(write)
        # the offer's own client may be this one
        threading.Thread(target=self.read, args=(read, self.offer)).start()

    def read(self, fd, offer):
        with open(fd, encoding="utf-8") as f:
            self.say("got", f.read())
        self.send(offer, 3)
        self.send(offer, 2)

    def on_source(self, op, body):
        if op == 1:
            with open(self.fds.pop(0), "w", encoding="utf-8") as f:
                f.write(body[4:].rstrip(b"\0").decode() + " of " + self.name)
        elif op in (2, 4):
            self.say("cancelled" if op == 2 else "finished")
            self.send(self.source, 1)
            self.source = 0

    def on_event(self, obj, op, body):
        if obj == self.pointer and op == 3:
            if struct.unpack("=4I", body)[3]:
                self.drag(struct.unpack_from("=I", body)[0])
        elif obj == self.source and obj:
            self.on_source(op, body)
        elif obj == self.device and op == 0:
            self.types = []
        elif obj >= 0xff000000 and op == 0:
            self.types.append(body[4:].rstrip(b"\0").decode())
        elif obj == self.device and op == 1:
            self.enter(body)
        elif obj == self.device and op == 4:
            self.drop()
        elif obj == self.entered and obj:
            self.say("ready")
        elif obj == self.xdg:
            super().on_event(obj, op, body)
            self.shown = self.new()
            self.send(1, 0, "I", self.shown)
        elif obj == self.shown and obj:
            self.say("there", self.size[0])
        else:
            super().on_event(obj, op, body)


class Pointer(paint.Client):
    """Of the desktop; each movement is done when the next one is asked for."""

    def __init__(self):
        super().__init__()
        self.globals()
        manager = self.bind("zwlr_virtual_pointer_manager_v1", 1)
        self.pointer = self.new()
        self.send(manager, 0, "II", 0, self.pointer)

    def sync(self):
        done = self.new()
        self.send(1, 0, "I", done)
        while self.event()[0] != done:
            pass

    def move(self, x, y):
        self.send(self.pointer, 1, "IIIII", 0, x, y, 1024, 768)
        self.send(self.pointer, 4)
        self.sync()

    def press(self, state):
        self.send(self.pointer, 2, "III", 0, BUTTON, state)
        self.send(self.pointer, 4)
        self.sync()


class Windows:
    """Such as "from" and "to", where they are, and what they say."""

    def __init__(self, policy, places):
        self.names = list(places)
        self.lines = queue.Queue()
        self.seen, self.running, self.threads = [], [], []
        scripts = {"inside": [], "outside": []}
        for name, place in places.items():
            scripts[place].append(f"python3 {__file__} window {name} &")
        for place, lines in scripts.items():
            if lines:
                self.start(place, policy, " ".join(lines) + " wait")

    def start(self, place, policy, script):
        build, folder = os.environ["top_builddir"], os.environ["XDG_RUNTIME_DIR"]
        command = ["sh", "-c", script]
        if place == "inside":
            command = [build + "/tests/sys/wayland-rig", "-c", policy,
                       folder + "/drag"] + command
        p = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                             start_new_session=True)
        self.running.append(p)
        self.threads.append(threading.Thread(target=self.listen, args=(p,),
                                             daemon=True))
        self.threads[-1].start()

    def listen(self, p):
        for line in p.stdout:
            self.lines.put(line.strip())

    def until(self, *what):
        """The first of the lines that begin with one of these."""
        while True:
            for line in self.seen:
                if line.startswith(what):
                    return line
            try:
                self.seen.append(self.lines.get(timeout=120))
            except queue.Empty:
                sys.exit(f"no {what}, but {self.seen}")

    def middle(self, name):
        tree = subprocess.run(["swaymsg", "-t", "get_tree"], check=True,
                              stdout=subprocess.PIPE).stdout

        def find(node):
            r = node["rect"]
            if (node["name"] or "").split()[-1:] == [name]:
                return r["x"] + r["width"] // 2, r["y"] + r["height"] // 2
            return next(filter(None, map(find, node["nodes"])), None)
        return find(json.loads(tree))

    def close(self):
        subprocess.run(["swaymsg", "[title=.] kill"], check=True,
                       stdout=subprocess.DEVNULL)
        for p in self.running:
            p.wait(120)
        for t in self.threads:
            t.join(120)
        while not self.lines.empty():
            self.seen.append(self.lines.get())

    def kill(self):
        for p in self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(p.pid, signal.SIGKILL)
            p.wait()


def rest(windows, pointer, name):
    """Over it until the compositor has heard all that it has to say to that."""
    pointer.move(*windows.middle(name))
    subprocess.run(["swaymsg", f'[title="{name}$"] border none'], check=True,
                   stdout=subprocess.DEVNULL)
    windows.until(name + " there 34")


def drag(windows, seen):
    pointer = Pointer()
    # beside each other, and drawn so
    for name in windows.names:
        windows.until(name + (" there 508" if len(windows.names) == 2
                              else " there 33"))
    there = windows.middle("to")
    pointer.move(*windows.middle("from"))
    pointer.press(1)
    windows.until("from ready")
    if "over" in windows.names:
        rest(windows, pointer, "over")
    pointer.move(*there)
    if seen:
        windows.until("to ready", "from cancelled")
    pointer.press(0)
    windows.until("from finished", "from cancelled")
    windows.close()


def main(policy, start, end, how=None):
    places = {"from": start, "to": end}
    if how == "over":
        places["over"] = "inside"
    windows = Windows(policy, places)
    try:
        drag(windows, how != "unseen")
    finally:
        windows.kill()
    wanted = ("to enter", "to got", "from finished", "from cancelled")
    # two programs said it: each in its own order
    text = "; ".join(l for w in wanted for l in windows.seen
                     if l.startswith(w))
    print(re.sub("application/x-vmrun-drag-[0-9a-f]{32}-[0-9]+", "MARK", text))


def clicks():
    pointer = Pointer()
    for line in sys.stdin:
        pointer.move(*map(int, line.split()))
        pointer.press(1)
        pointer.press(0)


if sys.argv[1] == "window":
    Window(sys.argv[2]).run(sys.argv[2])
elif sys.argv[1] == "clicks":
    clicks()
else:
    main(*sys.argv[1:])
