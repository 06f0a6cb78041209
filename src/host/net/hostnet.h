/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this machine's own network is like now; only looks. */
#ifndef HOST_NET_HOSTNET_H
#define HOST_NET_HOSTNET_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct ruleset;

struct hostnet {
	bool has4, has6; /* there is a default route */
	/* Its own addresses, and networks that are its own as a whole; but
	 * those that a ruleset refuses as private anyway.  Sorted, each once;
	 * for strv_free(). */
	char **addrs4, **addrs6;
	/* Networks of its public IPv6 addresses: who is in them is beside it,
	 * as in a private network.  The same. */
	char **links6;
	char **resolvers; /* of resolv.conf, in its order */
};

/* r: private addresses that it opens are listed, too; NULL: none are. */
int hostnet_look(struct hostnet *h, const struct ruleset *r, struct err *e);
void hostnet_free(struct hostnet *h);
bool hostnet_has_same_addresses(const struct hostnet *a,
				const struct hostnet *b);
bool hostnet_is_same(const struct hostnet *a, const struct hostnet *b);

/* Whether resolv.conf names one of AF_INET or AF_INET6. */
bool hostnet_has_resolver(const struct hostnet *h, int family);

/*
 * Pure: whether the text of /proc/net/route or /proc/net/ipv6_route has a
 * default route that leads somewhere.
 */
bool hostnet_has_default4(const char *text);
bool hostnet_has_default6(const char *text);

/* A descriptor that is readable when addresses, routes or interfaces may have
 * changed. */
int hostnet_watch(struct err *e);
/* Reads it empty; whether there was more than a new state of an interface, as
 * each start with a TAP makes one. */
bool hostnet_seen(int fd);

#endif
