#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames per second through vmrun-switch, without guests.

One process sends, another receives, one system call for each frame, as QEMU
does it (tests/bench/pump.c).  `up` is from a client to the uplink, where a
full queue slows the sender down; `down` is from the uplink to a client, where
it drops.  Rivals: vde_switch; two taps on a bridge of the kernel, which
forwards in the sender's own system call; and a bare socket pair, which
forwards nothing: what is left beside it is the price of a third process.
"""

import os
import shutil
import signal
import subprocess
import tempfile

import common

GOAL = 1.5


def pump_program():
    out = os.path.join(common.TMP, "pump")
    source = os.path.join(common.SOURCE, "tests", "bench", "pump.c")
    if not os.path.exists(out) or common.newer(source, out):
        subprocess.run(
            ["cc", "-std=c11", "-D_GNU_SOURCE", "-O2",
             "-I", os.path.join(common.SOURCE, "src"),
             "-I", os.path.join(common.SOURCE, "tests", "unit"),
             "-o", out, source], check=True)
    return out


def main():
    p = common.arguments(__doc__, 3)
    p.add_argument("--ms", type=int, default=500,
                   help="how long each time (default 500)")
    args = p.parse_args()
    common.setup()
    if not shutil.which("vde_switch"):
        common.skip("no vde_switch (Debian 12: package vde2, "
                    "later: vde-switch)")
    report = common.Report("switch", args)
    pump = pump_program()
    switch = os.path.join(common.BUILD, "vmrun-switch")

    def side(kind, size, *more):
        def run():
            said = subprocess.run(
                [pump, kind, str(size), str(args.ms), *more], check=True,
                capture_output=True, text=True, timeout=60).stdout.split()
            if int(said[1]) != size:
                cut.add((kind, size, int(said[1])))
            return float(said[0])
        return run

    cut = set()
    with tempfile.TemporaryDirectory() as d:
        # It is ready when it has gone to the background.
        subprocess.run(["vde_switch", "-d", "-s", f"{d}/vde", "-m", "600",
                        "-p", f"{d}/pid"], check=True)
        for size in (64, 1514, 9000):
            names = ["up", "down", "vde_switch", "tap+bridge", "pair"]
            results = common.interleaved(
                args.n, side("up", size, switch), side("down", size, switch),
                side("vde", size, f"{d}/vde"), side("tap", size),
                side("pair", size))
            for name, result in zip(names, results):
                report.value(f"{size}: {name}", result, "/s")
            for n, way in enumerate(names[:2]):
                report.ratio(f"{size}: {way} / vde_switch", results[n],
                             results[2], GOAL, False)
                for other in (3, 4):
                    ratio = (common.statistics.median(results[n]) /
                             common.statistics.median(results[other]))
                    report.say(f"{f'{size}: {way} / {names[other]}':28} "
                               f"{ratio:9.2f}")
                    report.record(name=f"{size}: {way} / {names[other]}",
                                  value=round(ratio, 4))
        with open(f"{d}/pid", encoding="ascii") as f:
            os.kill(int(f.read()), signal.SIGKILL)
    for kind, size, got in sorted(cut):
        report.say(f"({kind} cuts frames of {size} bytes to {got})")


main()
