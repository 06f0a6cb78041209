#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes through a VM's stdin and stdout, against the raw virtio-serial port.

Raw is: the kernel, QEMU, machine, port and parameters that vmrun uses (without
the shared tree), the port's socket straight in this program, and in the guest
tests/bench/port-init.c, which does nothing but read and write the port in
pieces as large as the driver takes.  `raw, cat` adds what any command with
pipes costs: port, pipe, a process with cat's loop, pipe, port.  vmrun adds
frames, credit, vmrun-mux, and the streams of a real cat(1).

The clock runs from the first byte given to the last byte back, after one byte
has made the whole way: booting and the start of the guest's command are not in
it.  One way they are: `in` ends when the guest has said that it has read all.
"""

import os
import select
import socket
import subprocess
import threading
import time

import common

CHUNK = 256 * 1024
MIB = 1 << 20
VMRUN = {
    "echo": "echo r; exec cat",
    "sink": "echo r; cat >/dev/null; echo e",
    "source": "echo r; read x; "
              "dd if=/dev/zero bs=128K count={blocks} status=none",
}


def feed(to, n):
    chunk = memoryview(b"\n" + os.urandom(CHUNK - 1))
    while n:
        n -= os.write(to.fileno(), chunk[:min(n, CHUNK)])
    if not isinstance(to, socket.socket):
        to.close()


def read_some(fd, n=CHUNK):
    if not select.select([fd], [], [], common.TIMEOUT)[0]:
        raise TimeoutError("the guest is silent")
    got = os.read(fd, n)
    if not got:
        raise EOFError("the guest is gone")
    return got


def transfer(mode, n, to, back):
    """MiB/s.  The guest has just said that it is ready; pipes are closed."""
    if mode in ("echo", "cat"):
        os.write(to.fileno(), b"w")
        assert read_some(back) == b"w"
    give = 1 if mode == "source" else n
    expect = {"echo": n, "cat": n, "source": n, "sink": 1}[mode]
    begin = time.monotonic()
    feeder = threading.Thread(target=feed, args=(to, give), daemon=True)
    feeder.start()
    while expect > 0:
        expect -= len(read_some(back))
    seconds = time.monotonic() - begin
    feeder.join()
    return n / MIB / seconds


def vmrun(mode, n):
    with subprocess.Popen(
            ["vmrun", "-q", "--", "sh", "-c",
             VMRUN[mode].format(blocks=n // (128 * 1024))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as vm:
        back = vm.stdout.fileno()
        assert read_some(back, 2) == b"r\n"
        return transfer(mode, n, vm.stdin, back)


def raw(qemu, initramfs, mode, n):
    ours, theirs = socket.socketpair()
    argv = common.raw_argv(qemu, initramfs, theirs.fileno(),
                    f" bench={mode} bytes={n}")
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                          pass_fds=[theirs.fileno()]) as vm:
        theirs.close()
        try:
            assert read_some(ours.fileno(), 1) == b"r"
            return transfer(mode, n, ours, ours.fileno())
        finally:
            vm.kill()
            ours.close()


def main():
    p = common.arguments(__doc__, 5)
    p.add_argument("--mib", type=int, default=256, metavar="SIZE",
                   help="what is sent through (default 256)")
    p.add_argument("--only", choices=["both", "in", "out"])
    args = p.parse_args()
    common.setup()
    report = common.Report("stream", args)
    qemu = common.planned_qemu()
    n = args.mib * MIB
    with open(os.path.join(common.image_dir(), "initramfs"), "rb") as f:
        base = f.read()
    with open(common.guest_program("port-init"), "rb") as f:
        # Of two archives in a row the second one's /init counts.
        initramfs = common.write_initramfs(
            "port.cpio", base + common.cpio([("init", f.read())]), False)

    def compare(way, mode, *raws):
        if args.only not in (None, way):
            return
        sides = common.interleaved(
            args.n, lambda: vmrun(mode, n),
            *(lambda m=m: raw(qemu, initramfs, m, n) for m in raws))
        report.value(f"{way}: vmrun", sides[0], "MiB/s")
        for m, side in zip(raws, sides[1:]):
            report.value(f"{way}: raw, {m}", side, "MiB/s")
        report.ratio(f"{way}: vmrun / raw", sides[0], sides[1], 0.8, False)
        for m, side in zip(raws[1:], sides[2:]):
            report.ratio(f"{way}: vmrun / raw, {m}", sides[0], side, 0.8,
                         False)

    compare("both", "echo", "echo", "cat")
    compare("in", "sink", "sink")
    compare("out", "source", "source")


main()
