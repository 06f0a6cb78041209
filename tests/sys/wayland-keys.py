#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A keyboard that is not there, with the keymap of a real one.

Presses the keys that each line of standard input names, by their numbers in
linux/input-event-codes.h; of 29+16 the first is held.  Says "ready" first.

wtype(1), whose keymap is its own, is enough for foot, GTK 4 and Qt; GTK 3 takes
nothing of it.
"""
import os
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../vm"))
import paint  # noqa: E402

KEYMAP = b"""xkb_keymap {
xkb_keycodes { include "evdev+aliases(qwerty)" };
xkb_types { include "complete" };
xkb_compat { include "complete" };
xkb_symbols { include "pc+us+inet(evdev)" };
};\0"""
CTRL = 29


class Keyboard(paint.Client):
    def __init__(self):
        super().__init__()
        self.globals()
        seat = self.bind("wl_seat", 1)
        manager = self.bind("zwp_virtual_keyboard_manager_v1", 1)
        self.keyboard = self.new()
        self.send(manager, 0, "II", seat, self.keyboard)
        fd = os.memfd_create("keymap")
        os.write(fd, KEYMAP)
        self.send(self.keyboard, 0, "II", 1, len(KEYMAP), fd=fd)
        os.close(fd)
        self.sync()

    def sync(self):
        done = self.new()
        self.send(1, 0, "I", done)
        obj = op = 0
        while obj != done:
            obj, op, body = self.event()
            if obj == 1 and op == 0:
                sys.exit("error: %r" % body)

    def key(self, code, state):
        ms = int(time.monotonic() * 1000) & 0xffffffff
        self.send(self.keyboard, 1, "III", ms, code, state)
        if code == CTRL:
            self.send(self.keyboard, 2, "IIII", 4 * state, 0, 0, 0)
        self.sync()

    def press(self, chord):
        codes = [int(c) for c in chord.split("+")]
        for code in codes:
            self.key(code, 1)
        for code in reversed(codes):
            self.key(code, 0)


keyboard = Keyboard()
print("ready", flush=True)
for line in sys.stdin:
    for chord in line.split():
        keyboard.press(chord)
