#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines in networks, in the world of testnet.sh.

One line for each property: 1 or 0, then the property.
"""
import glob
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

from fullcone import heard_here, heard_through_passt
from netrig import (FOLDER, Machine, as_root, ctl, helper, kill_firewall,
                    kill_helper, parent, processes, runs, say, service, show,
                    stages, wait_for, works)

HERE = os.path.dirname(os.path.abspath(__file__))
ALLOWED = (("198.51.100.7", "there port 80 to ::ffff:198.51.100.2"),
           ("2001:db8::7", "there port 80 to 2001:db8::2"),
           ("x.example", "there port 80 to ::ffff:198.51.100.2"))
REFUSED = (("198.51.100.7", 8080, "another port"),
           ("2001:db8::7", 8080, "another port by IPv6"),
           ("198.51.100.2", 9000, "this machine's own address"),
           ("2001:db8::2", 9000, "this machine's own address by IPv6"),
           ("2001:db8::1", 80, "who is beside it by IPv6"),
           ("192.168.7.7", 80, "a private network"),
           ("10.214.0.1", 80, "passt's gateway"))


def test_rules(a, b, other):
    for host, want in ALLOWED:
        got = a.tcp(host, 80)
        say(got == want, "web: %s answers" % host, (got, a.err))
    for host, port, what in REFUSED:
        got = a.tcp(host, port)
        say(got == "ECONNREFUSED", "web: %s is refused at once" % what, got)
    neighbour = b.ask("me")
    say(neighbour.startswith("10.213.1.") and neighbour != a.ask("me"),
        "two machines have an address each", neighbour)
    got = b.tcp(neighbour, 8081), a.tcp(neighbour, 8081)
    say(got == ("agent to ::ffff:" + neighbour, "EHOSTUNREACH"),
        "a neighbour is out of reach, on a port that the ruleset allows", got)
    got = b.tcp("198.51.100.7", 80)
    say(got.startswith("there"), "it has the network too", got)
    got = other.tcp("198.51.100.7", 8080), other.tcp("198.51.100.7", 80)
    say(got[0].startswith("there") and got[1] == "ECONNREFUSED",
        "another ruleset beside it allows something else", got)


def audit(what, of, members):
    """The sandbox of process `of` that has these members, by audit.py."""
    members = members.split()
    for stage in stages(of):
        found = {name: uid for name, uid in map(seen, kids(stage))}
        if set(found) != set(members):
            continue
        r = subprocess.run(
            [sys.executable, os.path.join(HERE, "audit.py"), str(stage),
             str(found[members[0]])], capture_output=True, text=True,
            env={**os.environ, "MEMBERS": " ".join(members)})
        said = r.stdout.splitlines()
        say(r.returncode == 0 and len(said) > 20 and
            not [s for s in said if not s.startswith("1 ")],
            "%s: namespaces, powers, files and sockets" % what,
            r.stderr + r.stdout)
        return
    say(False, "%s has a sandbox of %s" % (what, members), runs())


def kids(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
        return map(int, f.read().split())


def seen(pid):
    """A member's name and UID."""
    with open("/proc/%d/status" % pid, encoding="utf-8") as f:
        status = dict(line.split(":", 1) for line in f if ":" in line)
    name = status["Name"].strip().replace("vmrun-", "")
    for known in "qemu", "passt":
        name = known if name.startswith(known) else name
    return name, int(status["Uid"].split()[0])


def test_sandboxes(a):
    """What of a link is to be seen where: nothing."""
    of, = service("web")
    audit("a machine", a.p.pid, "qemu mux virtiofsd")
    vms = [p for p in processes("vmrun ") if parent(p) == of]
    audit("a firewall VM", vms[0] if vms else 0, "qemu mux")
    audit("the switch", of, "switch")
    audit("passt", of, "passt")


def test_unasked(a):
    """Who asks .7 is sent two datagrams by others before the answer."""
    got = heard_here()
    say(got == ["unasked", "unasked", "end"],
        "this machine hears from whom it has not asked", got)
    got, full_cone = heard_through_passt()
    say(got[-1:] == ["end"] and (len(got) == 3 or not full_cone),
        "so does who is behind passt alone, if it is a full cone", got)
    got = a.ask("udp 198.51.100.7 443")
    say(got == "end", "datagrams from whom was not asked do not come in", got)


def test_show():
    said = show("web")
    say("firewall  up" in said and said.count("client    10.213.1.") == 2,
        "net show: up, two clients", said)
    r = ctl("grants")
    say(r.returncode == 0 and "vmrun-net" not in r.stdout,
        "grants: nothing is granted to services of networks", r)
    said = ctl("net", "log", "web").stdout
    say("vmrun-deny" in said and "DPT=8080" in said,
        "net log: what was refused", said)


def moved(where):
    with open(os.environ["TESTNET"] + "/moved", "w", encoding="ascii") as f:
        f.write(where)


def rules(name, text, kind="nft"):
    path = os.path.join(FOLDER, "config/vmrun/net/%s.%s" % (name, kind))
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def test_reload(a, other):
    rules("other", "tcp dport 22 accept\ntcp dprot 80 accept\n")
    r = ctl("net", "reload", "other")
    say(r.returncode == 125 and "other.nft:2: " in r.stderr,
        "net reload: an error has its line", r)
    say(other.tcp("198.51.100.7", 8080).startswith("there"),
        "and the old rules stay")
    rules("other", "tcp dport 80 accept\n")
    r = ctl("net", "reload", "other")
    got = other.tcp("198.51.100.7", 8080), other.tcp("198.51.100.7", 80)
    say(r.returncode == 0 and got[0] == "ECONNREFUSED" and
        got[1].startswith("there"), "net reload: the new rules", (r, got))
    rules("other", "tcp dport 8080 accept\n")
    say(ctl("net", "reload", "other").returncode == 0 and
        a.tcp("198.51.100.7", 8080) == "ECONNREFUSED",
        "the other network has its own")


def test_reload_early(other):
    """A firewall that starts has the rules of before."""
    rules("other", "tcp dport 22 accept\n")
    ctl("net", "reload", "other")
    kill_firewall("other")
    say(wait_for(lambda: "firewall  starting" in show("other")),
        "a firewall starts", show("other"))
    rules("other", "tcp dport 8080 accept\n")
    r = ctl("net", "reload", "other")
    say(r.returncode == 0 and wait_for(
        lambda: other.tcp("198.51.100.7", 8080).startswith("there")),
        "net reload meanwhile: it has the new ones", (r, show("other")))


def attach(number):
    """As a machine's vmrun does that had this number: what is answered."""
    ctl_socket, = glob.glob(os.environ["XDG_RUNTIME_DIR"] +
                            "/**/net-web/ctl", recursive=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.connect(ctl_socket)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        asked = struct.pack("=4I1376s", 2, 1, number, 0, b"")
        socket.send_fds(s, [asked], [theirs.fileno()])
        _, kind, value, _, _, text = struct.unpack("=4I352s512s512x",
                                                   s.recv(2000))
        ours.close()
        theirs.close()
        return kind, value, text.rstrip(b"\0").decode()


def test_numbers(a):
    got = attach(int(a.ask("me").rsplit(".", 1)[1]))
    say(got == (33, 1, "its address is another machine's now"),
        "who has lost its address to another machine gets no other", got)
    got = [attach(0) for _ in range(3)]
    say([g[0] for g in got] == [32] * 3 and got[0][1] + 1 == got[1][1] and
        got[1][1] + 1 == got[2][1], "newcomers do not get what was just free",
        got)
    say(a.tcp("198.51.100.7", 80).startswith("there"), "nobody notices", a.err)


def changes():
    said = ctl("net", "log", "web").stdout
    return said.count("this machine's network has changed")


def test_addresses(a):
    """As a container or a VPN has them; then one that is in the rules."""
    before = changes()
    say(a.ask("open 198.51.100.7 80") == "open", "a connection", a.err)
    as_root("private")
    # The second answer comes after all that happened before the first.
    got = show("web"), show("web"), a.ask("again"), changes()
    say(got[2].startswith("there") and got[3] == before,
        "a new private address of this machine cuts no connection", got)
    as_root("public")
    say(wait_for(lambda: changes() > before) and works(a),
        "a public one: the firewall begins anew", (a.err, show("web")))
    got = a.tcp("198.51.100.3", 9000)
    say(got == "ECONNREFUSED", "and refuses it", got)


def test_names(other):
    rules("other", "allow-host moved.example tcp dport 80\n")
    moved("198.51.100.7")
    say(ctl("net", "reload", "other").returncode == 0 and
        other.tcp("moved.example", 80).startswith("there") and
        other.tcp("198.51.100.1", 80) == "ECONNREFUSED",
        "a rule with a name: its address is open", other.err)
    moved("198.51.100.1")
    say(other.tcp("moved.example", 80).startswith("there") and
        other.tcp("198.51.100.1", 80).startswith("there"),
        "its record changes: the rule follows", other.err)
    rules("other", "refuse-list mine\ntcp dport 8080 accept\n")
    rules("mine", "198.51.100.0/30\n", "list")
    say(ctl("net", "reload", "other").returncode == 0 and
        other.tcp("198.51.100.1", 80) == "ECONNREFUSED",
        "and is gone with the next rules", other.err)
    got = other.tcp("198.51.100.7", 8080), other.tcp("198.51.100.1", 8080)
    say(got[0].startswith("there") and got[1] == "ECONNREFUSED",
        "what a list refuses is refused, whatever is allowed", got)


def test_loopback(other):
    """passt's own address is not this machine, whatever the rules allow."""
    rules("other", "allow-net 10.0.0.0/8\nallow-net fc00::/7\n"
          "tcp dport 8080 accept\n")
    say(ctl("net", "reload", "other").returncode == 0, "private networks open")
    got = (other.tcp("10.214.0.1", 9000),
           other.tcp("fd76:6d00:0:2::1", 9000))
    say(not any(g.startswith("here") for g in got),
        "this machine's loopback is out of reach all the same", got)


def test_six(a, b):
    """On one ruleset, at once."""
    more = [Machine("-q", "-m", "256", "--net", "web") for _ in range(4)]
    got = [vm.here() and works(vm) for vm in more]
    say(all(got) and works(a) and works(b), "six machines have the network",
        (got, [vm.err for vm in more], show("web")))
    mine = [vm.ask("me") for vm in (a, b, *more)]
    say(len(set(mine)) == 6, "with an address each", mine)
    say(show("web").count("client ") == 6, "net show has six", show("web"))
    got = [vm.tcp("198.51.100.7", 80).startswith("there") and
           vm.tcp("198.51.100.7", 8080) for vm in more]
    say(set(got) == {"ECONNREFUSED"}, "and the same rules", got)
    say([vm.end() for vm in more] == [0] * 4 and
        wait_for(lambda: show("web").count("client ") == 2),
        "four end, two stay", show("web"))


def resolver(address):
    with open(os.environ["TESTNET"] + "/resolv.conf", "w",
              encoding="ascii") as f:
        f.write("nameserver %s\n" % address)


def test_resolver(a, other):
    say(a.ask("name x.example") == "198.51.100.7", "names by this resolver")
    a.mark()
    resolver("198.51.100.1")
    say(wait_for(lambda: a.ask("name x.example") == "198.51.100.1"),
        "resolv.conf names another one: it is asked", (a.err, show("web")))
    say(wait_for(lambda: a.heard("this machine's network has changed")),
        "that is said", a.err)
    say(wait_for(lambda: other.ask("name x.example") == "198.51.100.1"),
        "in the other network, too", (other.err, show("other")))


def test_resolver6(a):
    """One of IPv6 alone, then no way but IPv6, then a resolver past it."""
    resolver("2001:db8::7")
    say(wait_for(lambda: a.ask("name x.example") == "198.51.100.66"),
        "resolv.conf names one of IPv6 alone: it is asked", show("web"))
    as_root("only6")
    say(wait_for(lambda: "uplink    passt  IPv6" in show("web") and
                 a.tcp("2001:db8::7", 80).startswith("there")),
        "this machine has IPv6 alone", show("web"))
    say(wait_for(lambda: a.ask("name x.example") == "198.51.100.66"),
        "and names all the same", (a.err, show("web")))
    a.mark()
    resolver("198.51.100.7")
    say(wait_for(lambda: a.heard("names are not resolved: /etc/resolv.conf")),
        "a resolver that no route leads to: that is said", a.err)
    said = show("web")
    say("names     not resolved: /etc/resolv.conf" in said,
        "and net show says it", said)
    got = a.ask("name x.example")
    say(not got.startswith("198."), "there are no names", got)


def test_offline(a, other):
    """Without a route there is no way out, and with one there is."""
    why = "this machine has no route to anywhere else"
    a.mark()
    as_root("unroute")
    say(wait_for(lambda: "nothing passes: " + why in show("web")),
        "no default route: net show says so", show("web"))
    say(wait_for(lambda: a.heard("nothing passes: ")), "who is there is told",
        a.err)
    c = Machine("--net", "web")
    say(c.here() and "nothing passes: " + why in c.err,
        "who starts is told, too, and starts", c.err)
    resolver("198.51.100.1")
    as_root("route")
    say(works(a) and works(c), "the routes are back, and so is the network",
        (c.err, show("web")))
    say(wait_for(lambda: c.heard("it works again")), "that is said", c.err)
    say(wait_for(lambda: other.ask("name x.example") == "198.51.100.1"),
        "in the other network, too", (other.err, show("other")))
    c.end()


def test_stuck(a, of):
    """Asked to end, this firewall does not; it has 20 s for that."""
    stuck = [int(row[3]) for row in runs() if "vmrun-net-web-firewall" in row]
    os.kill(stuck[0], signal.SIGSTOP)
    kill_helper(of, "/passt ")
    say(wait_for(lambda: not os.path.exists("/proc/%d" % stuck[0])),
        "a firewall that does not end is ended", show("web"))
    say(works(a), "and another one comes", (a.err, show("web")))


def test_standstill(a, of):
    """When passt comes to read a SYN, its repetitions would be behind it."""
    passt = helper(of, "/passt ")
    os.kill(passt, signal.SIGSTOP)
    a.begin("tcp 198.51.100.7 80")
    time.sleep(5)
    os.kill(passt, signal.SIGCONT)
    got = a.said()
    say(got.startswith("there") and works(a) and
        helper(of, "/passt ") == passt, "passt stood still and goes on",
        (got, show("web")))


def upgrade(path):
    """Another file has its name; who runs the old one goes on with that."""
    shutil.copy(path, path + ".new")
    os.rename(path + ".new", path)


def test_services(a, b, other):
    """One ends by a signal, as the session may that it was started in."""
    a.mark()
    b.mark()
    old = service("web")
    for pid in old:
        os.kill(pid, signal.SIGTERM)
    say(works(a) and works(b) and service("web") not in ([], old),
        "the service is told to end: another one comes",
        (a.err, b.err, show("web")))
    say(not a.heard("was stopped") and not b.heard("was stopped"),
        "nobody has stopped the network", (a.err, b.err))
    number = attach(0)[1]
    old = service("web")
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    say(works(a) and works(b), "the service is killed: another one comes",
        (a.err, show("web")))
    new = service("web")
    say(len(new) == 1 and new != old, "one, and not the same", (old, new))
    got = attach(0)
    say(got[:2] == (32, number + 1),
        "newcomers go on where the old one's were", (number, got))
    say(other.tcp("198.51.100.7", 8080).startswith("there"),
        "the other network has not noticed")
    upgrade(FOLDER + "/vmrun")
    for pid in service("other"):
        os.kill(pid, signal.SIGKILL)
    say(wait_for(lambda: other.tcp("198.51.100.7", 8080).startswith("there")),
        "after an upgrade its service comes back, too",
        (other.err, show("other")))


def image_in(stage):
    """What the QEMU of a sandbox was booted from: where that is now."""
    for kid in kids(stage):
        r = subprocess.run(
            ["nsenter", "-U", "--preserve-credentials", "-t", str(stage),
             "cat", "/proc/%d/mountinfo" % kid], capture_output=True, text=True)
        for words in map(str.split, r.stdout.splitlines()):
            if words[4] == "/image/initramfs":
                return words[3]
    return ""


def image_of(name):
    """That of a network's firewall; "" while there is none."""
    of = min(service(name))  # a child of it is about to be another program
    try:
        vms = [p for p in processes("vmrun ") if parent(p) == of]
        found = [image_in(stage) for vm in vms for stage in stages(vm)]
    except OSError:  # one has just ended
        return ""
    return "".join(found)


def test_upgrade(a):
    """A new image is the next firewall's."""
    folder = os.environ.get("VMRUN_TEST_KERNEL_DEB",
                            os.path.expanduser("~/.cache/vmrun"))
    deb = max(glob.glob(folder + "/linux-image-*.deb"))
    before = image_of("web")
    r = ctl("image", "import", "--deb", deb)
    kept = image_of("web")
    say(r.returncode == 0 and "deleted" not in before and "deleted" in kept,
        "a new image: a firewall keeps the one that it has", (before, kept, r))
    kill_firewall("web")
    say(wait_for(lambda: "deleted" not in (image_of("web") or "deleted")) and
        works(a), "killed, it comes back with the new one",
        (image_of("web"), show("web")))


def firewall_run(name):
    """The number of the firewall's run."""
    return [row[0] for row in runs()
            if "vmrun-net-%s-firewall" % name in row]


def test_linger(vm):
    """The last machine is gone; who comes in time finds all as it was."""
    of, firewall = service("other"), firewall_run("other")
    vm.end()
    say(wait_for(lambda: "client " not in show("other")), "nobody is there",
        show("other"))
    vm = Machine("-q", "--net", "other")
    say(vm.here() and vm.tcp("198.51.100.7", 8080).startswith("there") and
        service("other") == of and firewall_run("other") == firewall,
        "who comes before the service ends has that one, and its firewall",
        (of, service("other"), firewall, vm.err, show("other")))
    vm.end()
    ctl("net", "stop", "other")


def test_kills(a, b, other):
    old = service("web")
    say(len(old) == 1, "one service for two machines", old)
    test_standstill(a, old[0])
    say(kill_helper(old[0], "/vmrun-switch") and works(a) and works(b),
        "the switch is killed: another one comes", (a.err, show("web")))
    a.mark()
    kill_firewall("web")
    say(wait_for(lambda: a.heard("nothing passes")),
        "the firewall is killed: that is said", a.err)
    say(works(a) and works(b), "another one comes", show("web"))
    say(wait_for(lambda: a.heard("it works again")), "and that is said", a.err)
    say(kill_helper(old[0], "/passt ") and works(a),
        "passt is killed: another one comes", (a.err, show("web")))
    test_stuck(a, old[0])
    test_upgrade(a)
    test_services(a, b, other)
    b.p.kill()
    b.p.wait()
    say(wait_for(lambda: show("web").count("client ") == 1),
        "a machine's vmrun is killed: its port is gone", show("web"))
    say(works(a), "its neighbour goes on")


def test_end(a, other):
    c = Machine("--net", "web")
    say(c.here() and works(c), "the next machine has its place", c.err)
    say(ctl("net", "stop", "other").returncode == 0, "net stop")
    say(wait_for(lambda: "was stopped" in other.err),
        "machines are told", other.err)
    got = other.tcp("198.51.100.7", 8080)
    say(not got.startswith("there"), "and nothing passes any more", got)
    linger = os.environ["VMRUN_NET_LINGER"]
    os.environ["VMRUN_NET_LINGER"] = "600s"
    d = Machine("-q", "--net", "other")
    say(d.here() and wait_for(
        lambda: d.tcp("198.51.100.7", 8080).startswith("there")),
        "the next machine starts it anew", (d.err, show("other")))
    os.environ["VMRUN_NET_LINGER"] = linger
    test_linger(d)
    for vm in (c, other):
        vm.end()
    a.p.kill()
    a.p.wait()
    say(wait_for(lambda: not service("web") and not service("other")),
        "the service ends after the last machine, whose vmrun was killed")
    left = wait_for(lambda: not runs())
    say(left, "no run is left", runs())
    say(not processes("/passt ") and not processes("/vmrun-switch"),
        "no process is left")


def listen():
    """As a service manager does, which is the machines' parent."""
    os.environ["NOTIFY_SOCKET"] = FOLDER + "/notify"
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(os.environ["NOTIFY_SOCKET"])
    return s


def test_notify(parent):
    """Firewalls are ready by now; a machine is not, unless it says so."""
    del os.environ["NOTIFY_SOCKET"]
    parent.setblocking(False)
    try:
        got = parent.recv(100)
    except BlockingIOError:
        got = ""
    say(not got, "machines' parent hears nothing of their firewalls", got)
    parent.close()


def main():
    with open(os.path.join(FOLDER, "config/vmrun/profiles/net.conf"), "w",
              encoding="ascii") as f:
        f.write("net = web\n")
    shutil.copy(shutil.which("vmrun"), FOLDER + "/vmrun")
    parent = listen()
    # Ordered by how long they take: the first starts the service.
    a = Machine("--net", "web")
    other = Machine("--net", "other", program=FOLDER + "/vmrun")
    b = Machine("-q", "--profile", "net")
    if not (a.here() and b.here() and other.here()):
        say(False, "three machines", (a.err, b.err, other.err))
        sys.exit(1)
    if not (works(a) and works(b) and wait_for(lambda: other.tcp(
            "198.51.100.7", 8080).startswith("there"))):
        say(False, "they have a network",
            (a.err, b.err, other.err, show("web"), show("other")))
        sys.exit(1)
    test_notify(parent)
    test_rules(a, b, other)
    test_sandboxes(a)
    test_unasked(a)
    test_show()
    test_reload(a, other)
    test_reload_early(other)
    test_numbers(a)
    test_names(other)
    test_loopback(other)
    test_addresses(a)
    test_resolver(a, other)
    test_resolver6(a)
    test_offline(a, other)
    test_six(a, b)
    test_kills(a, b, other)
    test_end(a, other)


main()
