#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`vmrun -- true` as a whole, against QEMU with a do-nothing init.

The rival is bare: the distribution's bzImage of the same kernel, an initramfs
with one program that reboots at once, the same accelerator, no devices, none
of vmrun's parameters.  It mounts nothing and runs nothing.
"""

import common


def main():
    args = common.arguments(__doc__, 7).parse_args()
    common.setup()
    report = common.Report("boot", args)
    qemu = common.planned_qemu()
    with open(common.guest_program("donothing-init"), "rb") as f:
        initramfs = common.write_initramfs(
            "donothing.cpio.gz", common.cpio([("init", f.read())]), True)
    bare = [qemu[0], "-accel", qemu[qemu.index("-accel") + 1],
            "-kernel", common.bzimage(), "-initrd", initramfs,
            "-append", "quiet panic=-1", "-no-reboot", "-display", "none",
            "-nodefaults", "-serial", "none", "-m", "512"]
    ours, theirs = common.interleaved(
        args.n, lambda: common.timed(["vmrun", "-q", "--", "true"]),
        lambda: common.timed(bare))
    report.value("vmrun -q -- true", [t * 1e3 for t in ours], "ms")
    report.value("bare QEMU, do-nothing init", [t * 1e3 for t in theirs], "ms")
    report.ratio("vmrun / bare", ours, theirs, 0.7)


main()
