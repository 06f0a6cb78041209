#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vmrun-wayland costs: the same client at a compositor without a screen,
directly and through the filter, in turn; the same again while all processors
have other work, and what the filter takes of them.  And memory for each idle
client."""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import common

args = common.arguments(__doc__, 7).parse_args()
CLIENT = os.path.join(common.BUILD, "tests/bench/wayland-client")
RIG = os.path.join(common.BUILD, "tests/sys/wayland-rig")


def measure(env, prefix):
    out = subprocess.run(prefix + [CLIENT], env=env, check=True, text=True,
                         stdout=subprocess.PIPE, timeout=120).stdout
    return {k: float(v) for k, v in (l.split() for l in out.splitlines())}


def filter_with(env, socket, script):
    """The filter's pid, and the rig that runs a script of clients behind it."""
    p = subprocess.Popen([RIG, "-p", socket, "sh", "-c", script], env=env,
                         text=True, stdout=subprocess.PIPE)
    return p.stdout.readline().split()[1], p


def memory(env, socket, n):
    """RssAnon of the filter with n idle clients, less that with one; KiB."""
    def anon(count):
        pid, p = filter_with(env, socket,
                             f"{CLIENT} wait 1500 & " * count + "wait")
        time.sleep(1)
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            kib = int(re.search(r"RssAnon:\s+(\d+)", f.read())[1])
        p.wait()
        return kib
    return (anon(n + 1) - anon(1)) / n


def processor(env, socket, what):
    """Time that the filter takes of a processor, of a second; ms."""
    pid, p = filter_with(env, socket, f"{CLIENT} {what} 4000")

    def ran():
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as f:
            return int(f.read().split()[0]) / 1e6
    time.sleep(0.5)
    begin = ran()
    time.sleep(3)
    took = ran() - begin
    p.wait()
    return took / 3


def middle(rows, key):
    return statistics.median(r[key] for r in rows)


def compare(env, socket, times, goals=True):
    direct, through = [], []
    for _ in range(times):
        direct.append(measure(env, []))
        through.append(measure(env, [RIG, socket]))
    for key, what in (("sync", "round trip"),
                      ("pool", "round trip with a descriptor")):
        d, t = middle(direct, key) / 1000, middle(through, key) / 1000
        added = statistics.median(b[key] - a[key]
                                  for a, b in zip(direct, through)) / 1000
        print(f"{what}: direct {d:.1f} us, filter {t:.1f} us, of the pairs "
              f"{added:+.1f} us"
              + (" (wanted: at most +25)" if goals else ""))
    for key, what in (("damage", "damage requests"),
                      ("pools", "pools with a descriptor")):
        ratio = statistics.median(b[key] / a[key]
                                  for a, b in zip(direct, through))
        print(f"{what}: direct {middle(direct, key):.0f}/s, filter "
              f"{middle(through, key):.0f}/s, ratio {ratio:.2f}"
              + (" (wanted: at least 0.95)" if goals and key == "damage"
                 else ""))


folder = tempfile.mkdtemp(prefix="vmrun-wl.")
sway, env = common.sway(folder)
try:
    socket = os.path.join(folder, "in")
    compare(env, socket, args.n)
    print("processor's time of the filter: "
          f"{processor(env, socket, 'wait'):.2f} ms a second with an idle "
          f"client, {processor(env, socket, 'repaint'):.2f} with one that "
          "draws 60 times")
    busy = [subprocess.Popen(["sh", "-c", "while :; do :; done"])
            for _ in os.sched_getaffinity(0)]
    try:
        print("while all processors are busy:")
        compare(env, socket, args.n, goals=False)
    finally:
        for p in busy:
            p.kill()
            p.wait()
    print(f"memory: {memory(env, socket, 49):.0f} KiB for each of 50 idle "
          "clients (wanted: at most 2048)")
finally:
    sway.terminate()
    sway.wait()
    shutil.rmtree(folder)
sys.exit(0)
