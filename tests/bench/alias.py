# SPDX-License-Identifier: GPL-3.0-or-later
"""The start of an alias: does it depend on what is in its directories?

Without a VM (tests/sys/stage-dummy stands in for it): vmrun --alias with a tree
of ten files and with one of --files, started alternately.  What the second
takes longer is what a relaunch costs for the tree's size (5 ms are allowed).
The end of the run is in it, the looking through beside the VM is not waited
for.
"""

import os
import subprocess
import sys
import time

import common


def make_tree(top, files):
    if os.path.exists(top):
        return
    for d in range((files + 49) // 50):
        sub = os.path.join(top, f"{d // 50}", f"{d % 50}")
        os.makedirs(sub, exist_ok=True)
        for i in range(min(50, files - d * 50)):
            path = os.path.join(sub, str(i))
            with open(path, "w", encoding="ascii"):
                pass
            if i % 10 == 0:
                os.chmod(path, 0o600)


def main():
    p = common.arguments(__doc__.splitlines()[0], 25)
    p.add_argument("--files", type=int, default=100000)
    args = p.parse_args()
    report = common.Report("alias", args)
    top = os.path.join(common.TMP, "alias")
    libexec = common.dummy(top)
    env = dict(os.environ, VMRUN_LIBEXECDIR=libexec,
               XDG_DATA_HOME=os.path.join(common.BASE, "data"),
               XDG_STATE_HOME=os.path.join(top, "state"))
    vmrun = os.path.join(common.BUILD, "vmrun")
    sides = {"small": 10, "large": args.files}
    took = {name: [] for name in sides}

    def run(name):
        begin = time.monotonic()
        subprocess.run([vmrun, "-q", "--alias", f"bench-{name}", "--ro",
                        os.path.join(top, name), "--", "true"],
                       env=env, check=True, stdin=subprocess.DEVNULL)
        return (time.monotonic() - begin) * 1000

    for name, files in sides.items():
        make_tree(os.path.join(top, name), files)
        report.say(f"first start, {files} files: {run(name):.0f} ms")
    for _ in range(args.n):
        for name in sides:
            took[name].append(run(name))
    median = {n: sorted(t)[len(t) // 2] for n, t in took.items()}
    report.say(f"later starts: {median['small']:.1f} ms with 10 files, "
               f"{median['large']:.1f} ms with {args.files}: "
               f"{median['large'] - median['small']:+.1f} ms")
    report.record(files=args.files, **median)
    report.goal("ms more for the large tree",
                median["large"] - median["small"], 5)
    for name in sides:
        subprocess.run([os.path.join(common.BUILD, "vmrunctl"), "alias",
                        "forget", f"bench-{name}"], env=env, check=False)


if __name__ == "__main__":
    sys.exit(main())
