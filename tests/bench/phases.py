#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the time of `vmrun -v --rw EMPTY -- true` goes, phase by phase.

`boot`, `launch` and `app` are spent in the guest.  `rest` is what vmrun does
before its first phase and after its last: the program's own start, reading
the configuration, planning, closing the database.
"""

import os
import re
import statistics
import subprocess
import time

import common

GUEST = ("boot", "launch", "app")


def run(empty):
    begin = time.monotonic()
    r = subprocess.run(["vmrun", "-v", "--rw", empty, "--", "true"],
                       check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                       text=True, timeout=common.TIMEOUT)
    whole = (time.monotonic() - begin) * 1e3
    found = re.findall(r"phase (\w+) +([0-9.]+) ms", r.stderr)
    phases = {name: float(ms) for name, ms in found}
    phases["rest"] = whole - sum(phases.values())
    phases["whole"] = whole
    return phases


def main():
    args = common.arguments(__doc__, 11).parse_args()
    common.setup()
    report = common.Report("phases", args)
    empty = os.path.join(common.TMP, "empty")
    os.makedirs(empty, exist_ok=True)
    run(empty)
    runs = [run(empty) for _ in range(args.n)]
    for name in runs[0]:
        report.value(name, [r[name] for r in runs], "ms")
    own = [r["whole"] - sum(r[g] for g in GUEST) for r in runs]
    report.value("all but the guest's", own, "ms")
    report.goal("all but the guest's, ms", statistics.median(own), 60)


main()
