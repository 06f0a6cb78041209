#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest's TCP to a host, through the whole chain, against -netdev user.

The host is this program, at this machine's own address.  `user` is the kernel,
QEMU, machine and parameters that vmrun uses, with QEMU's own user network and
tests/bench/net-init.c as PID 1; the others have the same program as the command
of `vmrun --net`: `firewall` behind a firewall VM and passt, `net VM` behind a
firewall VM, a net VM and passt.  The clock runs from the first byte to the
last, so that no start is in it.

Then what the firewall costs: the start of a command with a network that has to
be started first, with one that is there, and without any; and the memory of
the firewall's processes.
"""

import os
import re
import socket
import subprocess
import time

import common
import memory

MIB = 1 << 20
CHUNK = bytes(256 * 1024)
RULES = "bench", "benchvm"


def own_address():
    """The one that leads elsewhere; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))
        except OSError:
            common.skip("this machine has no route to anywhere else")
        return s.getsockname()[0]


class Host:
    def __init__(self):
        self.address = own_address()
        self.s = socket.create_server((self.address, 0))
        self.s.settimeout(common.TIMEOUT)
        self.port = self.s.getsockname()[1]

    def measure(self, way, n):
        """Mbit/s of the next connection."""
        c = self.s.accept()[0]
        with c:
            c.settimeout(common.TIMEOUT)
            assert way == "up" or c.recv(1) == b"r"
            begin, left = None, n
            while left > 0:
                if way == "up":
                    left -= len(c.recv(len(CHUNK)))
                    begin = begin or time.monotonic()
                else:
                    begin = begin or time.monotonic()
                    left -= c.send(CHUNK[:left])
            if way == "up":
                c.send(b"e")
            else:
                assert c.recv(1) == b"e"
            return n * 8 / 1e6 / (time.monotonic() - begin)


def user(host, qemu, initramfs, way, n):
    argv = common.raw_argv(qemu, initramfs, None,
                           f" way={way} host={host.address} "
                           f"port={host.port} bytes={n}")
    argv += ["-netdev", "user,id=net", "-device",
             "virtio-net-%s,netdev=net" %
             ("device" if any("microvm" in a for a in argv) else
              "pci,romfile=")]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as vm:
        try:
            return host.measure(way, n)
        finally:
            vm.kill()


def vmrun(host, program, rules, way, n):
    with subprocess.Popen(
            ["vmrun", "-q", "--net", rules, "--ro", program, "--", program,
             way, host.address, str(host.port), str(n)],
            stdin=subprocess.DEVNULL):
        return host.measure(way, n)


def write_config(host):
    net = os.path.join(os.environ["XDG_CONFIG_HOME"], "vmrun", "net")
    os.makedirs(net, exist_ok=True)
    for name in RULES:
        with open(f"{net}/{name}.nft", "w", encoding="ascii") as f:
            f.write(f"allow-net {host.address}/32\n")
    with open(f"{net}/benchvm.conf", "w", encoding="ascii") as f:
        f.write("uplink = vm:bench\n")


def stop(*names):
    for name in names:
        subprocess.run(["vmrunctl", "net", "stop", name], check=False,
                       capture_output=True)


def start_times(args, report):
    def start(*options):
        return common.timed(["vmrun", "-q", *options, "--", "true"]) * 1000

    def cold(name, *all_of_it):
        def run():
            stop(*all_of_it)
            return start("--net", name)
        return run

    names = ("no network", "network is there", "new network",
             "new network, net VM")
    sides = common.interleaved(
        args.n, start, lambda: start("--net", "bench"),
        cold("bench", "bench"), cold("benchvm", "benchvm", "vm:bench"))
    for name, side in zip(names, sides):
        report.value(f"start: {name}", side, "ms")


def firewall_memory(report):
    said = subprocess.run(["vmrunctl", "ps", "--json"], check=True,
                          capture_output=True, text=True).stdout
    service = re.search(r'"alias": "vmrun-net-bench-firewall"', said)
    if not service:
        common.skip("the firewall is gone")
    top = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
           if command(pid).startswith(os.path.join(
               common.BUILD, "vmrun-net") + " bench ")]
    whole = 0
    for pid in (*top, *memory.children(top[0])):
        kb = memory.by_maps(pid) or memory.by_status(pid)
        whole += kb["rss"] + kb["ram"]
        report.say(f"{memory.name_of(pid):16} RSS {kb['rss']:7} kB"
                   + (f"  guest RAM {kb['ram']} kB" if kb["ram"] else ""))
        report.record(name=memory.name_of(pid), **kb)
    report.value("firewall, all of it, RSS", [whole / 1024], "MiB")


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def main():
    p = common.arguments(__doc__, 5)
    p.add_argument("--mib", type=int, default=64, metavar="SIZE",
                   help="what is sent through (default 64)")
    p.add_argument("--only", choices=["speed", "start", "memory"])
    args = p.parse_args()
    common.setup()
    report = common.Report("network", args)
    host, n = Host(), args.mib * MIB
    qemu = common.planned_qemu()
    program = common.guest_program("net-init")
    with open(os.path.join(common.image_dir(), "initramfs"), "rb") as f:
        base = f.read()
    with open(program, "rb") as f:
        initramfs = common.write_initramfs(
            "net.cpio", base + common.cpio([("init", f.read())]), False)
    write_config(host)
    stop(*RULES, "vm:bench")
    names = "user", "firewall", "net VM"
    for way in ("up", "down") if args.only in (None, "speed") else ():
        sides = common.interleaved(
            args.n, lambda w=way: user(host, qemu, initramfs, w, n),
            *(lambda r=r, w=way: vmrun(host, program, r, w, n)
              for r in RULES))
        for name, side in zip(names, sides):
            report.value(f"{way}: {name}", side, "Mbit")
        for name, side in zip(names[1:], sides[1:]):
            pairs = [a / b for a, b in zip(side, sides[0])]
            ratio = common.statistics.median(pairs)
            report.say(f"{f'{way}: {name} / user':28} {ratio:9.2f}")
            report.record(name=f"{way}: {name} / user",
                          value=round(ratio, 4))
    if args.only in (None, "start"):
        start_times(args, report)
    if args.only in (None, "memory"):
        subprocess.run(["vmrun", "-q", "--net", "bench", "--", "true"],
                       check=True, stdin=subprocess.DEVNULL)
        firewall_memory(report)
    stop(*RULES, "vm:bench")


main()
