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
                        (socket.AF_INET, "198.51.100.53", UDP)):
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
    s.settimeout(1)
    if source:
        s.bind((source[0], 0))
    try:
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
	10.9.9.9/32 192.168.7.7/32; do at $world ip addr add $a dev w0; done
for a in 2001:db8:2::1/64 2001:db8:7::7/128 2001:db8:9::9/128 fd99::9/128; do
	at $world ip addr add $a dev w0 nodad
done
at $world ip link set w0 up
mkfifo up
nsenter -t $world -n python3 servers.py >up & servers=$!
trap 'kill $client $world $servers' EXIT
read -r _ <up
for set in "$@"; do
	"$NFT" -f "$set.out"
	echo "== $set"
	at $client python3 ask.py tcp,198.51.100.7,80 tcp,198.51.100.7,8080 \
		udp,198.51.100.7,443 udp,198.51.100.7,53 udp,10.213.1.1,53 \
		tcp,203.0.113.9,80 tcp,10.9.9.9,80 tcp,192.168.7.7,22 \
		tcp,192.168.7.7,80 tcp,10.213.1.1,80 tcp,2001:db8:7::7,80 \
		tcp,2001:db8:7::7,8080 tcp,2001:db8:9::9,80 tcp,fd99::9,80
	at $world python3 ask.py tcp,192.0.2.2,22 tcp,10.213.1.10,80
done
"$NFT" -f any.out
echo "== flood"
at $client python3 ask.py tcp,198.51.100.7,443 flood,198.51.100.7,0,10.213.1.10 \
	tcp,198.51.100.7,80,10.213.1.10 tcp,198.51.100.7,80,10.213.1.11
END
echo 'tcp dport 8080 drop
accept' >"$scratch/drop.nft"
echo 'allow-net 192.168.7.0/24 tcp dport 22' >"$scratch/ssh.nft"
: >"$scratch/none.nft"
for s in web any lan; do cp "$top_srcdir/rulesets/$s.nft" "$scratch/"; done
for s in web any lan drop ssh none; do
	"$tool" "$scratch/$s.nft" >"$scratch/$s.out" || echo "# $s"
done
(cd "$scratch" && NFT=$nft timeout 120 unshare -Urn sh world.sh web any lan drop ssh none) \
	>"$scratch/said" 2>"$scratch/err"
ok $? "six rulesets were tried"
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
answer drop tcp,198.51.100.7,8080 silent
answer drop tcp,198.51.100.7,80 ok
answer ssh tcp,192.168.7.7,22 ok
answer ssh tcp,192.168.7.7,80 $no
answer ssh tcp,198.51.100.7,80 $no
answer none tcp,198.51.100.7,80 $no
answer any tcp,192.0.2.2,22 silent
answer flood tcp,198.51.100.7,443 ok
answer flood flood,198.51.100.7,0,10.213.1.10 "done"
answer flood tcp,198.51.100.7,80,10.213.1.10 $no
answer flood tcp,198.51.100.7,80,10.213.1.11 ok
plan_done
