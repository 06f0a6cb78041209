#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Rulesets with packets: a client, the firewall and an "Internet" are three
# network namespaces, joined by veth; all in one user namespace.
. "${top_srcdir:?}/tests/lint/tap.sh"
tool=${top_builddir:?}/tests/sys/ruleset-tool
nft=$(command -v nft || echo /usr/sbin/nft)
for t in "$nft" ip unshare nsenter python3; do
	command -v "$t" >/dev/null || { skip "rulesets" "no $t"; plan_done; }
done
unshare -Urn true 2>/dev/null || { skip "rulesets" "no user namespaces"; plan_done; }

cat >"$scratch/servers.py" <<'END'
import selectors, socket, sys
s = selectors.DefaultSelector()
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
# A datagram is to be answered from the address that it came to.
for family, a, kind in ((socket.AF_INET, "0.0.0.0", TCP),
                        (socket.AF_INET6, "::", TCP),
                        (socket.AF_INET, "198.51.100.7", UDP),
                        (socket.AF_INET, "198.51.100.53", UDP),
                        (socket.AF_INET, "10.214.0.53", UDP),
                        (socket.AF_INET6, "fd76:6d00:0:2::53", UDP),
                        (socket.AF_INET6, "2001:db8:7::53", UDP)):
    for port in (22, 53, 80, 443, 8080):
        x = socket.socket(family, kind)
        if family == socket.AF_INET6:
            x.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        x.bind((a, port))
        if kind == socket.SOCK_STREAM:
            x.listen()
        s.register(x, selectors.EVENT_READ, kind)
print("up", flush=True)
while True:
    for key, _ in s.select():
        if key.data == socket.SOCK_STREAM:
            key.fileobj.accept()[0].close()
        else:
            key.fileobj.sendto(b"back", key.fileobj.recvfrom(100)[1])
END
cat >"$scratch/ask.py" <<'END'
import errno, socket, sys
for word in sys.argv[1:]:
    how, host, port, *source = word.split(",")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_STREAM if how == "tcp" else socket.SOCK_DGRAM
    s = socket.socket(family, kind)
    s.settimeout(2)
    if source:
        s.bind((source[0], 0))
    try:
        if how == "crowd": # from as many ports
            for n in range(20000, 25000):
                with socket.socket(family, socket.SOCK_DGRAM) as x:
                    x.bind(("", n))
                    x.sendto(b"x", (host, int(port)))
            print(word, "done")
            continue
        if how == "flood": # a connection for each port
            for n in range(20000, 25000):
                s.sendto(b"x", (host, n))
            print(word, "done")
            continue
        s.connect((host, int(port)))
        if how == "udp":
            s.send(b"x")
            s.recv(100)
        said = "ok"
    except socket.timeout:
        said = "silent"
    except OSError as e:
        said = errno.errorcode[e.errno]
    print(word, said)
END
# Packets of one connection that nobody answers: SYNs, a SYN and a RST; which
# arrive, in the order of their sequence numbers.
cat >"$scratch/repeat.py" <<'END'
import os, signal, socket, struct, subprocess, sys, time
client, world, what = sys.argv[1:]
def add(b):
    s = sum(struct.unpack(">%dH" % (len(b) // 2), b))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff
def tcp(af, a, b, flags, sport, seq, ack=0, port=80):
    ends = socket.inet_pton(af, a) + socket.inet_pton(af, b)
    t = struct.pack(">HHIIBBHHH", sport, port, seq, ack, 0x50, flags, 64240, 0, 0)
    return t[:16] + struct.pack(">H", add(
        ends + struct.pack(">II", len(t), 6) + t)) + t[18:]
def enter(pid):
    fd = os.open("/proc/%s/ns/net" % pid, os.O_RDONLY)
    if libc.setns(fd, 0):
        sys.exit("setns")
import ctypes, fcntl
libc = ctypes.CDLL(None)
with socket.socket() as s: # the firewall's
    mac = fcntl.ioctl(s, 0x8927, b"inner".ljust(40, b"\0"))[18:24]
enter(world)
ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
ear.bind(("w0", 3))
ear.settimeout(0.4)
enter(client)
raw = {af: socket.socket(af, socket.SOCK_RAW, socket.IPPROTO_TCP)
       for af in (socket.AF_INET, socket.AF_INET6)}
last = None # number and acknowledgement, of the last packet of a connection
def heard(sport, flags=7):
    global last
    got = []
    try:
        while True:
            p = ear.recv(2000)
            t = p[20:] if p[0] >> 4 == 4 else p[40:]
            if len(t) >= 20 and t[2:4] in (b"\0\x50", b"\0\x51"):
                last = struct.unpack(">II", t[4:12])
                if t[13] & flags:
                    got.append(last[0])
    except socket.timeout:
        return got
ENDS = {socket.AF_INET: ("10.213.1.10", "198.51.100.99"),
        socket.AF_INET6: ("fd76::a", "2001:db8:7::99")}
def send(af, flags, sport, seq, ack=0, port=80):
    a, b = ENDS[af]
    raw[af].sendto(tcp(af, a, b, flags, sport, seq, ack, port), (b, 0))
SYN, RST, ACK = 2, 4, 16
def address(af, what):
    six = af == socket.AF_INET6
    subprocess.run(["ip", "addr", what, ENDS[af][1] + ("/128" if six else "/32"),
                    "dev", "w0", *(["nodad"] if six else [])], check=True)
# A connection that the server resets, and then is gone: what arrives of what
# the client sends from the same port.
def reset(af, sport):
    a, b = ENDS[af]
    enter(world)
    address(af, "add")
    server = socket.socket(af)
    server.bind((b, 81))
    server.listen()
    enter(client)
    s = socket.socket(af)
    s.bind((a, sport))
    # A first packet that was lost is asked for again after 10 s, no earlier.
    s.settimeout(60)
    s.connect((b, 81))
    s.send(b"x")
    c, _ = server.accept()
    c.recv(1)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()
    try:
        s.recv(1)
        sys.exit("no reset")
    except ConnectionResetError:
        pass
    s.close()
    server.close()
    heard(sport)
    enter(world)
    address(af, "del")
    enter(client)
    # The kernel takes this packet for one of that connection.
    seq, ack = last
    send(af, SYN, sport, 1, 0, 81)
    send(af, ACK, sport, seq, ack, 81)
    send(af, SYN, sport, 3, 0, 81)
    return ["ack" if n == seq else n for n in heard(sport, SYN | ACK)]
# No socket sends to an IPv4 address by IPv6.
if what == "mapped":
    s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    for n, to in enumerate(("2001:db8:7::99", "::ffff:198.51.100.99",
                            "::ffff:192.168.7.7", "::198.51.100.99",
                            "::ffff:0:192.168.7.7", "64:ff9b:1::c0a8:707",
                            "fec0::1")):
        t = tcp(socket.AF_INET6, "fd76::a", to, SYN, 1010 + n, 1)
        s.sendto(struct.pack(">IHBB", 6 << 28, len(t), 6, 64) +
                 socket.inet_pton(socket.AF_INET6, "fd76::a") +
                 socket.inet_pton(socket.AF_INET6, to) + t,
                 ("c0", 0x86dd, 0, 0, mac))
        print(to, len(heard(1010 + n)))
    sys.exit()
for af, name in (socket.AF_INET, "4"), (socket.AF_INET6, "6"):
    for n in 1, 2, 3:
        send(af, SYN, 1000, n)
    print("syns%s" % name, *heard(1000))
    send(af, SYN, 1001, 1)
    send(af, RST, 1001, 2)
    print("rst%s" % name, *heard(1001))
    send(af, SYN, 1002, 1)
    send(af, SYN, 1003, 1)
    print("others%s" % name, *heard(1002))
    print("reset%s" % name, *reset(af, 1006))
began = time.monotonic()
send(socket.AF_INET, SYN, 1004, 1)
n, got = 2, heard(1004)
while len(got) < 2 and time.monotonic() < began + 60:
    send(socket.AF_INET, SYN, 1004, n)
    got += heard(1004)
    n += 1
print("later", len(got) == 2)
# What was answered may be asked again, from the same port.
for n in 1, 2:
    s = socket.socket()
    s.bind(("10.213.1.10", 1005))
    s.settimeout(8)
    print("refused%d" % n, s.connect_ex(("198.51.100.7", 9)))
    s.close()
END
# A connection that the next rules do not allow, and what happens before the
# client says something: does that arrive?
cat >"$scratch/reload.py" <<'END'
import ctypes, os, select, socket, struct, subprocess, sys
client, world, nft = sys.argv[1:]
libc = ctypes.CDLL(None)
own = os.open("/proc/self/ns/net", os.O_RDONLY)
def enter(pid):
    fd = os.open("/proc/%s/ns/net" % pid, os.O_RDONLY) if pid else own
    if libc.setns(fd, 0):
        sys.exit("setns")
def rules(name):
    enter(None)
    subprocess.run([nft, "-f", name + ".out"], check=True)
def add(b):
    s = sum(struct.unpack(">%dH" % (len(b) // 2), b))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff
# An ICMP error about a packet from src to dst.
def unreachable(where, src, dst, code=1):
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0,
                     socket.inet_aton(src[0]), socket.inet_aton(dst[0]))
    ip = ip[:10] + struct.pack(">H", add(ip)) + ip[12:]
    m = struct.pack(">BBHI", 3, code, 0, 1400) + ip + struct.pack(
        ">HHI", src[1], dst[1], 1)
    enter(where)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW,
                       socket.IPPROTO_ICMP) as s:
        s.sendto(m[:2] + struct.pack(">H", add(m)) + m[4:], (src[0], 0))
# Whether such an error arrives there.
def arrives(there, *error, **code):
    enter(there)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW,
                       socket.IPPROTO_ICMP) as s:
        s.settimeout(1)
        unreachable(*error, **code)
        try:
            while s.recv(200)[20] != 3:
                pass
            return "arrives"
        except socket.timeout:
            return "does not"
# A client's socket, the server's, and whom that one sees; `to` leads to `at`.
def connect(client, to, server, at=None, source=None):
    enter(server)
    with socket.create_server(at or to) as listen:
        enter(client)
        c = socket.create_connection(to, 8, source)
        return (c, *listen.accept())
# A client's errors about what a server says, and others'; by the same rules as
# the connection was made, and by others.
rules("any")
c, s, there = connect(client, ("198.51.100.7", 9446), world)
for name in "any", "none":
    rules(name)
    print("error-out", name, arrives(
        world, client, ("198.51.100.7", 9446), c.getsockname()))
    print("error-in", name, arrives(
        client, world, there, ("198.51.100.7", 9446)))
s.close()
c.close()
# And those about a published port: the other side sends nothing meanwhile.
rules("published")
c, s, there = connect(world, ("192.0.2.2", 8081), client, ("10.213.1.10", 80),
                      ("198.51.100.7", 0))
for name in "published", "published-none":
    rules(name)
    print("too-big", name, arrives(
        client, world, ("192.0.2.2", 8081), c.getsockname(), code=4))
    print("error-back", name, arrives(
        world, client, there, ("10.213.1.10", 80)))
s.close()
c.close()
for what in "still", "speaks", "clients", "servers":
    rules("any")
    c, s, there = connect(client, ("198.51.100.7", 9446), world)
    rules("none")
    if what == "speaks":
        s.send(b"first")
    elif what == "clients":
        unreachable(client, ("198.51.100.7", 9446), c.getsockname())
    elif what == "servers":
        unreachable(world, there, ("198.51.100.7", 9446))
    said = "silent"
    try:
        # What the client's kernel says to that is judged, too.
        if what == "speaks":
            c.recv(5)
        c.send(b"mine")
        if s in select.select([s, c], [], [], 8)[0]:
            said = s.recv(5).decode()
        else:
            c.recv(5)
    except (ConnectionResetError, BrokenPipeError):
        said = "cut"
    print(what, said)
    s.close()
    c.close()
END
# In the user namespace; the firewall's is the network namespace of this shell.
cat >"$scratch/world.sh" <<'END'
set -e
at() { n=$1; shift; nsenter -t "$n" -n "$@"; }
unshare -n sleep 600 & client=$!
unshare -n sleep 600 & world=$!
trap 'kill $client $world' EXIT
own=$(readlink /proc/self/ns/net)
for p in $client $world; do
	while [ "$(readlink /proc/$p/ns/net)" = "$own" ]; do sleep 0.02; done
done
ip link add inner type veth peer name c0 netns $client
ip link add outer type veth peer name w0 netns $world
ip addr add 10.213.1.1/24 dev inner
ip addr add fd76::1/64 dev inner nodad
ip addr add 192.0.2.2/24 dev outer
ip addr add 2001:db8:2::2/64 dev outer nodad
for i in lo inner outer; do ip link set $i up; done
ip route add default via 192.0.2.1
ip -6 route add default via 2001:db8:2::1
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
at $client ip addr add 10.213.1.10/24 dev c0
at $client ip addr add 10.213.9.9/32 dev c0
at $client ip addr add 10.213.1.11/32 dev c0
at $client ip addr add fd76::a/64 dev c0 nodad
at $client ip link set c0 up
at $client ip route add default via 10.213.1.1
at $client ip -6 route add default via fd76::1
at $world ip link set lo up
for a in 192.0.2.1/24 198.51.100.7/32 198.51.100.53/32 203.0.113.9/32 \
	10.9.9.9/32 192.168.7.7/32 192.168.7.9/32 \
		10.214.0.53/32; do at $world ip addr add $a dev w0; done
for a in 2001:db8:2::1/64 2001:db8:7::7/128 2001:db8:7::53/128 \
	2001:db8:9::9/128 fd99::9/128 fd99::8/128 fd76:6d00:0:2::53/128 2001:db8:a::5/128; do
	at $world ip addr add $a dev w0 nodad
done
at $world ip link set w0 up
mkfifo up
nsenter -t $world -n python3 servers.py >up & servers=$!
trap 'kill $client $world $servers' EXIT
read -r _ <up
for set in "$@"; do
	"$NFT" -f "$set.out"
	# As the firewall's resolver does.
	[ $set != name ] || "$NFT" add element inet vmrun h4_x.example \
		"{ 192.168.7.7, 198.51.100.7 }"
	echo "== $set"
	at $client python3 ask.py tcp,198.51.100.7,80 tcp,198.51.100.7,8080 \
		udp,198.51.100.7,443 udp,198.51.100.7,53 udp,10.213.1.1,53 \
		udp,198.51.100.53,53 tcp,198.51.100.53,53 tcp,198.51.100.53,80 \
		tcp,10.213.1.1,53 udp,fd76::1,53 tcp,fd76::1,53 \
		tcp,203.0.113.9,80 tcp,10.9.9.9,80 tcp,192.168.7.7,22 \
		tcp,192.168.7.7,80 tcp,10.213.1.1,80 tcp,2001:db8:7::7,80 \
		tcp,2001:db8:7::7,8080 tcp,2001:db8:9::9,80 tcp,fd99::9,80 \
		tcp,192.168.7.9,80 tcp,fd99::8,80 tcp,203.0.113.9,22 \
		udp,10.214.0.53,53 udp,10.214.0.53,80 udp,fd76:6d00:0:2::53,53 \
		udp,fd76:6d00:0:2::53,80 tcp,fd76:6d00:0:2::53,853 \
		tcp,2001:db8:a::5,80 tcp,2001:db8:a::5,22
	at $world python3 ask.py tcp,192.0.2.2,22 tcp,10.213.1.10,80
done
for set in any passt; do
	"$NFT" -f $set.out
	echo "== repeated $set"
	python3 repeat.py $client $world again
done
echo "== reload"
python3 reload.py $client $world "$NFT"
for set in any all; do
	"$NFT" -f $set.out
	echo "== mapped $set"
	python3 repeat.py $client $world mapped
done
"$NFT" -f published.out
echo "== served"
at $world python3 ask.py tcp,192.0.2.2,8081 crowd,192.0.2.2,8082
echo "== crowded"
at $world python3 ask.py tcp,192.0.2.2,8081
at $client python3 ask.py tcp,198.51.100.7,80
"$NFT" -f any.out
echo "== flood"
at $client python3 ask.py tcp,198.51.100.7,443 flood,198.51.100.7,0,10.213.1.10 \
	tcp,198.51.100.7,80,10.213.1.10 tcp,198.51.100.7,80,10.213.1.11
END
echo 'tcp dport 8080 drop
accept' >"$scratch/drop.nft"
echo 'allow-net 192.168.7.0/24 tcp dport 22 # why
allow-net 203.0.113.9/32 tcp dport 22
tcp dport 80 accept' >"$scratch/ssh.nft"
echo 'allow-net 192.168.7.0/24 tcp dport 22
allow-host x.example' >"$scratch/name.nft"
echo 'allow-net 198.51.100.0/24
allow-net 10.0.0.0/8
allow-net fc00::/7
allow-host x.example' >"$scratch/dns.nft"
echo 'allow-net 192.168.0.0/16 tcp dport 80
allow-net 203.0.113.0/24 tcp dport 22
allow-net 2001:db8:a::/64 tcp dport 22
allow-net fd99::/16' >"$scratch/part.nft"
cat "$scratch/part.nft" - >"$scratch/mine.nft" <<END
allow-net 192.168.7.9/32
allow-net 203.0.113.9/32 tcp dport 22
allow-net fd99::8/128 tcp dport 80
END
echo 'tcp dport 22 drop
allow-net 192.168.7.0/24 tcp dport 22' >"$scratch/early.nft"
echo 'allow-net 0.0.0.0/0
allow-net ::/0' >"$scratch/all.nft"
: >"$scratch/none.nft"
for s in web any lan; do cp "$top_srcdir/rulesets/$s.nft" "$scratch/"; done
for s in web any all lan drop ssh name dns part mine early none; do
	"$tool" "$scratch/$s.nft" >"$scratch/$s.out" || echo "# $s"
done
"$tool" "$scratch/any.nft" passt >"$scratch/passt.out"
"$tool" "$scratch/any.nft" publish >"$scratch/published.out"
"$tool" "$scratch/none.nft" publish >"$scratch/published-none.out"
"$tool" "$scratch/web.nft" six >"$scratch/six.out"
for s in web name; do "$tool" "$scratch/$s.nft" nodns >"$scratch/nodns-$s.out"; done
(cd "$scratch" && NFT=$nft timeout 1800 unshare -Urn sh world.sh web any all lan drop ssh name dns part \
	mine early none passt six nodns-web nodns-name) \
	>"$scratch/said" 2>"$scratch/err"
ok $? "all rulesets were tried"
sed 's/^/# /' "$scratch/err"
[ "$failed" = 0 ] || sed 's/^/# /' "$scratch/said"

answer() { # answer RULESET WORD WANT
	got=$(sed -n "/^== $1\$/,/^== /p" "$scratch/said" | sed -n "s/^$2 //p" | head -n 1)
	[ "$got" = "$3" ]
	ok $? "$1: $2 is $3${got:+ (got $got)}"
}
no=ECONNREFUSED
answer web tcp,198.51.100.7,80 ok
answer web udp,198.51.100.7,443 ok
answer web tcp,2001:db8:7::7,80 ok
answer web tcp,198.51.100.7,8080 $no
answer web tcp,2001:db8:7::7,8080 $no
answer web udp,198.51.100.7,53 EHOSTUNREACH
answer web udp,10.213.1.1,53 ok
answer web tcp,10.213.1.1,80 silent
# A client asks both; what leads nowhere fails at once.
answer web udp,fd76::1,53 $no
answer web tcp,fd76::1,53 $no
answer six udp,fd76::1,53 ok
answer six tcp,fd76::1,53 ok
answer six udp,10.213.1.1,53 $no
answer six tcp,10.213.1.1,80 silent
for s in nodns-web nodns-name; do
	for a in udp,10.213.1.1 tcp,10.213.1.1 udp,fd76::1 tcp,fd76::1; do
		answer $s $a,53 $no
	done
done
for s in web any; do
	answer $s tcp,203.0.113.9,80 $no
	answer $s tcp,2001:db8:9::9,80 $no
	answer $s tcp,10.9.9.9,80 $no
	answer $s tcp,fd99::9,80 $no
	answer $s tcp,192.168.7.7,22 $no
done
answer any tcp,198.51.100.7,8080 ok
answer lan tcp,192.168.7.7,22 ok
answer lan tcp,fd99::9,80 ok
answer lan tcp,203.0.113.9,80 $no
# This machine's own addresses, in networks that are open.
for s in all lan part; do
	answer $s tcp,192.168.7.7,80 ok
	answer $s tcp,fd99::9,80 ok
	answer $s tcp,192.168.7.9,80 $no
	answer $s tcp,fd99::8,80 $no
	answer $s tcp,203.0.113.9,22 $no
done
# Who is beside this machine by a public IPv6 address.
for s in web any lan; do answer $s tcp,2001:db8:a::5,80 $no; done
answer all tcp,2001:db8:a::5,80 ok
answer part tcp,2001:db8:a::5,22 ok
answer part tcp,2001:db8:a::5,80 $no
answer mine tcp,192.168.7.9,80 ok
answer mine tcp,fd99::8,80 ok
answer mine tcp,203.0.113.9,22 ok
answer mine tcp,203.0.113.9,80 $no
answer drop tcp,198.51.100.7,8080 silent
answer drop tcp,198.51.100.7,80 ok
answer ssh tcp,192.168.7.7,22 ok
answer ssh tcp,192.168.7.7,80 $no
answer ssh tcp,198.51.100.7,80 ok
answer ssh tcp,10.9.9.9,80 $no
answer ssh tcp,203.0.113.9,80 $no
answer ssh tcp,203.0.113.9,22 ok
answer name tcp,192.168.7.7,22 ok
answer name tcp,192.168.7.7,80 $no
answer name tcp,198.51.100.7,80 ok
answer dns udp,198.51.100.7,53 ok
answer dns udp,198.51.100.53,53 EHOSTUNREACH
answer dns tcp,198.51.100.53,53 $no
answer dns tcp,198.51.100.53,80 ok
# Behind a net VM there is another one.
answer dns udp,10.214.0.53,53 EHOSTUNREACH
answer dns udp,fd76:6d00:0:2::53,53 EACCES
for a in 10.214.0.53 fd76:6d00:0:2::53; do
	answer dns udp,$a,80 ok
	answer lan udp,$a,53 ok
done
answer early tcp,192.168.7.7,22 silent
answer none tcp,198.51.100.7,80 $no
answer passt tcp,198.51.100.7,80 ok
answer passt udp,198.51.100.7,443 ok
# passt would connect the machine itself to who has that address in its network.
answer passt udp,10.213.1.1,53 ok
answer passt tcp,10.213.1.1,53 $no
answer any tcp,10.213.1.1,53 ok
answer name tcp,10.213.1.1,53 $no
answer passt tcp,2001:db8:7::7,80 ok
answer any tcp,192.0.2.2,22 silent
answer served tcp,192.0.2.2,8081 $no
answer served crowd,192.0.2.2,8082 "done"
answer crowded tcp,192.0.2.2,8081 silent
answer crowded tcp,198.51.100.7,80 ok
answer flood tcp,198.51.100.7,443 ok
answer flood flood,198.51.100.7,0,10.213.1.10 "done"
answer flood tcp,198.51.100.7,80,10.213.1.10 $no
answer flood tcp,198.51.100.7,80,10.213.1.11 ok
for f in 4 6; do
	answer "repeated any" syns$f "1 2 3"
	answer "repeated any" rst$f "1 2"
	answer "repeated passt" syns$f 1
	answer "repeated passt" rst$f 1
	answer "repeated passt" others$f "1 1"
	answer "repeated passt" reset$f 1
done
answer "repeated passt" later True
for n in 1 2; do answer "repeated passt" refused$n 111; done
for how in still speaks clients servers; do answer reload $how cut; done
answer reload "error-out any" arrives
answer reload "error-out none" "does not"
for s in any none; do answer reload "error-in $s" arrives; done
for s in published published-none; do
	for e in too-big error-back; do answer reload "$e $s" arrives; done
done
for s in any all; do
	answer "mapped $s" 2001:db8:7::99 1
	for to in ::ffff:198.51.100.99 ::ffff:192.168.7.7 ::198.51.100.99; do
		answer "mapped $s" $to 0
	done
done
for to in ::ffff:0:192.168.7.7 64:ff9b:1::c0a8:707 fec0::1; do
	answer "mapped any" $to 0
	answer "mapped all" $to 1
done

own() { # own WHICH RULESET WHAT WANT...
	which=$1 name=$2 what=$3
	shift 3
	got=$(unshare -Urn sh "$scratch/own.sh" "$tool" "$scratch/$name.nft" "$which")
	[ "$got" = "$*" ]
	ok $? "$what${got:+ ($got)}"
}
cat >"$scratch/own.sh" <<'END'
ip link set lo up
ip link add v0 type veth peer name v1
ip addr add 203.0.113.5/32 dev lo
ip addr add 203.0.113.130/25 dev lo
ip addr add 2001:db8:6::7/128 dev lo
for a in 198.51.100.2/24 192.168.9.1/24 10.9.9.1/24; do ip addr add $a dev v0; done
for a in 2001:db8:5::7/64 2001:db8:5:1::6/127 fd00:9::7/64; do
	ip addr add $a dev v0 nodad
done
[ "$3" = own ] || ip addr add 2001:db8:b::7/47 dev v0 nodad
"$@" | sed 's/ $//'
END
own own any "this machine's addresses, those of lo too" 198.51.100.2 203.0.113.128/25 \
	203.0.113.130 203.0.113.5 2001:db8:5:1::6 2001:db8:5:: 2001:db8:5::7 2001:db8:6::7
own own part "and private ones in what is open" 192.168.9.1 198.51.100.2 \
	203.0.113.128/25 203.0.113.130 203.0.113.5 2001:db8:5:1::6 2001:db8:5:: \
	2001:db8:5::7 2001:db8:6::7
own links any "networks of public IPv6 addresses, not of few or of all" 2001:db8:5::/64
plan_done
