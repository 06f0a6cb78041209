/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses and default routes of this machine.  The person's own authority;
 * only looks. */
#include "host/net/hostnet.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
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
	r = io_read_file(AT_FDCWD, path, &b, e);
	buf_put_u8(&b, 0);
	if (r == 0 && b.bad)
		r = err_set(e, E2BIG, "%s", path);
	if (r == 0)
		*yes = has((const char *)b.data);
	buf_free(&b);
	return r;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_address(struct hostnet *h, const struct ifaddrs *a,
		       struct err *e)
{
	char text[INET6_ADDRSTRLEN];
	const void *ip;
	char ***to;

	if (!a->ifa_addr || (a->ifa_flags & IFF_LOOPBACK))
		return 0;
	if (a->ifa_addr->sa_family == AF_INET) {
		ip = &((const struct sockaddr_in *)(const void *)a->ifa_addr)
			      ->sin_addr;
		to = &h->addrs4;
	} else if (a->ifa_addr->sa_family == AF_INET6) {
		ip = &((const struct sockaddr_in6 *)(const void *)a->ifa_addr)
			      ->sin6_addr;
		to = &h->addrs6;
	} else {
		return 0;
	}
	if (*to && strv_len(*to) == ADDRS_MAX)
		return err_set(e, 0, "this machine has more than %d addresses",
			       ADDRS_MAX);
	inet_ntop(a->ifa_addr->sa_family, ip, text, sizeof(text));
	return text_add(to, text, e);
}

static int look_addresses(struct hostnet *h, struct err *e)
{
	struct ifaddrs *all;
	int r = 0;

	if (getifaddrs(&all) < 0)
		return err_set(e, errno, "the addresses of this machine");
	for (struct ifaddrs *a = all; a && r == 0; a = a->ifa_next)
		r = add_address(h, a, e);
	freeifaddrs(all);
	if (h->addrs4)
		qsort(h->addrs4, strv_len(h->addrs4), sizeof(char *), by_text);
	if (h->addrs6)
		qsort(h->addrs6, strv_len(h->addrs6), sizeof(char *), by_text);
	return r;
}

int hostnet_look(struct hostnet *h, struct err *e)
{
	memset(h, 0, sizeof(*h));
	if (look_route("/proc/net/route", hostnet_has_default4, &h->has4, e) ==
		    0 &&
	    look_route("/proc/net/ipv6_route", hostnet_has_default6, &h->has6,
		       e) == 0 &&
	    look_addresses(h, e) == 0)
		return 0;
	hostnet_free(h);
	return -1;
}

void hostnet_free(struct hostnet *h)
{
	strv_free(h->addrs4);
	strv_free(h->addrs6);
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

bool hostnet_is_same(const struct hostnet *a, const struct hostnet *b)
{
	return a->has4 == b->has4 && a->has6 == b->has6 &&
	       is_same_list(a->addrs4, b->addrs4) &&
	       is_same_list(a->addrs6, b->addrs6);
}

int hostnet_watch(struct err *e)
{
	const struct sockaddr_nl a = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};
	own_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			   NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return err_set(e, errno, "watching this machine's network");
	return steal_fd(&fd);
}

/* ENOBUFS, that some were lost, is read as well: all is looked at anew. */
void hostnet_seen(int fd)
{
	char unread[8192];

	while (recv(fd, unread, sizeof(unread), MSG_TRUNC) > 0 ||
	       errno == ENOBUFS)
		errno = 0;
}
