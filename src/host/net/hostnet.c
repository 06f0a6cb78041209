/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses, default routes and resolvers of this machine.  The person's own
 * authority; only looks. */
#include "host/net/hostnet.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/net/resolvconf.h"
#include "host/net/ruleset.h"
#include "host/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ROUTES_MAX (4u * 1024 * 1024)
/* As many as fit into a ruleset with ease; more is no machine for this. */
#define ADDRS_MAX 256
/* Bits of a network whose members are beside this machine: shorter is what a
 * provider has, longer has nobody but a peer in it. */
#define LINK_MIN 48
#define LINK_MAX 126

bool hostnet_has_default4(const char *text)
{
	for (const char *p = text; p; p = strchr(p, '\n')) {
		unsigned long to, flags, mask;

		p += *p == '\n';
		if (sscanf(p, "%*s %lx %*x %lx %*d %*d %*d %lx", &to, &flags,
			   &mask) == 3 &&
		    !to && !mask && (flags & RTF_UP) && !(flags & RTF_REJECT))
			return true;
	}
	return false;
}

bool hostnet_has_default6(const char *text)
{
	for (const char *p = text; p; p = strchr(p, '\n')) {
		char to[33], dev[IF_NAMESIZE + 1];
		unsigned long prefix, flags;

		p += *p == '\n';
		if (sscanf(p, "%32s %lx %*s %*x %*s %*x %*x %*x %lx %16s", to,
			   &prefix, &flags, dev) == 4 &&
		    !prefix && strspn(to, "0") == 32 && (flags & RTF_UP) &&
		    !(flags & RTF_REJECT) && strcmp(dev, "lo") != 0)
			return true;
	}
	return false;
}

/* A machine without the file has no such protocol. */
static int look_route(const char *path, bool (*has)(const char *text),
		      bool *yes, struct err *e)
{
	struct buf b;
	int r = 0;

	*yes = false;
	if (access(path, F_OK) < 0)
		return 0;
	buf_init(&b, ROUTES_MAX);
	r = io_read_text(AT_FDCWD, path, &b, e);
	if (r == 0)
		*yes = has((const char *)b.data);
	buf_free(&b);
	return r;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One of this machine's. */
struct own {
	int family;
	unsigned char ip[16];
	unsigned size, bits; /* bytes of it; bits of its network */
};

#define OWN_TEXT (INET6_ADDRSTRLEN + 12)

static bool read_own(const struct ifaddrs *a, struct own *o)
{
	const unsigned char *mask = NULL;

	if (!a->ifa_addr)
		return false;
	o->family = a->ifa_addr->sa_family;
	if (o->family == AF_INET) {
		const struct sockaddr_in *ip = (const void *)a->ifa_addr,
					 *m = (const void *)a->ifa_netmask;

		o->size = 4;
		memcpy(o->ip, &ip->sin_addr, o->size);
		mask = m ? (const void *)&m->sin_addr : NULL;
	} else if (o->family == AF_INET6) {
		const struct sockaddr_in6 *ip = (const void *)a->ifa_addr,
					  *m = (const void *)a->ifa_netmask;

		o->size = 16;
		memcpy(o->ip, &ip->sin6_addr, o->size);
		mask = m ? (const void *)&m->sin6_addr : NULL;
	} else {
		return false;
	}
	o->bits = 0;
	while (o->bits < o->size * 8 &&
	       (!mask || mask[o->bits / 8] & (0x80 >> o->bits % 8)))
		o->bits++;
	return true;
}

static int add_text(char ***to, const char *text, struct err *e)
{
	for (char **s = *to; s && *s; s++)
		if (!strcmp(*s, text))
			return 0;
	if (*to && strv_len(*to) == ADDRS_MAX)
		return err_set(e, 0, "this machine has more than %d addresses",
			       ADDRS_MAX);
	return text_add(to, text, e);
}

static void print_own(const struct own *o, unsigned bits, char text[OWN_TEXT])
{
	char ip[INET6_ADDRSTRLEN];

	inet_ntop(o->family, o->ip, ip, sizeof(ip));
	snprintf(text, OWN_TEXT, bits < o->size * 8 ? "%s/%u" : "%s", ip, bits);
}

/* The address, or all of its network. */
static int add_own(struct hostnet *h, const struct own *o, unsigned bits,
		   const struct ruleset *r, struct err *e)
{
	char text[OWN_TEXT];

	/* Containers and VPNs have such; what changes is to be worth a restart.
	 */
	if (ruleset_is_private(o->family, o->ip) &&
	    !(r && ruleset_opens(r, o->family, o->ip)))
		return 0;
	print_own(o, bits, text);
	return add_text(o->family == AF_INET ? &h->addrs4 : &h->addrs6, text,
			e);
}

/* A router or a file server is beside this machine by its public IPv6 address
 * as much as by its private IPv4 one. */
static int add_link(struct hostnet *h, const struct own *o, struct err *e)
{
	char text[OWN_TEXT];

	if (o->family != AF_INET6 || o->bits < LINK_MIN || o->bits > LINK_MAX ||
	    ruleset_is_private(o->family, o->ip))
		return 0;
	print_own(o, o->bits, text);
	return add_text(&h->links6, text, e);
}

/*
 * Also what has no entry of its own: all of an IPv4 network on `lo` is this
 * machine's, and it answers to the first address of each IPv6 network while it
 * forwards (RFC 4291, 2.6.1; not of two addresses, RFC 6164).
 */
static int add_address(struct hostnet *h, const struct ifaddrs *a,
		       const struct ruleset *r, struct err *e)
{
	bool lo = a->ifa_flags & IFF_LOOPBACK;
	struct own o;

	if (!read_own(a, &o))
		return 0;
	if (add_own(h, &o, o.size * 8, r, e) < 0)
		return -1;
	if (o.family == AF_INET ? !lo : o.bits > 126)
		return 0;
	for (unsigned i = o.bits; i < o.size * 8; i++)
		o.ip[i / 8] &= (unsigned char)~(0x80 >> i % 8);
	if (add_link(h, &o, e) < 0)
		return -1;
	return add_own(h, &o, lo && o.family == AF_INET ? o.bits : o.size * 8,
		       r, e);
}

static void sort(char **list)
{
	if (list)
		qsort(list, strv_len(list), sizeof(char *), by_text);
}

static int look_addresses(struct hostnet *h, const struct ruleset *r,
			  struct err *e)
{
	struct ifaddrs *all;
	int ret = 0;

	if (getifaddrs(&all) < 0)
		return err_set(e, errno, "the addresses of this machine");
	for (struct ifaddrs *a = all; a && ret == 0; a = a->ifa_next)
		ret = add_address(h, a, r, e);
	freeifaddrs(all);
	sort(h->addrs4);
	sort(h->addrs6);
	sort(h->links6);
	return ret;
}

int hostnet_look(struct hostnet *h, const struct ruleset *r, struct err *e)
{
	memset(h, 0, sizeof(*h));
	if (look_route("/proc/net/route", hostnet_has_default4, &h->has4, e) ==
		    0 &&
	    look_route("/proc/net/ipv6_route", hostnet_has_default6, &h->has6,
		       e) == 0 &&
	    look_addresses(h, r, e) == 0 &&
	    resolvconf_read(RESOLVCONF_PATH, &h->resolvers, e) == 0)
		return 0;
	hostnet_free(h);
	return -1;
}

void hostnet_free(struct hostnet *h)
{
	strv_free(h->addrs4);
	strv_free(h->addrs6);
	strv_free(h->links6);
	strv_free(h->resolvers);
	memset(h, 0, sizeof(*h));
}

static bool is_same_list(char *const *a, char *const *b)
{
	size_t n = a ? strv_len(a) : 0;

	if (n != (b ? strv_len(b) : 0))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

bool hostnet_has_same_addresses(const struct hostnet *a,
				const struct hostnet *b)
{
	return is_same_list(a->addrs4, b->addrs4) &&
	       is_same_list(a->addrs6, b->addrs6) &&
	       is_same_list(a->links6, b->links6);
}

bool hostnet_is_same(const struct hostnet *a, const struct hostnet *b)
{
	return a->has4 == b->has4 && a->has6 == b->has6 &&
	       hostnet_has_same_addresses(a, b) &&
	       is_same_list(a->resolvers, b->resolvers);
}

/* One with a zone is on a link, where nothing that is passed on gets to. */
bool hostnet_has_resolver(const struct hostnet *h, int family)
{
	unsigned char ip[16];

	for (char **s = h->resolvers; s && *s; s++)
		if (inet_pton(family, *s, ip) == 1)
			return true;
	return false;
}

int hostnet_watch(struct err *e)
{
	const struct sockaddr_nl a = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
			     RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
			     RTMGRP_IPV6_ROUTE,
	};
	own_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			   NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return err_set(e, errno, "watching this machine's network");
	return steal_fd(&fd);
}

/* ENOBUFS, that some were lost, is read as well: all is looked at anew. */
bool hostnet_seen(int fd)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg link;
	} m; /* the beginning of one, which is one event */
	bool more = false;
	ssize_t n;

	for (;;) {
		errno = 0;
		n = recv(fd, &m, sizeof(m), MSG_TRUNC);
		if (n <= 0 && errno != ENOBUFS)
			return more;
		/* All bits have changed of one that was made or removed. */
		more = more || n < (ssize_t)sizeof(m) ||
		       m.h.nlmsg_type != RTM_NEWLINK ||
		       m.link.ifi_change == ~0u;
	}
}
