/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ports of this machine that lead to a VM's.  The person's own authority. */
#include "host/net/publish.h"

#include "base/err.h"
#include "base/own.h"
#include "host/net/ruleset.h"
#include "host/text.h"
#include "wire/nic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const char form[] = "[ADDRESS:]HOSTPORT:PORT[/tcp|/udp], such as "
			   "8080:80 or 192.0.2.1:5353:53/udp";

static int bad(struct err *e, const char *value, const char *what)
{
	char shown[TEXT_SHOWN];

	err_set(e, 0, "\"%s\" is not %s",
		text_show(shown, sizeof(shown), value), what);
	return err_hint(e, "the form is %s", form);
}

static int parse_port(uint16_t *port, const char *text, struct err *e)
{
	uint64_t n;

	if (text_number(text, UINT16_MAX, &n) || !n)
		return bad(e, text, "the number of a port");
	*port = (uint16_t)n;
	return 0;
}

/* NULL: 127.0.0.1, so that nobody else reaches what was only tried. */
static int parse_address(struct publish *p, const char *text, struct err *e)
{
	size_t n = text ? strlen(text) : 0;
	char six[INET6_ADDRSTRLEN];

	p->family = NIC_IP4;
	if (inet_pton(AF_INET, text ? text : "127.0.0.1", p->ip) == 1)
		return 0;
	p->family = NIC_IP6;
	if (n > 2 && n - 2 < sizeof(six) && text[0] == '[' &&
	    text[n - 1] == ']') {
		snprintf(six, sizeof(six), "%.*s", (int)n - 2, text + 1);
		if (inet_pton(AF_INET6, six, p->ip) == 1)
			return 0;
	}
	return bad(e, text, "an IPv4 address, or an IPv6 one in brackets");
}

static int parse_protocol(struct publish *p, char *text, struct err *e)
{
	char *slash = strrchr(text, '/');

	p->protocol = RULESET_TCP;
	if (!slash)
		return 0;
	*slash = '\0';
	if (!strcmp(slash + 1, "udp"))
		p->protocol = RULESET_UDP;
	else if (strcmp(slash + 1, "tcp") != 0)
		return bad(e, slash + 1, "tcp or udp");
	return 0;
}

int publish_parse(struct publish *p, const char *value, struct err *e)
{
	char text[128];
	char *guest, *port;

	memset(p, 0, sizeof(*p));
	if ((size_t)snprintf(text, sizeof(text), "%s", value) >= sizeof(text))
		return bad(e, value, "a port to publish");
	if (parse_protocol(p, text, e))
		return -1;
	guest = strrchr(text, ':');
	if (!guest)
		return bad(e, value, "two ports with a colon between");
	*guest++ = '\0';
	port = strrchr(text, ':');
	if (port) {
		*port++ = '\0';
		if (!*text)
			return bad(e, value, "one that begins with an address");
	}
	if (parse_address(p, port ? text : NULL, e) ||
	    parse_port(&p->port, port ? port : text, e))
		return -1;
	return parse_port(&p->guest, guest, e);
}

static int family_of(const struct publish *p)
{
	return p->family == NIC_IP6 ? AF_INET6 : AF_INET;
}

char *publish_text(char out[PUBLISH_TEXT], const struct publish *p)
{
	char ip[INET6_ADDRSTRLEN] = "";
	bool six = p->family == NIC_IP6;

	inet_ntop(family_of(p), p->ip, ip, sizeof(ip));
	snprintf(out, PUBLISH_TEXT, "%s%s%s:%u/%s", six ? "[" : "", ip,
		 six ? "]" : "", p->port,
		 p->protocol == RULESET_UDP ? "udp" : "tcp");
	return out;
}

char *publish_passt(char out[PUBLISH_TEXT], const struct publish *p)
{
	char ip[INET6_ADDRSTRLEN] = "";

	inet_ntop(family_of(p), p->ip, ip, sizeof(ip));
	snprintf(out, PUBLISH_TEXT, "%s/%u", ip, p->port);
	return out;
}

bool publish_is_valid(const struct publish *p)
{
	return (p->protocol == RULESET_TCP || p->protocol == RULESET_UDP) &&
	       (p->family == NIC_IP4 || p->family == NIC_IP6) && p->port &&
	       p->guest;
}

bool publish_is_same_port(const struct publish *a, const struct publish *b)
{
	return a->protocol == b->protocol && a->port == b->port;
}

bool publish_is_same(const struct publish *a, const struct publish *b)
{
	return publish_is_same_port(a, b) && a->family == b->family &&
	       !memcmp(a->ip, b->ip, sizeof(a->ip));
}

bool publish_is_loopback(const struct publish *p)
{
	return p->family == NIC_IP4
		       ? p->ip[0] == 127
		       : !memcmp(p->ip, &in6addr_loopback, sizeof(p->ip));
}

int publish_add(struct publish list[PUBLISH_MAX], size_t *n,
		const struct publish *p, struct err *e)
{
	char shown[PUBLISH_TEXT];

	for (size_t i = 0; i < *n; i++) {
		if (!publish_is_same_port(&list[i], p))
			continue;
		if (list[i].guest != p->guest)
			return err_set(e, 0,
				       "%s leads to port %u already, it cannot "
				       "lead to %u, too",
				       publish_text(shown, &list[i]),
				       list[i].guest, p->guest);
		if (publish_is_same(&list[i], p))
			return 0;
	}
	if (*n == PUBLISH_MAX)
		return err_set(e, 0, "more than %u ports", PUBLISH_MAX);
	list[(*n)++] = *p;
	return 0;
}

int publish_check_allowed(const struct publish *list, size_t n, unsigned first,
			  struct err *e)
{
	char shown[PUBLISH_TEXT];

	for (size_t i = 0; i < n; i++) {
		if (list[i].port >= first)
			continue;
		err_set(e, 0, "%s: ports below %u are root's",
			publish_text(shown, &list[i]), first);
		return err_hint(e,
				"take one from %u on; root can change the "
				"limit: sysctl net.ipv4.ip_unprivileged_port_"
				"start=%u",
				first, list[i].port);
	}
	return 0;
}

/* ---- what is free ---- */

static int explain(const struct publish *p, int code, struct err *e)
{
	const char *protocol = p->protocol == RULESET_UDP ? "u" : "t";
	char shown[PUBLISH_TEXT];

	publish_text(shown, p);
	switch (code) {
	case EADDRINUSE:
		err_set(e, 0, "%s is in use on this machine", shown);
		return err_hint(e,
				"`ss -ln%s` shows by whom; or take another "
				"port",
				protocol);
	case EADDRNOTAVAIL:
	case EINVAL: /* link-local, or IPv4 in IPv6's clothes */
		err_set(e, 0, "%s is at no address of this machine", shown);
		return err_hint(e, "`ip address` shows them; 0.0.0.0 and [::] "
				   "are all of them");
	default:
		return err_set(e, code, "%s", shown);
	}
}

/* As passt will: what of TCP was closed a moment ago is free.  An address is
 * this machine's or it is not, also where IPv6 has not looked yet. */
static int try_bind(const struct publish *p, int *fd, struct err *e)
{
	const bool six = p->family == NIC_IP6, udp = p->protocol == RULESET_UDP;
	struct sockaddr_in a4 = {.sin_family = AF_INET,
				 .sin_port = htons(p->port)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6,
				  .sin6_port = htons(p->port)};
	const int one = 1;
	int r;

	memcpy(&a4.sin_addr, p->ip, sizeof(a4.sin_addr));
	memcpy(&a6.sin6_addr, p->ip, sizeof(a6.sin6_addr));
	*fd = socket(family_of(p),
		     (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return explain(p, errno, e);
	if (six)
		setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (!udp)
		setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	r = bind(*fd,
		 six ? (const struct sockaddr *)&a6
		     : (const struct sockaddr *)&a4,
		 six ? sizeof(a6) : sizeof(a4));
	return r < 0 ? explain(p, errno, e) : 0;
}

int publish_check_free(const struct publish *list, size_t n, struct err *e)
{
	int fds[PUBLISH_MAX], r = 0;
	size_t done = 0;

	for (; r == 0 && done < n && done < PUBLISH_MAX; done++)
		r = try_bind(&list[done], &fds[done], e);
	while (done)
		own_close(&fds[--done]);
	return r;
}
