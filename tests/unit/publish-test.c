/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --publish: its spelling, lists of ports, and whether one can be had. */
#include "base/err.h"
#include "base/own.h"
#include "host/net/publish.h"
#include "host/net/ruleset.h"
#include "tap.h"
#include "wire/nic.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static void test_refused(void)
{
	static const struct {
		const char *text, *part;
	} bad[] = {
		{"", "two ports with a colon between"},
		{"80", "two ports with a colon between"},
		{":80", "the number of a port"},
		{"80:", "the number of a port"},
		{"0:80", "the number of a port"},
		{"8080:0", "the number of a port"},
		{"65536:80", "the number of a port"},
		{"8080:65536", "the number of a port"},
		{"+80:80", "the number of a port"},
		{" 80:80", "the number of a port"},
		{"8080:80/sctp", "tcp or udp"},
		{"8080:80/", "tcp or udp"},
		{":8080:80", "begins with an address"},
		{"localhost:8080:80", "an IPv4 address, or an IPv6 one"},
		{"127.1:8080:80", "an IPv4 address, or an IPv6 one"},
		{"::1:8080:80", "an IPv4 address, or an IPv6 one"},
		{"[::1:8080:80", "an IPv4 address, or an IPv6 one"},
		{"[]:8080:80", "an IPv4 address, or an IPv6 one"},
		{"[127.0.0.1]:8080:80", "an IPv4 address, or an IPv6 one"},
		{"[fe80::1%eth0]:8080:80", "an IPv4 address, or an IPv6 one"},
	};
	char text[300];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err e = ERR_INIT;
		struct publish p;

		if (!tap_ok(publish_parse(&p, bad[i].text, &e) < 0 &&
				    strstr(e.msg, bad[i].part) && e.hint[0],
			    "refused: \"%s\"", bad[i].text))
			printf("# %s\n", e.msg);
	}
	memset(text, '1', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	tap_ok(publish_parse(&(struct publish){0}, text,
			     &(struct err)ERR_INIT) < 0,
	       "refused: a long one");
}

static struct publish port(const char *text)
{
	struct err e = ERR_INIT;
	struct publish p;

	if (publish_parse(&p, text, &e) < 0)
		printf("# %s: %s\n", text, e.msg);
	return p;
}

static void test_spelling(void)
{
	static const struct {
		const char *text, *shown, *passt;
		uint16_t guest;
	} good[] = {
		{"8080:80", "127.0.0.1:8080/tcp", "127.0.0.1/8080", 80},
		{"192.0.2.1:65535:1/udp", "192.0.2.1:65535/udp",
		 "192.0.2.1/65535", 1},
		{"0.0.0.0:1:2/tcp", "0.0.0.0:1/tcp", "0.0.0.0/1", 2},
		{"[2001:DB8::2]:53:53/udp", "[2001:db8::2]:53/udp",
		 "2001:db8::2/53", 53},
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		const struct publish p = port(good[i].text);
		char a[PUBLISH_TEXT], b[PUBLISH_TEXT];

		tap_ok(!strcmp(publish_text(a, &p), good[i].shown) &&
			       !strcmp(publish_passt(b, &p), good[i].passt) &&
			       p.guest == good[i].guest && publish_is_valid(&p),
		       "%s is %s", good[i].text, good[i].shown);
	}
}

static void test_valid(void)
{
	struct publish p = port("8080:80");

	p.protocol = 7;
	tap_ok(!publish_is_valid(&p), "a protocol that is none");
	p = port("8080:80");
	p.family = 5;
	tap_ok(!publish_is_valid(&p), "a family that is none");
	p = port("8080:80");
	p.guest = 0;
	tap_ok(!publish_is_valid(&p), "a port that is none");
}

static int add(struct publish *list, size_t *n, const char *text, struct err *e)
{
	const struct publish p = port(text);

	*e = (struct err)ERR_INIT;
	return publish_add(list, n, &p, e);
}

static void test_list(void)
{
	struct publish list[PUBLISH_MAX];
	struct err e = ERR_INIT;
	size_t n = 0;
	char text[64];

	tap_ok(add(list, &n, "8080:80", &e) == 0 && n == 1 &&
		       add(list, &n, "127.0.0.1:8080:80/tcp", &e) == 0 &&
		       n == 1,
	       "the same once more is one");
	tap_ok(add(list, &n, "8080:81", &e) < 0 &&
		       strstr(e.msg, "leads to port 80 already"),
	       "a port leads to one port: %s", e.msg);
	tap_ok(add(list, &n, "192.0.2.1:8080:81", &e) < 0,
	       "at another address, too");
	tap_ok(add(list, &n, "192.0.2.1:8080:80", &e) == 0 && n == 2,
	       "but at both addresses it may be");
	tap_ok(add(list, &n, "8080:81/udp", &e) == 0 && n == 3,
	       "UDP's ports are others");
	for (unsigned i = 0; n < PUBLISH_MAX; i++) {
		snprintf(text, sizeof(text), "%u:1", 9000 + i);
		add(list, &n, text, &e);
	}
	tap_ok(add(list, &n, "7:7", &e) < 0 && n == PUBLISH_MAX, "%s", e.msg);
	tap_ok(publish_check_allowed(list, n, 8081, &e) < 0 &&
		       strstr(e.msg, "8080/tcp: ports below 8081 are root") &&
		       strstr(e.hint, "ip_unprivileged_port_start=8080"),
	       "below the limit it is not: %s", e.msg);
	tap_ok(publish_check_allowed(list, n, 8080, &e) == 0,
	       "at the limit it is allowed");
}

/* A socket on a port that the kernel chooses. */
static int occupy(int type, struct publish *p)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(a);
	int s = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (bind(s, (struct sockaddr *)&a, n) < 0 ||
	    getsockname(s, (struct sockaddr *)&a, &n) < 0)
		abort();
	*p = port(type == SOCK_DGRAM ? "1:1/udp" : "1:1");
	p->port = ntohs(a.sin_port);
	return s;
}

static void test_free(void)
{
	struct err e = ERR_INIT;
	struct publish p, all[2];
	int s = occupy(SOCK_STREAM, &p);

	listen(s, 1);
	tap_ok(publish_check_free(&p, 1, &e) < 0 &&
		       strstr(e.msg, "is in use on this machine"),
	       "TCP: %s", e.msg);
	own_close(&s);
	tap_ok(publish_check_free(&p, 1, &e) == 0, "not afterwards");
	s = occupy(SOCK_DGRAM, &p);
	e = (struct err)ERR_INIT;
	tap_ok(publish_check_free(&p, 1, &e) < 0 &&
		       strstr(e.msg, "is in use on this machine"),
	       "UDP: %s", e.msg);
	all[0] = all[1] = p;
	own_close(&s);
	tap_ok(publish_check_free(all, 1, &e) == 0, "not afterwards");
	tap_ok(publish_check_free(all, 2, &e) < 0,
	       "two that cannot be there at once");
	e = (struct err)ERR_INIT;
	p = port("[fe80::1]:8080:80");
	tap_ok(publish_check_free(&p, 1, &e) < 0 &&
		       strstr(e.msg, "at no address of this machine"),
	       "one that says nothing without an interface");
	e = (struct err)ERR_INIT;
	p = port("192.0.2.77:8080:80");
	tap_ok(publish_check_free(&p, 1, &e) < 0 &&
		       strstr(e.msg, "at no address of this machine"),
	       "%s", e.msg);
}

int main(void)
{
	test_refused();
	test_spelling();
	test_valid();
	test_list();
	test_free();
	return tap_done();
}
