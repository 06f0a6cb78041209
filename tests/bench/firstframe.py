#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first frame of a window of a VM, from `vmrun --socket wayland` on: of a
client without any library (tests/vm/paint.py) and of foot, as a ratio to
`vmrun -- true`, and where the time goes.

`before` is what vmrun does until the guest begins, `boot` the guest's kernel,
`launch` its mounts and waypipe, `up` the guest's shell, `frame` what the
application and its windows' way to the compositor take.
"""

import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time

import common

PAINT = "exec python3 /open/paint.py"
FOOT = "exec foot -- sleep 1000"


def of_true(env):
    begin = time.monotonic()
    subprocess.run(["vmrun", "-q", "--", "true"], check=True, env=env,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=common.TIMEOUT)
    return (time.monotonic() - begin) * 1e3


def until_window(env):
    """Waits for sway to say that a window is there: its first frame is."""
    return subprocess.Popen(["swaymsg", "-t", "subscribe", '["window"]'],
                            env=env, stdout=subprocess.DEVNULL)


def first_frame(env, opened, command):
    seen = until_window(env)
    begin = time.monotonic()
    vm = subprocess.Popen(["vmrun", "-v", "--socket", "wayland", "--ro",
                           opened + ":/open", "--", "sh", "-c",
                           "echo up; " + command], env=env, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    phases = {}
    for line in vm.stdout:
        found = re.search(r"phase (\w+) +([0-9.]+) ms", line)
        if found:
            phases[found[1]] = float(found[2])
        elif line == "up\n":
            up = (time.monotonic() - begin) * 1e3
            break
    seen.wait(common.TIMEOUT)
    whole = (time.monotonic() - begin) * 1e3
    subprocess.run(["vmrunctl", "kill", "sh"], check=True, env=env,
                   stdout=subprocess.DEVNULL)
    vm.stdout.read()
    vm.wait()
    known = phases["boot"], phases["launch"]
    before = sum(phases.values()) - sum(known)
    return {"before": before, "boot": known[0], "launch": known[1],
            "up": up - before - sum(known), "frame": whole - up,
            "whole": whole}


def compare(report, env, opened, n):
    sides = {"paint": [], "foot": []}
    true = []
    for _ in range(n):
        true.append(of_true(env))
        sides["paint"].append(first_frame(env, opened, PAINT))
        sides["foot"].append(first_frame(env, opened, FOOT))
    report.value("vmrun -- true", true, "ms")
    for name, rows in sides.items():
        for phase in rows[0]:
            report.value(f"{name}: {phase}", [r[phase] for r in rows], "ms")
        ratio = statistics.median(r["whole"] / t for r, t in zip(rows, true))
        report.say(f"{name + ': whole / true':28} {ratio:9.2f}")
        report.record(name=name + ": whole / true", value=round(ratio, 4))


def main():
    args = common.arguments(__doc__, 3).parse_args()
    for tool in ("foot", "waypipe"):
        if not shutil.which(tool):
            common.skip(f"{tool} is not installed")
    common.setup()
    report = common.Report("firstframe", args)
    folder = tempfile.mkdtemp(prefix="vmrun-wl.")
    opened = os.path.join(common.TMP, "open")
    os.makedirs(opened, exist_ok=True)
    shutil.copy(os.path.join(common.SOURCE, "tests/vm/paint.py"), opened)
    sway, env = common.sway(folder)
    try:
        of_true(env)
        compare(report, env, opened, args.n)
    finally:
        sway.terminate()
        sway.wait()
        shutil.rmtree(folder)


main()
