#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resident memory of a running VM's processes, the guest's RAM apart.

RSS counts shared pages in each process, PSS divides them.  The guest's RAM is
a memory file that QEMU and the file server both map: it is left out by name.
Where a process may not be looked at so closely, /proc/PID/status says its RSS.
"""

import os
import subprocess

import common

FIELDS = ("Rss", "Pss")


def by_maps(pid):
    """kB of Rss and Pss, and the guest RAM's Rss; None without the right."""
    total, ram, is_ram = {"Rss": 0, "Pss": 0}, 0, False
    try:
        with open(f"/proc/{pid}/smaps", encoding="utf-8") as f:
            for line in f:
                first, *rest = line.split()
                if not first.endswith(":"):
                    is_ram = rest[4:] == ["/ram/guest"]
                elif is_ram and first == "Rss:":
                    ram += int(rest[0])
                elif not is_ram and first[:-1] in FIELDS:
                    total[first[:-1]] += int(rest[0])
    except PermissionError:
        return None
    return {"rss": total["Rss"], "pss": total["Pss"], "ram": ram}


def by_status(pid):
    kb = {}
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        for line in f:
            name, _, value = line.partition(":")
            if name.startswith("Rss"):
                kb[name] = int(value.split()[0])
    # The guest's RAM is all the shared memory that there is.
    return {"rss": kb["RssAnon"] + kb["RssFile"], "pss": None,
            "ram": kb["RssShmem"]}


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as f:
        for child in map(int, f.read().split()):
            yield child
            yield from children(child)


def name_of(pid):
    with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
        return f.read().strip()


def main():
    args = common.arguments(__doc__, 1).parse_args()
    common.setup()
    report = common.Report("memory", args)
    with subprocess.Popen(["vmrun", "-q", "--", "sh", "-c", "echo up; cat"],
                          stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as vm:
        vm.stdout.readline()
        whole = {"rss": 0, "pss": 0}
        for pid in (vm.pid, *children(vm.pid)):
            kb = by_maps(pid) or by_status(pid)
            report.say(f"{name_of(pid):16} RSS {kb['rss']:7} kB  "
                       + (f"PSS {kb['pss']:7} kB" if kb["pss"] is not None
                          else "PSS       ?   ")
                       + (f"  guest RAM {kb['ram']} kB" if kb["ram"] else ""))
            report.record(name=name_of(pid), **kb)
            for k in whole:
                whole[k] += kb[k] or kb["rss"]
        report.say(f"{'all':16} RSS {whole['rss']:7} kB  "
                   f"PSS {whole['pss']:7} kB (RSS where PSS is unknown)")
        report.record(name="all", **whole)
        vm.stdin.close()


if __name__ == "__main__":
    main()
