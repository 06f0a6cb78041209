#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vmrun-wayland costs: the same client at a compositor without a screen,
directly and through the filter, in turn.  And memory for each idle client."""

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
for tool in ("sway", "swaymsg"):
    if not shutil.which(tool):
        common.skip(f"{tool} is not installed")
CLIENT = os.path.join(common.BUILD, "tests/bench/wayland-client")
RIG = os.path.join(common.BUILD, "tests/sys/wayland-rig")


def start_sway(folder):
    env = dict(os.environ, XDG_RUNTIME_DIR=folder, WLR_BACKENDS="headless",
               WLR_RENDERER="pixman", WLR_LIBINPUT_NO_DEVICES="1")
    conf = os.path.join(folder, "conf")
    with open(conf, "w", encoding="ascii") as f:
        f.write("xwayland disable\n")
    p = subprocess.Popen(["sway", "-c", conf], env=env,
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    for _ in range(300):
        names = [n for n in os.listdir(folder)
                 if re.fullmatch(r"wayland-\d", n)]
        if names:
            env["WAYLAND_DISPLAY"] = names[0]
            return p, env
        time.sleep(0.1)
    common.skip("sway does not start")


def measure(env, prefix):
    out = subprocess.run(prefix + [CLIENT], env=env, check=True, text=True,
                         stdout=subprocess.PIPE, timeout=120).stdout
    return {k: float(v) for k, v in (l.split() for l in out.splitlines())}


def memory(env, socket, n):
    """RssAnon of the filter with n idle clients, less that with one; KiB."""
    def anon(count):
        script = "".join(f"{CLIENT} 1500 & " for _ in range(count))
        p = subprocess.Popen([RIG, "-p", socket, "sh", "-c",
                              script + "wait"], env=env, text=True,
                             stdout=subprocess.PIPE)
        pid = p.stdout.readline().split()[1]
        time.sleep(1)
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            kib = int(re.search(r"RssAnon:\s+(\d+)", f.read())[1])
        p.wait()
        return kib
    return (anon(n + 1) - anon(1)) / n


folder = tempfile.mkdtemp(prefix="vmrun-wl.")
sway, env = start_sway(folder)
try:
    socket = os.path.join(folder, "in")
    direct, through = [], []
    for _ in range(args.n):
        direct.append(measure(env, []))
        through.append(measure(env, [RIG, socket]))

    def middle(rows, key):
        return statistics.median(r[key] for r in rows)
    d, t = middle(direct, "sync") / 1000, middle(through, "sync") / 1000
    print(f"round trip: direct {d:.1f} us, filter {t:.1f} us, "
          f"{t - d:+.1f} us (wanted: at most +25)")
    for key, what in (("damage", "damage requests"),
                      ("pools", "pools with a descriptor")):
        ratio = statistics.median(b[key] / a[key]
                                  for a, b in zip(direct, through))
        print(f"{what}: direct {middle(direct, key):.0f}/s, filter "
              f"{middle(through, key):.0f}/s, ratio {ratio:.2f}"
              + (" (wanted: at least 0.95)" if key == "damage" else ""))
    print(f"memory: {memory(env, socket, 20):.0f} KiB for each idle client "
          "(wanted: at most 2048)")
finally:
    sway.terminate()
    sway.wait()
    shutil.rmtree(folder)
sys.exit(0)
