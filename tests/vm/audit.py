#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a VM's processes are and can reach, as the host's /proc shows it.

audit.py STAGE U [control=PID]: STAGE is the pid of vmrun-stage.  One line for
each property: 1 or 0, the process, a colon, the property.  With control=PID
that process is judged by the same rules as QEMU.  $MEMBERS: who should be there.

Runs as the person, who owns the sandbox's user namespace; to read what is
closed to other UIDs (descriptors, environment) it enters that namespace.
"""
import ctypes
import os
import re
import sys

SEPARATE = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
STAGE_CAPS = 1 << 18 | 1 << 8  # CAP_SYS_CHROOT, CAP_SETPCAP
CLONE_NEWUSER = 0x10000000


def read(pid, name):
    with open("/proc/%d/%s" % (pid, name), "rb") as f:
        return f.read().decode("utf-8", "backslashreplace")


def children(pid):
    return [int(p) for p in read(pid, "task/%d/children" % pid).split()]


def namespaces(pid):
    return {n: os.readlink("/proc/%d/ns/%s" % (pid, n)) for n in SEPARATE}


def words(text):
    return [line.split() for line in text.splitlines()]


def descriptors(pid):
    """Number to target; None if they are closed even to us."""
    where = "/proc/%d/fd" % pid
    try:
        return {int(n): os.readlink("%s/%s" % (where, n))
                for n in os.listdir(where)}
    except PermissionError:
        return None


class Audit:
    def __init__(self, name, pid, want):
        self.name, self.pid, self.want = name, pid, want
        self.sets = want.get("sets", SETS)
        self.status = dict(line.split(":", 1) for line in
                           read(pid, "status").splitlines() if ":" in line)

    def say(self, good, what, got=""):
        print("%d %s: %s" % (bool(good), self.name, what), flush=True)
        if not good:
            print("# %s: %s: %s" % (self.name, what, str(got)[:2000]),
                  file=sys.stderr)

    def field(self, name):
        return self.status[name].split()

    def identity(self):
        want = [str(self.want["uid"])] * 4
        self.say(self.field("Uid") == want, "uids", self.field("Uid"))
        self.say(self.field("Gid") == want, "gids", self.field("Gid"))
        self.say(self.field("Groups") == [], "no groups", self.field("Groups"))
        for m in ("uid_map", "gid_map") if self.want["map"] else ():
            got = words(read(self.pid, m))
            self.say(got == self.want["map"], m, got)

    def threads(self):
        """Filters and capabilities belong to a thread, not to a process."""
        odd = {}
        for t in os.listdir("/proc/%d/task" % self.pid):
            s = dict(line.split(":", 1) for line in
                     read(self.pid, "task/%s/status" % t).splitlines())
            got = (s["Seccomp"].strip(),
                   *(int(s[c], 16) for c in self.sets))
            if got != ("2", *(0 for c in self.sets)):
                odd[t] = got
        return odd

    def powers(self):
        for c in self.sets:
            self.say(int(self.status[c], 16) == 0, c, self.status[c])
        self.say(self.field("NoNewPrivs") == ["1"], "no_new_privs")
        odd = self.threads()
        # The C virtiofsd starts QEMU's RCU thread before it confines itself:
        # the stage's fence and two capabilities, see member.c and denied.c.
        if self.name in ("virtiofsd", "plain") and len(odd) == 1 and \
           str(self.pid) not in odd:
            odd = {t: g for t, g in odd.items()
                   if g[0] != "2" or any(c & ~STAGE_CAPS for c in g[1:])}
        self.say(not odd, "filter and no capabilities in each thread", odd)
        core = re.search(r"^Max core file size +(\S+) +(\S+)",
                         read(self.pid, "limits"), re.M).groups()
        self.say(core == ("0", "0"), "no core files", core)
        if self.name != "stage":  # it is the person's, and makes nothing
            self.limits()

    def limits(self):
        have = re.findall(r"^Max (data size|processes|open files) +\S+ +(\S+)",
                          read(self.pid, "limits"), re.M)
        wrong = [h for h in have if h[1] == "unlimited"]
        self.say(len(have) == 3 and not wrong,
                 "limits of memory, processes and files", wrong)
        oom = int(read(self.pid, "oom_score_adj"))
        self.say(oom >= 500, "the first to go when memory is short", oom)

    def network(self):
        devices = [w[0] for w in words(read(self.pid, "net/dev"))[2:]]
        self.say(devices == ["lo:"], "no network but lo", devices)
        # An eighth column is a name; the flag 00010000 is listening
        named = [w for w in words(read(self.pid, "net/unix"))[1:]
                 if len(w) > 7 or w[3] == "00010000"]
        named = [w for w in named if w[7:] != self.want.get("listens")]
        self.say(not named, "no socket to connect to", named)
        inet = [f for f in ("tcp", "udp", "raw", "packet")
                if os.path.exists("/proc/%d/net/%s" % (self.pid, f)) and
                len(words(read(self.pid, "net/" + f))) > 1]
        self.say(not inet, "no network sockets", inet)

    def files(self):
        mounts = [(w[4], w[5].split(",")) for w in
                  words(read(self.pid, "mountinfo"))]
        wrong = [p for p, _ in mounts
                 if not re.fullmatch(self.want["mounts"], p)]
        self.say(mounts and not wrong, "no other mounts", wrong)
        wrong = [p for p, o in mounts
                 if "rw" in o and p not in self.want["writable"]]
        self.say(not wrong, "no writable mounts", wrong)
        wrong = [p for p, o in mounts if "nosuid" not in o]
        self.say(not wrong, "nosuid", wrong)

    def environment(self):
        if self.want["fds"]:
            self.opened()
        else:
            self.say(descriptors(self.pid) is None,
                     "closed to the person, too")

    def opened(self):
        try:
            env = read(self.pid, "environ")
            cwd = os.readlink("/proc/%d/cwd" % self.pid)
        except PermissionError as e:
            env = cwd = e
        self.say(env == "LC_ALL=C\0" + self.want.get("env", ""),
                 "nothing of the person's environment",
                 env)
        self.say(cwd in self.want["cwd"], "working directory", cwd)
        fds = descriptors(self.pid) or {}
        wrong = {n: t for n, t in fds.items()
                 if not re.fullmatch(self.want["fds"], t)}
        self.say(fds and not wrong, "no undeclared descriptors", wrong)
        sockets = [n for n, t in fds.items() if t.startswith("socket:")]
        self.say(len(sockets) in self.want["sockets"], "sockets", fds)
        self.say(fds.get(0) == "/dev/null", "no standard input", fds.get(0))

    def run(self):
        self.identity()
        self.powers()
        if self.want.get("network") != "person":
            self.network()
        self.files()
        self.environment()


LIBS = r"/|/usr(/lib(32|64|x32)?)?|/bin|/sbin|/lib(32|64|x32)?|" \
       r"/etc/ld\.so\.cache"
DEVS = r"|/dev/(null|urandom|kvm)"
COMMON = r"/dev/(null|urandom|kvm)|pipe:.*|socket:.*|anon_inode:.*"


def wants(person, u, wide):
    only = [[str(u), str(u), "1"]]
    return {
        "stage": dict(uid=person, map=wide, mounts=r".*", fds=None,
                      writable=("/proc",)),
        "mux": dict(uid=u, map=only, fds=None, writable=(),
                    mounts=LIBS + DEVS + r"|/vmrun-mux"),
        "switch": dict(uid=u, map=only, fds=None, writable=(),
                       mounts=LIBS + DEVS + r"|/vmrun-switch"),
        # The one that is in the person's network, and sees nothing else: it has
        # moved on into a user namespace and an empty root of its own, where its
        # bounding set means nothing.
        "passt": dict(uid=u, map=None, fds=None, writable=(), mounts=r"/",
                      network="person", sets=SETS[:3] + SETS[4:]),
        "wayland": dict(uid=u, map=only, fds=None, writable=(),
                        mounts=LIBS + DEVS + r"|/vmrun-wayland"),
        # Its socket, and nothing to connect it with but the filter.
        "waypipe": dict(uid=u, map=only, writable=("/run",), cwd=("/",),
                        sockets=range(1, 2), listens=["waypipe"],
                        env="WAYLAND_DISPLAY=/display\0"
                        "LD_PRELOAD=/waypipe.so\0",
                        mounts=LIBS + DEVS + r"|/waypipe|/waypipe\.so|/display|/run",
                        fds=COMMON + r"|/|/run"),
        # Declared: port, console, file servers.  Its own: vhost-user's channels,
        # the guest's memory.
        "qemu": dict(uid=u, map=only, writable=("/ram",), cwd=("/",),
                     sockets=range(3, 8),
                     mounts=LIBS + DEVS + r"|/image/(kernel|initramfs)|/ram",
                     fds=COMMON + r"|/ram/guest|/.*/#\d+ \(deleted\)"),
        # The C one calls chroot(), and then mountinfo has the tree alone.
        "virtiofsd": dict(uid=u, map=wide, cwd=("/", "/tree"),
                          sockets=range(1, 4),
                          mounts=r"/|(/tree)?(/\d+)?|/proc/.*|" + LIBS + DEVS,
                          writable=None,
                          fds=COMMON + r"|/tree(/.*)?|/proc/1/.*|/|/ram/guest"),
        # The second file server: the person outside, no /usr but libraries.
        "plain": dict(uid=person, map=[[str(u), str(person), "1"]],
                      cwd=("/", "/tree"), sockets=range(1, 4), writable=None,
                      mounts=r"/|(/tree)?(/\d+)?|/proc/.*|/virtiofsd|" +
                      LIBS + DEVS,
                      fds=COMMON + r"|/tree(/.*)?|/proc/1/.*|/|/ram/guest"),
    }


def enter(stage):
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open("/proc/%d/ns/user" % stage, os.O_RDONLY)
    if libc.setns(fd, CLONE_NEWUSER) < 0:
        sys.exit("setns: " + os.strerror(ctypes.get_errno()))


def apart(spaces):
    """Namespaces that two processes have in common, but should not."""
    wrong = []
    if "passt" in spaces:  # so is its stage, which makes no socket
        for a in ("passt", "stage"):
            del spaces[a]["net"]
    for a in spaces:
        for b in spaces:
            shared = [n for n in SEPARATE if
                      spaces[a].get(n, a) == spaces[b].get(n, b)]
            if {a, b} == {"stage", "virtiofsd"}:
                shared = [n for n in shared if n in ("mnt", "pid", "ipc")]
            wrong += [(a, b, shared)] if a < b and shared else []
    print("%d all: namespaces apart, and not the person's" % (not wrong))
    if wrong:
        print("# shared: %s" % wrong, file=sys.stderr)


def main():
    stage, u = int(sys.argv[1]), int(sys.argv[2])
    want = wants(os.getuid(), u, words(read(stage, "uid_map")))
    if len(sys.argv) > 3:
        enter(stage)
        Audit("control", int(sys.argv[3].split("=")[1]), want["qemu"]).run()
        return
    pids = {"stage": stage}
    for p in children(stage):
        name = read(p, "comm").strip().replace("vmrun-", "")
        name = name.replace(".avx2", "")  # passt's form for newer processors
        if name == "virtiofsd" and name in pids:
            name = "plain"  # the record has it second, but it starts first
        pids["qemu" if name.startswith("qemu") else name] = p
    if "plain" in pids:
        pids["plain"], pids["virtiofsd"] = pids["virtiofsd"], pids["plain"]
    members = os.environ.get("MEMBERS", "mux qemu virtiofsd wayland waypipe")
    print("%d all: nobody but those" % (set(pids) == {"stage", *members.split()}))
    spaces = {n: namespaces(p) for n, p in pids.items()}
    spaces["person"] = namespaces(os.getpid())
    apart(spaces)
    if "passt" in pids:
        want["stage"]["network"] = "person"
    for name in ("virtiofsd", "plain"):
        want[name]["writable"] = tuple(os.environ.get("RW", "").split())
    enter(stage)
    for name, pid in pids.items():
        Audit(name, pid, want[name]).run()


main()
