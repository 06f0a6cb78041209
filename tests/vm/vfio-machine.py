#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine with an IOMMU and a network card behind it, emulated by QEMU.

Usage: vfio-machine.py FOLDER VIRTIOFSD SCRIPT ARG...

FOLDER/deb is what a kernel's package has.  The machine has this one's files,
read-only, and runs SCRIPT ARG... on them as its first process, as root; what it
says comes to standard output.  The card's other end is a network of QEMU's that
leads nowhere, in which 10.0.2.2 answers.
"""
import glob
import os
import platform
import re
import shutil
import socket
import stat
import subprocess
import sys

FOLDER, SERVER, SCRIPT = sys.argv[1:4]
SECONDS = 3500
MODULES = ("virtio_pci", "virtiofs", "virtio_net", "vfio_iommu_type1",
           "vfio_pci",  # and for `nft -c`
           "nf_tables", "nft_ct", "nft_reject_inet", "nft_limit", "nft_log",
           "nft_chain_nat", "nft_nat", "nft_masq", "nft_redir", "nft_quota",
           "nft_connlimit", "nf_log_syslog")
INIT = """#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for m in %s; do insmod $m; done
mount -t virtiofs -o ro root /new || poweroff -f
mount -t tmpfs -o mode=1777 tmp /new/tmp
mount -t tmpfs run /new/run
for d in proc sys dev; do mount --move /$d /new/$d; done
cd /new
exec switch_root /new /bin/sh %s
"""


def modules(root, release):
    """Files of MODULES and what they need, in order, unpacked."""
    if not os.path.exists(root + "/lib"):
        os.symlink("usr/lib", root + "/lib")
    subprocess.run(["depmod", "-b", root, release], check=True,
                   stderr=subprocess.DEVNULL)
    found = []
    for m in MODULES:
        said = subprocess.run(
            ["modprobe", "-d", root, "-S", release, "--show-depends", m],
            capture_output=True, text=True, check=True).stdout
        for path in re.findall(r"^insmod (\S+)", said, re.M):
            if path.endswith(".xz"):
                subprocess.run(["xz", "-dkf", path], check=True)
                path = path[:-3]
            if path not in found:
                found.append(path)
    return found


class Archive:
    """cpio, as the kernel wants it."""

    def __init__(self, path):
        self.f = open(path, "wb")
        self.n = 0

    def put(self, name, mode, data=b""):
        self.n += 1
        name = name.encode() + b"\0"
        head = (self.n, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        self.f.write(b"070701" + b"".join(b"%08x" % x for x in head) + name)
        self.f.write(b"\0" * (-(110 + len(name)) % 4) + data)
        self.f.write(b"\0" * (-len(data) % 4))

    def file(self, name, path):
        with open(path, "rb") as f:
            self.put(name, stat.S_IFREG | 0o755, f.read())

    def end(self):
        self.put("TRAILER!!!", 0)
        self.f.close()


def make_initramfs(path, release, words):
    a = Archive(path)
    for d in ("bin", "proc", "sys", "dev", "new", "m"):
        a.put(d, stat.S_IFDIR | 0o755)
    a.file("bin/busybox", shutil.which("busybox"))
    for name in ("sh", "mount", "insmod", "poweroff", "switch_root"):
        a.put("bin/" + name, stat.S_IFLNK | 0o777, b"busybox")
    paths = modules(FOLDER + "/deb", release)
    for p in paths:
        a.file("m/" + os.path.basename(p), p)
    a.put("init", stat.S_IFREG | 0o755, (INIT % (
        " ".join("/m/" + os.path.basename(p) for p in paths),
        " ".join("'%s'" % w for w in words))).encode())
    a.end()


def serve_files():
    """A virtiofsd of either kind, for this machine's files."""
    s = socket.socket(socket.AF_UNIX)
    s.bind(FOLDER + "/files")
    s.listen(1)
    words = [SERVER, "--fd=%d" % s.fileno()]
    if "/libexec/" in SERVER:
        words += ["--shared-dir=/", "--sandbox=chroot", "--cache=always",
                  "--no-announce-submounts", "--xattr"]
    else:
        words += ["-o", "source=/", "-o", "sandbox=chroot", "-o",
                  "cache=always", "-o", "xattr"]
    return subprocess.Popen(words, pass_fds=[s.fileno()],
                            stdout=subprocess.DEVNULL, stderr=sys.stderr)


def run(kernel, initramfs):
    return subprocess.run(
        ["timeout", str(SECONDS), "qemu-system-" + platform.machine(),
         "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
         "-machine", "q35,memory-backend=ram", "-accel", "tcg,thread=multi",
         "-cpu", "max,-avx,-avx2", "-smp", "2", "-m", "1G", "-object",
         "memory-backend-memfd,id=ram,size=1G,share=on", "-serial", "stdio",
         "-device", "intel-iommu,intremap=on,caching-mode=on",
         "-kernel", kernel, "-initrd", initramfs, "-append",
         "console=ttyS0 quiet panic=-1 reboot=t intel_iommu=on "
         "no_timer_check tsc=reliable cryptomgr.notests",
         "-chardev", "socket,id=files,path=%s/files" % FOLDER, "-device",
         "vhost-user-fs-pci,chardev=files,tag=root,addr=3",
         "-netdev", "user,id=card,restrict=on", "-device",
         "virtio-net-pci,iommu_platform=on,ats=on,disable-legacy=on,"
         "netdev=card,addr=5,romfile="],
        stdin=subprocess.DEVNULL, check=False).returncode


def main():
    kernel = glob.glob(FOLDER + "/deb/boot/vmlinuz-*")[0]
    release = os.path.basename(kernel)[len("vmlinuz-"):]
    make_initramfs(FOLDER + "/initramfs", release, sys.argv[3:])
    files = serve_files()
    try:
        return run(kernel, FOLDER + "/initramfs")
    finally:
        files.kill()
        files.wait()


sys.exit(main())
