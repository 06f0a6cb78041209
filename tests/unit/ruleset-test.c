/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rulesets: what is refused, by line; what nft says of the rest. */
#include "base/buf.h"
#include "base/err.h"
#include "host/net/ruleset.h"
#include "rmtree.h"
#include "tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/ruleset-test-XXXXXX";
static char path[64];
static const char *folders[] = {dir, NULL};
static struct ruleset r;
static struct err e;

static int read_text(const char *text)
{
	FILE *f = fopen(path, "we");

	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
	e = (struct err)ERR_INIT;
	return ruleset_read(&r, path, folders, &e);
}

/* The message is `PATH:LINE: want...`. */
static void refused(const char *text, int line, const char *want)
{
	char start[256];

	snprintf(start, sizeof(start), "%s:%d: %s", path, line, want);
	tap_ok(read_text(text) < 0 && !strncmp(e.msg, start, strlen(start)),
	       "refused: %s", want);
	if (strncmp(e.msg, start, strlen(start)))
		printf("# got:  %s\n# want: %s\n", e.msg, start);
	ruleset_free(&r);
}

static void test_refused(void)
{
	const char *place = "this does not belong here";
	const char *one = "behind allow-net or allow-host is one match";

	refused("accept\n}\nchain x {\n", 2, "\"}\" without \"{\"");
	refused("# }\naccept \"}\" }", 2, "\"}\" without \"{\"");
	refused("tcp dport {\n80,\n", 1, "\"{\" without \"}\"");
	refused("accept\nchain x { }\n", 2, place);
	refused("accept; flush ruleset", 1, place);
	refused("\n\ninclude \"/etc/passwd\"", 3, place);
	refused("policy accept", 1, place);
	refused("table inet vmrun { }", 1, place);
	refused("log prefix \"x", 1, "the string has no end");
	refused("accept\r\n", 1, "a control character");
	refused("accept\nallow-host", 2, "allow-host wants");
	refused("allow-host *.org tcp dport 1", 1, "allow-host wants");
	refused("allow-host A.org", 1, "allow-host wants");
	refused("allow-host a.org. accept", 1, "allow-host wants");
	refused("allow-host a..org", 1, "allow-host wants");
	refused("allow-host a.org }", 1, "\"}\" without");
	refused("allow-host a.org; flush ruleset", 1, "allow-host wants");
	refused("allow-host a.org accept; flush ruleset", 1, place);
	refused("allow-net 10.0.0.0/8 }", 1, "\"}\" without");
	refused("allow-net 10.0.0.0", 1, "allow-net wants");
	refused("allow-net 10.0.0.0/33", 1, "allow-net wants");
	refused("allow-net host/8", 1, "allow-net wants");
	refused("allow-net 10.0.0.0/8 tcp dport 1; tcp dport 2", 1, one);
	refused("allow-host a.org tcp dport 1;", 1, one);
	refused("allow-net 10.0.0.0/8 tcp dport {\n1 }", 1, one);
	refused("accept\nrefuse-list", 2, "refuse-list wants");
	refused("refuse-list ../doh", 1, "refuse-list wants");
	refused("refuse-list doh accept", 1, "refuse-list wants");
	refused("refuse-list nosuch", 1, "there is no list \"nosuch\"");
}

static void nft_says(const char *text, int line, const char *want)
{
	char start[256];

	snprintf(start, sizeof(start), "%s:%d: %s", path, line, want);
	tap_ok(read_text(text) == 0 && ruleset_check(&r, &e) < 0 &&
		       !strncmp(e.msg, start, strlen(start)),
	       "nft refuses line %d: %s", line, want);
	if (strncmp(e.msg, start, strlen(start)))
		printf("# got:  %s\n# want: %s\n", e.msg, start);
	ruleset_free(&r);
}

static void nft_takes(const char *text, const char *what)
{
	tap_ok(read_text(text) == 0 && ruleset_check(&r, &e) == 0,
	       "nft takes %s", what);
	if (e.msg[0])
		printf("# %s\n", e.msg);
	ruleset_free(&r);
}

static void test_nft(void)
{
	nft_says("accept\ntcp dport 99999 accept\n", 2, "");
	nft_says("\n# x\n\nudp sport nonsense accept", 4, "");
	nft_says("allow-net fc00::/7\n\njump nowhere\n", 3, "");
	nft_says("allow-net 10.0.0.0/8 tcp dport foo\n", 1, "");
	nft_says("accept\nallow-net fc00::/7 tcp dport foo # bar\n", 2, "");
	nft_says("allow-net fc00::/7 tcp dport 1 drop\n", 1, "");
	nft_says("allow-host a.org\n\nallow-host b.org tcp dport foo\n", 3, "");
	nft_takes("allow-host a.org tcp dport 443\nallow-host .b-1_c.org\n"
		  "allow-host a.org udp dport 443 # QUIC\n",
		  "names, with and without a rule");
	nft_takes("", "an empty file");
	nft_takes("# a comment without an end of line", "a comment");
	nft_takes("allow-net 192.168.0.0/16 tcp dport 22\n"
		  "allow-net 192.168.1.0/24\nallow-net fc00::/7\n",
		  "networks that overlap");
	nft_takes("tcp dport {\n80, # web\n443 } accept; accept\n",
		  "a set on several lines");
}

/* Its body, whose place in the whole is what errors are found by. */
static const char body_want[] = "# first\n"
				"ip daddr 10.0.0.0/8 tcp dport 443  accept\n"
				"ip6 daddr fc00::/7  accept\n"
				"tcp dport 1 accept\n\t}\n\tchain deny {";

static void test_body(void)
{
	static const struct ruleset_net net = {.inner = "a",
					       .outer = "b",
					       .clients4 = "c",
					       .clients6 = "d",
					       .gateway4 = "e",
					       .gateway6 = "f"};
	const char *at;
	size_t first, lines = 1;
	struct buf b;

	if (read_text("# first\nallow-net 10.0.0.0/8 tcp dport 443 # why\n"
		      "allow-net fc00::/7\ntcp dport 1 accept") < 0)
		abort();
	buf_init(&b, RULESET_INPUT_MAX);
	ruleset_compose(&r, &net, &b, &first);
	buf_put_u8(&b, 0);
	at = strstr((char *)b.data, "# first");
	for (const char *p = (char *)b.data; at && p < at; p++)
		lines += *p == '\n';
	tap_ok(at && lines == first, "the body begins where it is said to");
	tap_ok(at && !strncmp(at, body_want, strlen(body_want)),
	       "each line of the file is one line");
	buf_free(&b);
	ruleset_free(&r);
}

static const char *resolver4 = "192.0.2.53", *resolver6;

/* The text for a ruleset, with a NUL; the caller's to free. */
static char *compose(const char *rules, size_t n_publish)
{
	static const struct ruleset_publish publish[] = {
		{RULESET_TCP, 8080, "10.213.1.2", 80},
		{RULESET_UDP, 53, "fd00::2", 5353}};
	static const struct ruleset_net net = {.inner = "a",
					       .outer = "b",
					       .clients4 = "c",
					       .clients6 = "d",
					       .gateway4 = "e",
					       .gateway6 = "f",
					       .publish = publish};
	struct ruleset_net n = net;
	size_t first;
	struct buf b;
	char *text;

	n.resolver4 = resolver4;
	n.resolver6 = resolver6;
	n.n_publish = n_publish;
	if (read_text(rules) < 0)
		abort();
	buf_init(&b, RULESET_INPUT_MAX);
	ruleset_compose(&r, &n, &b, &first);
	buf_put_u8(&b, 0);
	text = b.bad ? NULL : strdup((char *)b.data);
	buf_free(&b);
	ruleset_free(&r);
	if (!text)
		abort();
	return text;
}

static bool has(const char *rules, size_t n_publish, const char *want)
{
	char *text = compose(rules, n_publish);
	bool found = strstr(text, want) != NULL;

	free(text);
	return found;
}

static bool is_same(const char *one, const char *two)
{
	char *a = compose(one, 0), *b = compose(two, 0);
	size_t n = strcspn(a, "\n");
	bool same = n == strcspn(b, "\n") && !strncmp(a, b, n);

	free(a);
	free(b);
	return same;
}

#define CLOSED_DNS "meta l4proto { tcp, udp } th dport { 53, 853 } goto deny\n"

static void test_names(void)
{
	static const char named[] = "allow-host a.org\nallow-net 10.0.0.0/8";
	static const char start[] = "#@ resolver 192.0.2.53\n#@ name a.org\n"
				    "#@ name .b.org\ndefine ";
	char *text = compose("allow-host a.org\n#@ name c.org\n"
			     "allow-host .b.org\nallow-host a.org udp dport 1",
			     0);

	tap_ok(!strncmp(text, start, strlen(start)),
	       "names are told first, each once, and nothing of the file");
	tap_ok(strstr(text, "ip daddr @h4_a.org udp dport 1 accept; "
			    "ip6 daddr @h6_a.org udp dport 1 accept\n") != NULL,
	       "a name's line allows what is in its sets");
	tap_ok(!strstr(text, "dnat") &&
		       strstr(text, "iifname $inner udp dport 53 accept"),
	       "with names DNS goes to the firewall and no further");
	free(text);
	tap_ok(has(named, 0, "ip daddr 192.0.2.53 " CLOSED_DNS) &&
		       has(named, 0, "ip daddr 10.215.1.1 " CLOSED_DNS) &&
		       has(named, 0,
			   "ip6 daddr fd76:6d00:0:3::1 " CLOSED_DNS) &&
		       has(named, 0, "ip daddr 10.214.0.53 " CLOSED_DNS) &&
		       has(named, 0, "ip6 daddr fd76:6d00:0:2::53 " CLOSED_DNS),
	       "nor by themselves to any that is on the way out");
	tap_ok(has("accept", 0, "dnat ip to 192.0.2.53\n") &&
		       has("accept", 0, "ct status dnat ip daddr 192.0.2.53"),
	       "without names it goes to the resolver");
}

#define REFUSED4 "ip daddr $gateway4 udp dport 53 reject with"
#define REFUSED6 "ip6 daddr $gateway6 udp dport 53 reject with"
#define NAMED "allow-host a.org"

static void test_resolvers(void)
{
	static const char asks6[] = "oifname $outer ip6 daddr fd00::53 "
				    "udp dport 53 accept\n";

	tap_ok(!has("accept", 0, REFUSED4) && has("accept", 0, REFUSED6) &&
		       !has("accept", 0, "dnat ip6"),
	       "a resolver of IPv4 alone: by IPv6 DNS is refused");
	resolver6 = "fd00::53";
	tap_ok(has(NAMED, 0,
		   "#@ resolver 192.0.2.53\n#@ resolver fd00::53\n#@ name") &&
		       !has(NAMED, 0, REFUSED4) && !has(NAMED, 0, REFUSED6),
	       "both: names are asked of both");
	tap_ok(has("accept", 0, "dnat ip to 192.0.2.53\n") &&
		       has("accept", 0, "dnat ip6 to fd00::53\n") &&
		       has("accept", 0, "ct status dnat ip6 daddr fd00::53") &&
		       !has("accept", 0, REFUSED4) &&
		       !has("accept", 0, REFUSED6),
	       "and DNS as a whole goes to both");
	resolver4 = NULL;
	tap_ok(has("accept", 0, REFUSED4) && !has("accept", 0, REFUSED6) &&
		       !has("accept", 0, "dnat ip to"),
	       "one of IPv6 alone: by IPv4 DNS is refused");
	tap_ok(has(NAMED, 0, asks6) && !has(NAMED, 0, REFUSED4) &&
		       has(NAMED, 0, "#@ resolver fd00::53\n#@ name a.org\n"),
	       "but names are asked for by either");
	resolver6 = NULL;
	tap_ok(has("accept", 0, REFUSED4) && has("accept", 0, REFUSED6) &&
		       !has("accept", 0, "dnat") && has(NAMED, 0, REFUSED4) &&
		       has(NAMED, 0, REFUSED6) && !has(NAMED, 0, "#@ "),
	       "without a resolver DNS is refused");
	resolver4 = "192.0.2.53";
}

/* What is asked first decides; sys/ruleset.sh has the packets. */
static void test_closed(void)
{
	static const char opened[] =
		"\t\tip6 daddr @host6 goto deny\n"
		"\t\tip daddr 10.1.0.0/16 tcp dport 22  return\n"
		"\t\tip6 daddr fc00::/7 udp dport 1 return\n"
		"\t\tip daddr != @open4 ip daddr @private4 goto deny\n";
	static const char alone[] =
		"\tchain closed {\n"
		"\t\tip daddr 10.3.0.1/32  return\n"
		"\t\tip6 daddr fd00::1/128 tcp dport 1 return\n"
		"\t\tip daddr @host4 goto deny\n"
		"\t\tip6 daddr @host6 goto deny\n"
		"\t\tip daddr 10.1.0.0/16";
	char *text = compose("allow-net 10.1.0.0/16 tcp dport 22 # why\n"
			     "allow-net 10.2.0.0/16 # tcp dport 22\n"
			     "allow-net fc00::/7 udp dport 1\n",
			     0);

	tap_ok(strstr(text, opened) != NULL,
	       "a network with a match is open for what matches");
	tap_ok(strstr(text, "elements = { 10.2.0.0/16 }") &&
		       !strstr(text, "elements = { fc00::/7 }"),
	       "and one without for all that is allowed");
	free(text);
	tap_ok(has("allow-net 10.1.0.0/16 tcp dport 22\n"
		   "allow-net 10.3.0.1/32\n"
		   "allow-net fd00::1/128 tcp dport 1\n",
		   0, alone),
	       "one address of this machine's, if it is named");
	tap_ok(has("allow-net ::/0", 0,
		   "ip6 daddr ::/80 goto deny\n\t\tjump closed\n"),
	       "IPv4 addresses by IPv6 are closed whatever is open");
}

static bool is_private(const char *text)
{
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	unsigned char ip[16];

	if (inet_pton(family, text, ip) != 1)
		abort();
	return ruleset_is_private(family, ip);
}

static void test_private(void)
{
	static const char *const yes[] = {
		"10.255.255.255", "172.31.0.1", "192.168.1.1", "169.254.9.9",
		"100.127.0.1",	  "255.1.2.3",	"::1",	       "fe80::1",
		"febf::1",	  "fd00::1",	"fec0::1"};
	static const char *const no[] = {
		"11.0.0.0",  "172.32.0.1",  "192.169.1.1", "100.128.0.1",
		"192.0.1.0", "2001:db8::1", "fbff::1",	   "64:ff9c::1"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		tap_ok(is_private(yes[i]), "an address that is private: %s",
		       yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		tap_ok(!is_private(no[i]), "an address that is public: %s",
		       no[i]);
}

static void test_publish(void)
{
	tap_ok(has("", 2,
		   "iifname $outer tcp dport 8080 "
		   "dnat ip to 10.213.1.2:80\n") &&
		       has("", 2,
			   "ct status dnat ip daddr 10.213.1.2 "
			   "tcp dport 80 accept\n"),
	       "a published port");
	tap_ok(has("", 2,
		   "iifname $outer udp dport 53 "
		   "dnat ip6 to [fd00::2]:5353\n") &&
		       has("", 2,
			   "ct status dnat ip6 daddr fd00::2 "
			   "udp dport 5353 accept\n"),
	       "one of a client's IPv6 address");
	tap_ok(!has("", 0, "oifname $inner"),
	       "nothing goes to clients without one");
}

static void test_generation(void)
{
	tap_ok(is_same("accept\n", "accept\n"),
	       "the same rules have the same number");
	tap_ok(!is_same("tcp dport 80 accept\n", "tcp dport 81 accept\n"),
	       "others have another");
}

static void test_shipped(void)
{
	static const char *const names[] = {"web", "mail", "lan", "any"};
	const char *top = getenv("top_srcdir");
	char file[4096];

	for (size_t i = 0; i < 4; i++) {
		snprintf(file, sizeof(file), "%s/rulesets/%s.nft",
			 top ? top : ".", names[i]);
		e = (struct err)ERR_INIT;
		tap_ok(ruleset_read(&r, file, folders, &e) == 0 &&
			       ruleset_check(&r, &e) == 0,
		       "nft takes %s.nft", names[i]);
		if (e.msg[0])
			printf("# %s\n", e.msg);
		ruleset_free(&r);
	}
}

static void put_list(const char *text)
{
	char file[128];
	FILE *f;

	snprintf(file, sizeof(file), "%s/net", dir);
	mkdir(file, 0700);
	snprintf(file, sizeof(file), "%s/net/some.list", dir);
	f = fopen(file, "we");
	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

static void bad_list(const char *text, int line, const char *want)
{
	char start[256];

	put_list(text);
	snprintf(start, sizeof(start), "%s:2: %s/net/some.list:%d: %s", path,
		 dir, line, want);
	if (!tap_ok(read_text("accept\nrefuse-list some\n") < 0 &&
			    !strcmp(e.msg, start),
		    "a list, refused: %s", want))
		printf("# got:  %s\n# want: %s\n", e.msg, start);
	ruleset_free(&r);
}

static void test_refuse(void)
{
	const char *none = "that is no address and no network";
	char file[128], *text;

	bad_list("192.0.2.1\n192.0.2\n", 2, none);
	bad_list("example.org", 1, none);
	bad_list("\n192.0.2.1/33", 2, none);
	bad_list("192.0.2.1 192.0.2.2\n", 1, none);
	bad_list("192.0.2.1 }\n", 1, none);
	put_list("# none\n\n 192.0.2.1 # one\n192.0.2.0/24\n2001:db8::7\t\n"
		 "2001:db8:1::/48");
	text = compose("accept\nrefuse-list some # why\n", 0);
	tap_ok(strstr(text, "set refused4") &&
		       strstr(text, "{ 192.0.2.1/32, 192.0.2.0/24 }") &&
		       strstr(text, "{ 2001:db8::7/128, 2001:db8:1::/48 }"),
	       "a list's addresses");
	tap_ok(!!strstr(text, "ip6 daddr @refused6 goto deny\n\t\tjump allow"),
	       "are asked for before what is allowed");
	free(text);
	nft_takes("refuse-list some\nrefuse-list some\naccept\n",
		  "lists that overlap");
	snprintf(file, sizeof(file), "%s/net/some.list", dir);
	unlink(file);
}

/* The list that is installed, where a person's own ruleset finds it. */
static void test_doh(void)
{
	const char *top = getenv("top_srcdir");
	char *above = realpath(top ? top : ".", NULL);
	char from[4096], to[128];

	if (!above)
		abort();
	snprintf(from, sizeof(from), "%s/rulesets/doh.list", above);
	snprintf(to, sizeof(to), "%s/net/doh.list", dir);
	if (symlink(from, to) < 0)
		abort();
	free(above);
	nft_takes("refuse-list doh\naccept\n", "doh.list");
	unlink(to);
	snprintf(to, sizeof(to), "%s/net", dir);
	rmdir(to);
}

static void put_file(const char *name)
{
	char file[128];
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s", dir, name);
	f = fopen(file, "we");
	if (!f || fputs("accept\n", f) < 0 || fclose(f))
		abort();
}

/* A link that leads to nothing, and what is said of it: no other folder's file
 * goes for it. */
static void dangling(const char *link, const char *name,
		     const char *const *dirs)
{
	char at[128], want[256];

	snprintf(at, sizeof(at), "%s/%s", dir, link);
	snprintf(want, sizeof(want), "%s leads to nothing",
		 strstr(link, ".nft") ? "the link" : at);
	if (symlink("/nowhere/web", at) < 0)
		abort();
	e = (struct err)ERR_INIT;
	tap_ok(ruleset_find(&r, name, dirs, &e) < 0 && strstr(e.msg, want) &&
		       !strncmp(e.msg, at, strlen(at)) && e.hint[0],
	       "a dangling %s is an error", link);
	ruleset_free(&r);
	unlink(at);
}

static void test_dangling(void)
{
	char a[64], b[64], at[128], want[256];
	const char *dirs[] = {a, b, NULL}, *lists[] = {a, dir, NULL};

	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(b, sizeof(b), "%s/b", dir);
	snprintf(at, sizeof(at), "%s/net", b);
	if (mkdir(b, 0700) < 0 || mkdir(at, 0700) < 0)
		abort();
	put_file("b/net/web.nft");
	dangling("a", "web", dirs);
	mkdir(a, 0700);
	dangling("a/net", "web", dirs);
	snprintf(at, sizeof(at), "%s/net", a);
	mkdir(at, 0700);
	dangling("a/net/web.nft", "web", dirs);
	tap_ok(ruleset_find(&r, "web", dirs, &e) == 0,
	       "without it there is one");
	ruleset_free(&r);
	snprintf(at, sizeof(at), "%s/a/net/some.list", dir);
	if (symlink("/nowhere/some", at) < 0)
		abort();
	put_list("192.0.2.1\n");
	snprintf(want, sizeof(want), "%s:2: %s: the link leads to nothing",
		 path, at);
	read_text("accept\nrefuse-list some\n");
	ruleset_free(&r);
	e = (struct err)ERR_INIT;
	tap_ok(ruleset_read(&r, path, lists, &e) < 0, "a dangling list");
	tap_str(e.msg, want, "is an error");
	rmtree(a);
	rmtree(b);
	snprintf(at, sizeof(at), "%s/net", dir);
	rmtree(at);
}

static void test_list(void)
{
	static const char *const files[] = {"a/net/web.nft",  "b/net/web.nft",
					    "b/net/aaa.nft",  "b/net/x.conf",
					    "b/net/none.nft", "b/net/.nft",
					    "b/net/a b.nft"};
	static const char *const made[] = {"a", "b", "a/net", "b/net"};
	char a[64], b[64], c[64], at[128];
	const char *dirs[] = {a, c, b, NULL};
	struct ruleset_entry *list;
	size_t n;

	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(b, sizeof(b), "%s/b", dir);
	snprintf(c, sizeof(c), "%s/c", dir);
	for (size_t i = 0; i < 4; i++) {
		snprintf(at, sizeof(at), "%s/%s", dir, made[i]);
		if (mkdir(at, 0700) < 0)
			abort();
	}
	for (size_t i = 0; i < 7; i++)
		put_file(files[i]);
	e = (struct err)ERR_INIT;
	tap_ok(ruleset_list(dirs, &list, &n, &e) == 0 && n == 2,
	       "two rulesets; other files are none");
	snprintf(at, sizeof(at), "%s/a/net/web.nft", dir);
	tap_ok(n == 2 && !strcmp(list[0].name, "aaa") &&
		       !strcmp(list[1].name, "web") &&
		       !strcmp(list[1].path, at),
	       "by name, each from the first folder");
	ruleset_list_free(list, n);
	tap_ok(ruleset_find(&r, "web", dirs, &e) == 0 && !strcmp(r.path, at),
	       "and that is the one that is found");
	ruleset_free(&r);
	tap_ok(ruleset_find(&r, "none", dirs, &e) < 0 &&
		       ruleset_find(&r, "../b/net/web", dirs, &e) < 0,
	       "\"none\" and paths are no names");
	tap_ok(ruleset_find(&r, "mail", dirs, &e) < 0 && e.hint[0],
	       "a ruleset that is not there");
	for (size_t i = 0; i < 7; i++) {
		snprintf(at, sizeof(at), "%s/%s", dir, files[i]);
		unlink(at);
	}
	for (size_t i = 4; i-- > 0;) {
		snprintf(at, sizeof(at), "%s/%s", dir, made[i]);
		rmdir(at);
	}
}

int main(void)
{
	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/x.nft", dir);
	test_refused();
	test_body();
	test_names();
	test_resolvers();
	test_closed();
	test_private();
	test_publish();
	test_generation();
	test_nft();
	test_shipped();
	test_refuse();
	test_doh();
	test_list();
	test_dangling();
	unlink(path);
	rmdir(dir);
	return tap_done();
}
