#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`vmrun -- true` against virtme-ng running `true` on the same kernel.

vng gets the package's kernel as it is and its modules, in an initramfs that it
makes itself, because Debian's kernels have virtio-fs as a module.  It wants the
Rust virtiofsd in $PATH or where Debian 13 has it, busybox, and udev: Debian 13's
package finds no ports for the command's output without it.  Once it runs
verbosely first, to see that the command was reached; its exit status says so
only where the guest has udev.
"""

import os
import shutil
import subprocess

import common


def kernel():
    """The package's kernel with its modules beside it, where vng looks."""
    root = os.path.join(common.TMP, "vng")
    release = common.image()["release"]
    path = os.path.join(root, "boot", "vmlinuz-" + release)
    if not os.path.exists(path):
        subprocess.run(["dpkg-deb", "-x", common.deb(), root], check=True)
        if not os.path.exists(os.path.join(root, "lib")):
            os.symlink("usr/lib", os.path.join(root, "lib"))
        depmod = shutil.which("depmod") or "/usr/sbin/depmod"
        subprocess.run([depmod, "-b", root, release], check=True)
    return path


def main():
    args = common.arguments(__doc__.splitlines()[0], 5).parse_args()
    common.setup()
    vng = shutil.which("vng")
    if not vng:
        common.skip("no vng (Debian 13: package virtme-ng)")
    report = common.Report("vng", args)
    qemu = common.planned_qemu()
    rival = [vng, "--force-initramfs", "--run", kernel(), "--user", "root"]
    if qemu[qemu.index("-accel") + 1] == "tcg":
        rival.append("--disable-kvm")

    def theirs(*options):
        return subprocess.run([*rival, *options], cwd=common.TMP, text=True,
                              errors="replace", stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, timeout=common.TIMEOUT,
                              stderr=subprocess.STDOUT, check=False).stdout

    said = theirs("--verbose", "--exec", "echo reached $((6 * 7))")
    if "reached 42" not in said:
        common.skip("vng does not run here: ..." + said[-300:])
    times = common.interleaved(
        args.n, lambda: common.timed(["vmrun", "-q", "--", "true"]),
        lambda: common.elapsed(theirs, "--exec", "true"))
    for name, side in zip(("vmrun -q -- true", "vng --exec true"), times):
        report.value(name, [t * 1e3 for t in side], "ms")
    report.ratio("vmrun / vng", *times, 0.5)


main()
