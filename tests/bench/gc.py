#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""vmrunctl gc --deep of a clean home directory, against find -printf %m.

Without a VM: tests/sys/stage-dummy stands in for one that is over, so that there
is a UID to be looked for.  What is looked through is a tree as in grants.py, or
with --wide and --deep one as there; both sides run alternately.  The ratio is of
wall times, since gc uses more than one processor where there are several.
"""

import os
import shutil
import subprocess

import common

MEMORY = 64  # MiB


def main():
    args = common.tree_arguments(__doc__.splitlines()[0]).parse_args()
    common.setup()
    report = common.Report("gc", args)
    work = os.path.join(common.TMP, "gc")
    shutil.rmtree(work, ignore_errors=True)
    libexec = common.dummy(work)
    os.makedirs(os.path.join(work, "granted"))
    home = common.tree("home", args)
    os.environ.update(HOME=home, XDG_STATE_HOME=os.path.join(work, "state"))
    subprocess.run(
        ["vmrun", "-q", "--ro", os.path.join(work, "granted"), "--", "true"],
        env=dict(os.environ, VMRUN_LIBEXECDIR=libexec), check=True,
        stdin=subprocess.DEVNULL)
    steps = {"find": ["find", home, "-printf", "%m\n"],
             "gc --deep": ["vmrunctl", "gc", "--deep"]}
    runs = {name: [] for name in steps}
    for _ in range(args.n):
        for name, argv in steps.items():
            runs[name].append(common.cost(argv))
    wall = {name: [r[1] for r in run] for name, run in runs.items()}
    for name, run in runs.items():
        report.value(f"{name}, CPU", [r[0] for r in run], "ms")
        report.value(f"{name}, wall", wall[name], "ms")
    report.ratio("gc --deep / find", wall["gc --deep"], wall["find"], 3)
    report.goal("gc --deep, MiB at most",
                max(r[2] for r in runs["gc --deep"]), MEMORY)


main()
