/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks: addresses, routes of this machine, the log, the socket. */
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "host/net/hostnet.h"
#include "host/net/netaddr.h"
#include "host/net/netlog.h"
#include "host/net/netproto.h"
#include "host/net/passt.h"
#include "host/net/resolvconf.h"
#include "tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_routes(void)
{
	static const char head[] =
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask"
		"\t\tMTU\tWindow\tIRTT\n";
	char text[1024];

	tap_ok(!hostnet_has_default4("") && !hostnet_has_default4(head),
	       "no route is no default route");
	snprintf(text, sizeof(text),
		 "%sv0\t006433C6\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
		 head);
	tap_ok(!hostnet_has_default4(text), "nor is one to a network");
	snprintf(text, sizeof(text),
		 "%sv0\t00000000\t016433C6\t0203\t0\t0\t0\t00000000\t0\t0\t0\n",
		 head);
	tap_ok(!hostnet_has_default4(text), "nor one that rejects");
	snprintf(text, sizeof(text),
		 "%sv0\t00000000\t016433C6\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
		 head);
	tap_ok(hostnet_has_default4(text), "this is one");
	tap_ok(!hostnet_has_default6("00000000000000000000000000000000 00 "
				     "00000000000000000000000000000000 00 "
				     "00000000000000000000000000000000 "
				     "ffffffff 00000001 00000000 00200200 "
				     "lo\n"),
	       "IPv6: the kernel's own, which rejects, is none");
	tap_ok(hostnet_has_default6("fe800000000000000000000000000000 40 "
				    "00000000000000000000000000000000 00 "
				    "00000000000000000000000000000000 "
				    "00000100 00000001 00000000 00000001 v0\n"
				    "00000000000000000000000000000000 00 "
				    "00000000000000000000000000000000 00 "
				    "20010db8000000000000000000000001 "
				    "00000400 00000001 00000000 00000003 "
				    "v0\n"),
	       "IPv6: this is one");
}

static bool names(const char *text, const char *want)
{
	struct err e = ERR_INIT;
	char **all = NULL, got[256] = "";

	if (resolvconf_parse(text, &all, &e) < 0)
		return false;
	for (char **s = all; s && *s; s++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ",
			 *s);
	strv_free(all);
	return !strcmp(got, want);
}

static bool has_resolver(const char *text, int family)
{
	struct err e = ERR_INIT;
	struct hostnet h = {.has4 = true};
	bool has;

	if (resolvconf_parse(text, &h.resolvers, &e) < 0)
		abort();
	has = hostnet_has_resolver(&h, family);
	hostnet_free(&h);
	return has;
}

static void test_resolvers(void)
{
	static const char both[] = "nameserver 127.0.0.53\nnameserver ::1\n";

	tap_ok(has_resolver(both, AF_INET) && has_resolver(both, AF_INET6),
	       "a resolver of each family");
	tap_ok(!has_resolver("nameserver 2001:db8::53\n", AF_INET) &&
		       !has_resolver("nameserver 192.0.2.53\n", AF_INET6),
	       "one is not of the other family");
	tap_ok(!has_resolver("", AF_INET) && !has_resolver("", AF_INET6) &&
		       !has_resolver("nameserver name\n", AF_INET) &&
		       !has_resolver("nameserver fe80::1%eth0\n", AF_INET6),
	       "nor is a word, or one that is on a link alone");
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (write(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
}

/* What happened is there to read at once. */
static bool notices(int fd, const char *path)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	bool yes = poll(&p, 1, 0) == 1;

	resolvconf_seen(fd, path);
	return yes && poll(&p, 1, 0) == 0;
}

static void test_resolvconf(const char *folder)
{
	char a[128], b[128], c[128];
	struct err e = ERR_INIT;
	char **all = NULL;
	int fd;

	tap_ok(names("", "") && names("# nameserver 192.0.2.1\n", "") &&
		       names("nameservers 192.0.2.1\nnameserver\n"
			     "192.0.2.1\n nameserver 192.0.2.1\n",
			     ""),
	       "resolv.conf: what is no line of that kind");
	tap_ok(names("search x\nnameserver 192.0.2.1\nnameserver\t::1 # x",
		     "192.0.2.1 ::1 "),
	       "resolv.conf: the addresses in their order");
	snprintf(a, sizeof(a), "%s/a", folder);
	snprintf(b, sizeof(b), "%s/b", folder);
	snprintf(c, sizeof(c), "%s/sub", folder);
	tap_ok(resolvconf_read(a, &all, &e) == 0 && !all,
	       "a file that is not there names nobody");
	fd = resolvconf_watch(a, &e);
	write_file(a, "nameserver 192.0.2.1\n");
	tap_ok(notices(fd, a), "it is made: noticed");
	write_file(a, "nameserver 192.0.2.2\n");
	tap_ok(notices(fd, a), "it is written: noticed");
	write_file(b, "nameserver 192.0.2.3\n");
	rename(b, a);
	tap_ok(notices(fd, a), "another takes its place: noticed");
	mkdir(c, 0700);
	snprintf(b, sizeof(b), "%s/sub/real", folder);
	write_file(b, "nameserver 192.0.2.4\n");
	unlink(a);
	if (symlink("sub/real", a) < 0)
		abort();
	tap_ok(notices(fd, a), "it is a symbolic link now: noticed");
	write_file(b, "nameserver 192.0.2.5\n");
	tap_ok(notices(fd, a), "what it leads to is written: noticed");
	unlink(b);
	tap_ok(notices(fd, a), "or removed: noticed");
	close(fd);
	unlink(a);
	rmdir(c);
}

static void test_addresses(enum net_level level, unsigned char number)
{
	const unsigned char mac[] = {2, 0x76, 0x6d, 0, number, 61};
	const unsigned char local[] = {0xfe, 0x80, 0,	   0,	 0,    0,
				       0,    0,	   0,	   0x76, 0x6d, 0xff,
				       0xfe, 0,	   number, 61};
	const struct net_segment *seg = netaddr_segment(level);
	char text[INET6_ADDRSTRLEN];
	struct switch_record r;
	struct nic n;
	bool all = true;

	for (unsigned h = NET_HOST_FIRST; h <= NET_HOST_LAST; h++) {
		netaddr_port(level, h, &r);
		all = all && switch_is_command(&r, sizeof(r)) &&
		      r.port < SWITCH_PORTS_MAX;
	}
	tap_ok(all, "every client's port is one that the switch takes");
	netaddr_client(level, 61, &n);
	tap_ok(!memcmp(n.mac, mac, 6) && !memcmp(r.mac, mac, 6) &&
		       !memcmp(r.ip4, n.addrs[0].ip, 4) &&
		       !memcmp(r.ip6[0], n.addrs[1].ip, 16),
	       "card and port have the same addresses");
	tap_ok(!memcmp(r.ip6[1], local, 16),
	       "and the one that the card gives itself");
	inet_ntop(AF_INET, n.gateways[0].ip, text, sizeof(text));
	tap_str(text, seg->gateway4, "the gateway is the segment's");
	inet_ntop(AF_INET6, n.gateways[1].ip, text, sizeof(text));
	tap_str(text, seg->gateway6, "the one for IPv6 too");
	netaddr_uplink(level, &r);
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", r.mac[0],
		 r.mac[1], r.mac[2], r.mac[3], r.mac[4], r.mac[5]);
	tap_ok(switch_is_command(&r, sizeof(r)) && r.role == SWITCH_UPLINK &&
		       r.port < NET_HOST_FIRST,
	       "so is the port that leads out");
	tap_str(text, seg->gateway_mac, "with its MAC");
}

/* The whole of a file in dir, terminated. */
static const char *content(int dir, const char *name)
{
	static char text[2 * NETLOG_MAX];
	own_fd fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void test_log(int dir)
{
	static const char first[] = "one\ntw", second[] = "o \033[31mred\nlast";
	struct netlog_source s = {.who = "vm"};
	int keep = dup(STDERR_FILENO), p[2];
	struct err e = ERR_INIT;
	struct netlog l;
	struct stat st;

	tap_ok(netlog_open(&l, dir, &e) == 0, "a log");
	tap_ok(pipe2(p, O_CLOEXEC | O_NONBLOCK) == 0 &&
		       write(p[1], first, strlen(first)) > 0 &&
		       netlog_take(&l, &s, p[0]) == 0 &&
		       write(p[1], second, strlen(second)) > 0 &&
		       netlog_take(&l, &s, p[0]) == 0 && !close(p[1]) &&
		       netlog_take(&l, &s, p[0]) < 0,
	       "pieces of lines, and the end");
	tap_ok(strstr(content(dir, "log"), " vm: one\n") &&
		       strstr(content(dir, "log"), " vm: last\n"),
	       "are whole lines in it");
	tap_ok(strstr(content(dir, "log"), " vm: two \\x1b[31mred\n") != NULL,
	       "escaped");
	tap_str(s.last, "last", "the last one is known");
	for (int i = 0; i < 10000; i++)
		netlog_say(&l, "vm", "line %d", i);
	tap_ok(!strstr(content(dir, "log"), "line 9999"),
	       "too many in a second are not kept");
	l.size = NETLOG_MAX + 1;
	l.second = 0;
	netlog_say(&l, "vm", "in another file");
	tap_ok(strstr(content(dir, "log"), "in another file") &&
		       strstr(content(dir, "log"),
			      "more lines were not kept") &&
		       strstr(content(dir, "log.1"), " vm: one\n") &&
		       fstatat(dir, "log", &st, 0) == 0 && st.st_size < 4096,
	       "a full file gives way to another one");
	dup2(keep, STDERR_FILENO);
	close(keep);
	close(p[0]);
	netlog_close(&l);
}

static void test_socket(int dir)
{
	struct net_record r = {.version = NET_VERSION, .kind = NET_SHOW};
	struct err e = ERR_INIT;
	int listener, one, fd = -1, lock, pair[2];

	tap_ok(net_connect(dir, true) < 0, "nobody is there");
	listener = net_listen(dir, &e);
	one = net_connect(dir, true);
	tap_ok(listener >= 0 && one >= 0, "somebody is there");
	close(listener);
	close(one);
	tap_ok(net_connect(dir, true) < 0, "nobody is there any more");
	listener = net_listen(dir, &e);
	tap_ok(listener >= 0, "the name that is left over is in nobody's way");
	close(listener);
	lock = net_lock(dir, &e);
	tap_ok(lock >= 0 && net_try_lock(dir) < 0, "the lock is one man's");
	close(lock);
	lock = net_try_lock(dir);
	tap_ok(lock >= 0, "and then another's");
	close(lock);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	memset(r.text, 'x', sizeof(r.text));
	tap_ok(net_send(pair[0], &r, pair[0]) == 0 &&
		       net_recv(pair[1], &r, &fd, &e) == 1 && fd >= 0 &&
		       strlen(r.text) == NET_TEXT_MAX - 1,
	       "a record, a descriptor; text has an end");
	close(fd);
	r.version++;
	tap_ok(net_send(pair[0], &r, pair[0]) == 0 &&
		       net_recv(pair[1], &r, &fd, &e) < 0 && fd == -1,
	       "another version's is refused");
	tap_ok(send(pair[0], &r, 10, 0) == 10 &&
		       net_recv(pair[1], &r, &fd, &e) < 0,
	       "so is a short one");
	close(pair[0]);
	tap_ok(net_recv(pair[1], &r, &fd, &e) == 0, "the end");
	close(pair[1]);
}

/* Which resolvers' addresses passt leads anywhere: 4, 6, or both as 46. */
static int forwards(bool has4, bool has6, char **resolvers)
{
	const struct hostnet host = {
		.has4 = has4, .has6 = has6, .resolvers = resolvers};
	const struct passt_spec s = {.alias = "a", .host = &host};
	struct err e = ERR_INIT;
	char **argv = NULL;
	int found = 0;

	if (passt_argv(&argv, &s, &e) < 0)
		return -1;
	for (char **w = argv; *w; w++)
		if (!strcmp(*w, "--dns-forward"))
			found = found * 10 + (strchr(w[1], ':') ? 6 : 4);
	strv_free(argv);
	return found;
}

static void test_forward(void)
{
	char ip4[] = "192.0.2.53", ip6[] = "2001:db8::53";
	char *none[] = {NULL}, *one4[] = {ip4, NULL}, *one6[] = {ip6, NULL};
	char *both[] = {ip6, ip4, NULL};

	tap_ok(forwards(true, true, none) == 0 &&
		       forwards(true, true, NULL) == 0,
	       "without a resolver passt leads DNS nowhere");
	tap_ok(forwards(true, true, one4) == 4 &&
		       forwards(true, true, one6) == 6,
	       "nor that of the family that has none");
	tap_ok(forwards(true, true, both) == 46, "else to both");
	tap_ok(forwards(true, false, both) == 4 &&
		       forwards(false, true, both) == 6 &&
		       forwards(true, false, one6) == 0,
	       "nor where no route is");
}

int main(void)
{
	static const char *const files[] = {"log", "log.1", "ctl", "lock"};
	char path[] = "/tmp/network-test-XXXXXX";
	struct err e = ERR_INIT;
	char net[64];
	int dir;

	test_routes();
	test_addresses(NET_OF_FIREWALL, 0);
	test_addresses(NET_OF_NET_VM, 2);
	if (!mkdtemp(path))
		abort();
	tap_ok(net_find(path, "web") < 0, "no folder before one is made");
	dir = net_dir(path, "web", &e);
	tap_ok(dir >= 0, "a folder");
	test_resolvers();
	test_resolvconf(path);
	test_log(dir);
	test_socket(dir);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		unlinkat(dir, files[i], 0);
	close(dir);
	snprintf(net, sizeof(net), "%s/net-web", path);
	rmdir(net);
	tap_ok(rmdir(path) == 0, "nothing else is left there");
	test_forward();
	return tap_done();
}
