#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`vmrun -- true` against virtme-ng running `true` on the same kernel."""

import os
import shutil

import common


def main():
    args = common.arguments(__doc__, 5).parse_args()
    common.setup()
    vng = shutil.which("vng")
    if not vng:
        common.skip("no vng (Debian 13: package virtme-ng)")
    report = common.Report("vng", args)
    qemu = common.planned_qemu()
    rival = [vng, "--run", common.bzimage(), "--user", "root",
             "--exec", "true"]
    if qemu[qemu.index("-accel") + 1] == "tcg":
        rival.insert(1, "--disable-kvm")
    ours, theirs = common.interleaved(
        args.n, lambda: common.timed(["vmrun", "-q", "--", "true"]),
        lambda: common.timed(rival, cwd=os.path.join(common.TMP)))
    report.value("vmrun -q -- true", [t * 1e3 for t in ours], "ms")
    report.value("vng -- true", [t * 1e3 for t in theirs], "ms")
    report.ratio("vmrun / vng", ours, theirs, 0.5)


main()
