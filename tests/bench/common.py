# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benches share: where things are, a cpio archive, and reporting.

Like the tests in tests/vm they run as an ordinary user, with top_builddir and
top_srcdir set, and keep state and image below tests/tmp of the build folder.
Each result is a line of text, and a line of JSON in $BENCH_OUT (appended), or
on standard output in place of the text with --json.
"""

import argparse
import fcntl
import glob
import gzip
import json
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import time

BUILD = os.environ.get("top_builddir", os.getcwd())
SOURCE = os.environ.get(
    "top_srcdir", os.path.join(os.path.dirname(__file__), "..", ".."))
BASE = os.path.join(BUILD, "tests", "tmp")
TMP = os.path.join(BASE, "bench")
TIMEOUT = 300


def skip(reason):
    """The whole bench cannot run; not a failure."""
    print(f"{os.path.basename(sys.argv[0])}: skipped: {reason}",
          file=sys.stderr)
    sys.exit(0)


def arguments(about, times):
    p = argparse.ArgumentParser(description=about)
    p.add_argument("-n", type=int, default=times, metavar="TIMES",
                   help=f"how often each side runs (default {times})")
    p.add_argument("--json", action="store_true",
                   help="JSON lines in place of text")
    return p


class Report:
    def __init__(self, bench, args):
        self.bench, self.json = bench, args.json
        self.out = os.environ.get("BENCH_OUT")

    def say(self, text):
        if not self.json:
            print(text, flush=True)

    def record(self, **what):
        line = json.dumps({"bench": self.bench, "time": int(time.time()),
                           "kernel": image()["release"], **what})
        if self.json:
            print(line, flush=True)
        if self.out:
            with open(self.out, "a", encoding="utf-8") as f:
                f.write(line + "\n")

    def value(self, name, values, unit):
        """One side: median, least and most."""
        mid = statistics.median(values)
        self.say(f"{name:28} {mid:9.1f} {unit:5} "
                 f"({min(values):.1f} to {max(values):.1f}, "
                 f"{len(values)} times)")
        self.record(name=name, unit=unit, median=round(mid, 3),
                    values=[round(v, 3) for v in values])
        return mid

    def goal(self, name, value, limit, at_most=True):
        met = value <= limit if at_most else value >= limit
        sign = "at most" if at_most else "at least"
        self.say(f"{name:28} {value:9.2f}       ({sign} {limit}: "
                 f"{'met' if met else 'MISSED'})")
        self.record(name=name, value=round(value, 4), goal=limit,
                    at_most=at_most, met=met)

    def ratio(self, name, ours, theirs, limit, at_most=True):
        """Of medians, and the median of the pairs' ratios, which drift of
        the machine disturbs least and which is what counts."""
        pairs = [a / b for a, b in zip(ours, theirs)]
        whole = statistics.median(ours) / statistics.median(theirs)
        self.say(f"{name + ', of the medians':28} {whole:9.2f}")
        self.record(name=name + ", of the medians", value=round(whole, 4))
        self.goal(name, statistics.median(pairs), limit, at_most)


def tree_arguments(about):
    p = arguments(about, 5)
    p.add_argument("--files", type=int, default=100000)
    p.add_argument("--dirs", type=int, default=2000)
    p.add_argument("--wide", type=int, default=0, metavar="FILES")
    p.add_argument("--deep", type=int, default=0, metavar="DIRECTORIES")
    p.add_argument("--at", metavar="DIR", help="where the tree is made")
    return p


def tree(name, args):
    """Its path.  Kept between runs: a large one takes minutes."""
    top = os.path.join(os.path.abspath(args.at or TMP), "-".join(
        map(str, (name, args.files, args.dirs, args.wide, args.deep))))
    if not os.path.exists(top):
        make_tree(top, args)
    return top


def make_tree(top, args):
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


def dummy(top):
    """Of a VM there is none with the folder that this makes below top, for
    VMRUN_LIBEXECDIR."""
    stage = os.path.join(BUILD, "tests", "sys", "stage-dummy")
    if not os.path.exists(stage):
        skip("no tests/sys/stage-dummy; `make check` builds it")
    libexec = os.path.join(top, "libexec")
    os.makedirs(libexec, exist_ok=True)
    shutil.copy(stage, os.path.join(libexec, "vmrun-stage"))
    shutil.copy(os.path.join(BUILD, "vmrun-mux"), libexec)
    return libexec


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


def deb():
    where = os.environ.get("VMRUN_TEST_KERNEL_DEB",
                           os.path.expanduser("~/.cache/vmrun"))
    found = sorted(glob.glob(os.path.join(where, "linux-image-*.deb")))
    if not found:
        skip("no guest kernel; run ./bootstrap image first")
    return found[-1]


def newer(path, than):
    return os.path.getmtime(path) > os.path.getmtime(than)


def setup():
    """An environment as in tests/vm/lib.sh, and an image of this build."""
    if os.getuid() == 0:
        skip("vmrun refuses to run as root")
    links = os.path.join(BASE, "bin")
    for d in (TMP, links, os.path.join(BASE, "data")):
        os.makedirs(d, exist_ok=True)
    for name in ("vmrun", "vmrunctl"):
        program = os.path.join(BUILD, name)
        if not os.path.exists(program):
            skip(f"no {program}; run make first")
        link = os.path.join(links, name)
        if not os.path.islink(link):
            os.symlink(program, link)
    os.environ.update(
        PATH=links + ":" + os.environ["PATH"], VMRUN_LIBEXECDIR=BUILD,
        XDG_DATA_HOME=os.path.join(BASE, "data"),
        XDG_STATE_HOME=os.path.join(BASE, "state"),
        XDG_CONFIG_HOME=os.path.join(TMP, "config"))
    os.environ.pop("NOTIFY_SOCKET", None)
    stamp = os.path.join(BASE, "data", "stamp")
    with open(os.path.join(BASE, "image.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(stamp) or any(
                newer(os.path.join(BUILD, p), stamp)
                for p in ("vmrun-init", "vmrunctl")):
            subprocess.run(["vmrunctl", "image", "import", "--deb", deb()],
                           check=True, stdout=sys.stderr)
            with open(stamp, "w", encoding="utf-8"):
                pass


def sway(folder):
    """A compositor without a screen; it, and the environment of its clients."""
    for tool in ("sway", "swaymsg"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    env = dict(os.environ, XDG_RUNTIME_DIR=folder, WLR_BACKENDS="headless",
               WLR_RENDERER="pixman", WLR_LIBINPUT_NO_DEVICES="1")
    conf = os.path.join(folder, "conf")
    with open(conf, "w", encoding="ascii") as f:
        f.write("xwayland disable\n")
    p = subprocess.Popen(["sway", "-c", conf], env=env,
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    env["SWAYSOCK"] = f"{folder}/sway-ipc.{os.getuid()}.{p.pid}.sock"
    for _ in range(300):
        names = [n for n in os.listdir(folder)
                 if re.fullmatch(r"wayland-\d", n)]
        if names and os.path.exists(env["SWAYSOCK"]):
            env["WAYLAND_DISPLAY"] = os.path.join(folder, names[0])
            return p, env
        time.sleep(0.1)
    p.kill()
    return skip("sway does not start")


def image_dir():
    return os.path.join(BASE, "data", "vmrun", "images", "default")


def image():
    with open(os.path.join(image_dir(), "image.json"), encoding="utf-8") as f:
        return json.load(f)


def bzimage():
    """The kernel of the image as the package has it."""
    want = os.path.join(TMP, "boot", "vmlinuz-" + image()["release"])
    if not os.path.exists(want):
        tar = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb()],
                               stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", TMP, "./boot"], check=True,
                       stdin=tar.stdout)
        tar.wait()
    if not os.path.exists(want):
        skip(f"the package has no {os.path.basename(want)}")
    return want


def guest_program(name):
    """A static program of this folder, built as vmrun-init is."""
    out = os.path.join(TMP, name)
    source = os.path.join(SOURCE, "tests", "bench", name + ".c")
    if not os.path.exists(out) or newer(source, out):
        subprocess.run([os.environ.get("MUSL_GCC", "musl-gcc"), "-std=c11",
                        "-D_GNU_SOURCE", "-O2", "-static", "-no-pie", "-s",
                        "-o", out, source], check=True)
    return out


def cpio(files):
    """A newc archive of directories (content None) and executable files."""
    data = b""
    for n, (name, content) in enumerate([*files, ("TRAILER!!!", b"")]):
        mode = 0o40755 if content is None else 0o100755
        body = content or b""
        fields = [n + 1, mode, 0, 0, 1, 0, len(body), 0, 0, 0, 0,
                  len(name) + 1, 0]
        head = b"070701" + b"".join(b"%08X" % f for f in fields)
        head += name.encode() + b"\0"
        data += head + b"\0" * (-len(head) % 4)
        data += body + b"\0" * (-len(body) % 4)
    return data + b"\0" * (-len(data) % 512)


def write_initramfs(name, data, compress):
    path = os.path.join(TMP, name)
    with open(path, "wb") as f:
        f.write(gzip.compress(data) if compress else data)
    return path


def planned_qemu():
    """The command line of QEMU that vmrun would use."""
    plan = subprocess.run(["vmrun", "--dry-run", "--", "true"], check=True,
                          capture_output=True, text=True).stdout
    line = re.search(r"^ +qemu: (.*)$", plan, re.M)
    return shlex.split(line.group(1))


def raw_argv(qemu, initramfs, port, append):
    """vmrun's own command line without console and file server, without the
    virtio-serial port where it has no descriptor, and with a memfd for memory:
    nobody mounts /ram for it, so its pages are small."""
    image = {"/image/kernel": os.path.join(image_dir(), "vmlinux"),
             "/image/initramfs": initramfs}
    argv, words = [], iter(qemu)
    for word in words:
        if word in ("-chardev", "-serial", "-device"):
            value = next(words)
            if "fs" in value or "console" in value or (
                    port is None and ("mux" in value or "serial" in value)):
                continue
            value = value.replace("id=mux,fd=3", f"id=mux,fd={port}")
            argv += [word, value]
        elif word == "-append":
            argv += [word, next(words) + append]
        else:
            argv.append(image.get(word, word).replace(
                "-file,id=ram,mem-path=/ram/guest,align=2M,", "-memfd,id=ram,"))
    return argv


def elapsed(what, *args, **how):
    """Seconds that a call took."""
    begin = time.monotonic()
    what(*args, **how)
    return time.monotonic() - begin


def timed(argv, **how):
    """Seconds of one run, which must succeed."""
    return elapsed(subprocess.run, argv, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, timeout=TIMEOUT, **how)


def interleaved(times, *sides):
    """Each side once to warm up, then A B A B ...; a list for each."""
    results = [[] for _ in sides]
    for side in sides:
        side()
    for _ in range(times):
        for side, result in zip(sides, results):
            result.append(side())
    return results
