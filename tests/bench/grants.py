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
import time

import common

UID = "100777"
MEMORY = 64  # MiB


def make_tree(top, args):
    """Kept between runs: a large one takes minutes."""
    os.makedirs(top)
    there = os.open(top, os.O_RDONLY | os.O_DIRECTORY)

    def fill(where, files):
        for i in range(files):
            os.close(os.open(f"f{i}", os.O_CREAT | os.O_WRONLY,
                             0o644 if i % 10 else 0o600, dir_fd=where))

    def below(where, name):
        os.mkdir(name, dir_fd=where)
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=where)

    if args.wide:
        fill(there, args.wide)
    elif args.deep:
        for _ in range(args.deep):
            inner = below(there, "d")
            os.close(there)
            there = inner
            fill(there, 1)
    else:
        for d in range(0, args.dirs, 50):
            outer = below(there, str(d))
            for i in range(min(50, args.dirs - d)):
                inner = below(outer, str(i))
                fill(inner, args.files // args.dirs)
                os.close(inner)
            os.close(outer)
    os.close(there)


def cost(argv):
    """CPU ms, wall ms and MiB of one run, which must succeed."""
    begin = time.monotonic()
    pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, used = os.wait4(pid, 0)
    wall = time.monotonic() - begin
    if status:
        raise RuntimeError(f"{argv}: status {status}")
    return ((used.ru_utime + used.ru_stime) * 1e3, wall * 1e3,
            used.ru_maxrss / 1024)


def main():
    p = common.arguments(__doc__.splitlines()[0], 5)
    p.add_argument("--files", type=int, default=100000)
    p.add_argument("--dirs", type=int, default=2000)
    p.add_argument("--wide", type=int, default=0, metavar="FILES")
    p.add_argument("--deep", type=int, default=0, metavar="DIRECTORIES")
    p.add_argument("--at", metavar="DIR", help="where the tree is made")
    args = p.parse_args()
    common.setup()
    report = common.Report("grants", args)
    tool = os.path.join(common.BUILD, "tests", "sys", "grant-tool")
    if not os.path.exists(tool):
        common.skip("no tests/sys/grant-tool; `make check` builds it")
    if not shutil.which("setfacl"):
        common.skip("no setfacl")
    top = os.path.join(
        os.path.abspath(args.at or common.TMP),
        f"grants-{args.files}-{args.dirs}-{args.wide}-{args.deep}")
    if not os.path.exists(top):
        make_tree(top, args)
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
            runs[name].append(cost(argv))
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
