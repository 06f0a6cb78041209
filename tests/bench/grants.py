#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walks of a tree against setfacl -R and find, on the same tree in one run.

Without a VM: tests/sys/grant-tool calls what vmrun calls.  One file in ten is
0600, the others anybody may read; so setfacl edits every file, and a grant
edits directories and each tenth.  Ratios are of CPU time, which a busy machine
disturbs less than the wall time that is printed beside it.

--wide N and --deep N have one directory with N files, and N directories one in
the other, in place of the tree.  Memory is the most that was resident, at least
what this program itself has (some 13 MiB).
"""

import os
import shutil
import subprocess

import common

UID = "100777"
MEMORY = 64  # MiB


def main():
    args = common.tree_arguments(__doc__.splitlines()[0]).parse_args()
    common.setup()
    report = common.Report("grants", args)
    tool = os.path.join(common.BUILD, "tests", "sys", "grant-tool")
    if not os.path.exists(tool):
        common.skip("no tests/sys/grant-tool; `make check` builds it")
    if not shutil.which("setfacl"):
        common.skip("no setfacl")
    top = common.tree("grants", args)
    steps = {
        "find": ["find", top, "-printf", "%m\n"],
        "setfacl -m": ["setfacl", "-R", "-m", f"u:{UID}:rX", top],
        "setfacl -x": ["setfacl", "-R", "-x", f"u:{UID}", top],
        # setfacl leaves masks behind: not counted.
        "setfacl -b": ["setfacl", "-R", "-b", top],
        "grant": [tool, "apply", "ro", UID, top],
        "verify": [tool, "verify", "ro", UID, top],
        "revoke": [tool, "revoke", "ro", UID, top],
    }
    if args.deep:
        # Neither of the rivals gets to the bottom of it by paths.
        steps = {k: steps[k] for k in ("grant", "verify", "revoke")}
    subprocess.run([tool, "revoke", "ro", UID, top], check=True,
                   stdout=subprocess.DEVNULL)
    runs = {name: [] for name in steps}
    for _ in range(args.n):
        for name, argv in steps.items():
            runs[name].append(common.cost(argv))
    cpu = {name: [r[0] for r in run] for name, run in runs.items()}
    for name, run in runs.items():
        report.value(f"{name}, CPU", cpu[name], "ms")
        report.value(f"{name}, wall", [r[1] for r in run], "ms")
    if not args.deep:
        report.ratio("grant / setfacl -m", cpu["grant"], cpu["setfacl -m"], .5)
        report.ratio("revoke / setfacl -x", cpu["revoke"], cpu["setfacl -x"],
                     .5)
        report.ratio("verify / find", cpu["verify"], cpu["find"], 2.5)
    for name in ("grant", "verify", "revoke"):
        most = max(r[2] for r in runs[name])
        report.goal(f"{name}, MiB at most", most, MEMORY)


main()
